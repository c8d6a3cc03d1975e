"""Log lines: one record is one printable line, secrets are masked, and writing never makes the caller wait."""

import io
import json
import logging
import queue
import threading
from collections.abc import Iterator

import pytest

from routing.program.logs import (
    LONGEST,
    PLAIN,
    BoundedHandler,
    JsonFormatter,
    Logs,
    TextFormatter,
    cut,
    escape,
    mask,
    quoted,
)

ATTACK = 'a\r\nb\x1b[2J\x00\u202e%n"\ud800'


def record(message: str, *arguments: object, level: int = logging.WARNING, **attributes: object) -> logging.LogRecord:
    made = logging.LogRecord("ringway.net", level, "f", 1, message, arguments, None)
    made.created = 1_700_000_000.25
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("ringway")
    handlers, level, own_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(own_level)


# -- text -------------------------------------------------------------------------------------------------------------


def test_a_text_line() -> None:
    assert TextFormatter().format(record("fault while %s", "sending")) == (
        "2023-11-14T22:13:20.250000Z warning ringway.net fault while sending"
    )


def test_fields_come_as_key_and_value() -> None:
    line = TextFormatter().format(
        record("", fields={"event": "auth_failed", "src": "[2001:db8::1]:5060", "why": "wrong password"})
    )
    assert line.endswith('warning ringway.net event=auth_failed src=[2001:db8::1]:5060 why="wrong password"')


def test_a_value_cannot_look_like_another_key() -> None:
    assert quoted("x src=1.2.3.4:5060") == '"x src=1.2.3.4:5060"'
    assert quoted('x" src=1') == '"x\\" src=1"'
    assert quoted('x\\" src=1') == '"x\\\\\\" src=1"'
    assert quoted("") == '""'
    assert quoted(5) == "5"


@pytest.mark.row("E05")
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
@pytest.mark.parametrize("place", ["message", "field", "plain"])
def test_what_a_peer_sent_stays_on_one_printable_line(formatter: logging.Formatter, place: str) -> None:
    if place == "field":
        line = formatter.format(record("", fields={"user": ATTACK}))
    else:
        line = formatter.format(record("%s", ATTACK, **{PLAIN: place == "plain"}))
    assert line.isprintable()
    assert "%n" in line


def test_escapes_can_be_read() -> None:
    assert escape("plain text, ümläut") == "plain text, ümläut"
    assert escape("a\r\n\x1b\u202e") == "a\\r\\n\\x1b\\u202e"


@pytest.mark.row("E05")
def test_a_long_record_keeps_its_beginning_and_its_end() -> None:
    assert cut("short") == "short"
    shortened = cut("a" * LONGEST + "b" * LONGEST)
    assert len(shortened) < LONGEST + 50
    assert shortened.startswith("aaa")
    assert shortened.endswith("bbb")
    assert f"({LONGEST} characters cut)" in shortened


@pytest.mark.row("E05")
def test_a_traceback_is_one_line_with_its_end_kept() -> None:
    line = TextFormatter().format(record("fault", exc_text="Traceback:\n" + "  File\n" * 2000 + "ValueError: \x1bboom"))
    assert "\n" not in line
    assert "fault | Traceback: |   File" in line
    assert line.endswith("ValueError: \\x1bboom")


def test_a_line_for_people_has_the_time_of_day_and_no_level() -> None:
    line = TextFormatter().format(record("1001 calls 1002", plain=True))
    clock, _, message = line.partition("  ")
    assert message == "1001 calls 1002"
    assert [len(part) for part in clock.split(":")] == [2, 2, 2]


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_a_json_line() -> None:
    line = json.loads(JsonFormatter().format(record("hello", fields={"event": "registered", "expires": 60})))
    assert line == {
        "ts": "2023-11-14T22:13:20.250000Z", "level": "warning", "logger": "ringway.net", "event": "registered",
        "expires": 60, "message": "hello",
    }  # fmt: skip


def test_a_json_line_with_a_traceback() -> None:
    line = json.loads(JsonFormatter().format(record("fault", exc_text="Traceback\nValueError")))
    assert line["message"] == "fault\nTraceback\nValueError"


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("E06")
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('Digest username="a", response="0123abcd", qop=auth', 'Digest username="a", response=***, qop=auth'),
        ("password=hunter2, x", "password=***, x"),
        ('"password": "hunter2", x', '"password": ***, x'),
        ("a=crypto:1 AES_CM_128 inline:c2VjcmV0", "a=crypto:1 AES_CM_128 inline:***"),
        ("postgresql://user:hunter2@host/db", "postgresql://user:***@host/db"),
        ("Identity: eyJhbGci.eyJvcmln.c2ln;info=x", "Identity: eyJ***;info=x"),
        ("sip:1001@192.0.2.1:5060", "sip:1001@192.0.2.1:5060"),
        ("wrong password (nonce ok)", "wrong password (nonce ok)"),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.row("E06")
def test_both_formats_mask() -> None:
    line = record('response="abc"', fields={"header": 'response="abc"'})
    assert "abc" not in TextFormatter().format(line)
    assert "abc" not in JsonFormatter().format(line)


# -- the queue --------------------------------------------------------------------------------------------------------


def test_arguments_are_taken_as_they_are_now() -> None:
    records: queue.Queue[logging.LogRecord | None] = queue.Queue()
    changing = [1]
    BoundedHandler(records).emit(record("%s", changing))
    changing.append(2)
    waiting = records.get_nowait()
    assert waiting is not None
    assert waiting.getMessage() == "[1]"


@pytest.mark.usefixtures("restored_logging")
def test_records_are_written_in_order_and_all_are_written_at_the_end() -> None:
    stream = io.StringIO()
    logs = Logs(stream, level="info")
    logs.start()
    log = logging.getLogger("ringway.test")
    for number in range(100):
        log.info("record %d", number)
    log.debug("not wanted")
    logging.getLogger("library").info("not wanted")
    try:
        raise ValueError("boom")
    except ValueError:
        log.exception("fault")
    logs.stop()
    lines = stream.getvalue().splitlines()
    assert [line.split()[-1] for line in lines[:100]] == [str(number) for number in range(100)]
    assert len(lines) == 101
    assert lines[100].endswith("ValueError: boom")


class StandingTerminal(io.StringIO):
    """Takes nothing until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        assert self.go_on.wait(10)
        return super().write(text)


@pytest.mark.row("E16")
@pytest.mark.usefixtures("restored_logging")
def test_when_the_terminal_stands_still_records_are_dropped_and_counted() -> None:
    terminal = StandingTerminal()
    logs = Logs(terminal, length=5)
    logs.start()
    log = logging.getLogger("ringway.test")
    log.warning("first")
    assert terminal.entered.wait(10)
    for number in range(20):
        log.warning("%d", number)
    assert logs.handler.dropped == 15
    terminal.go_on.set()
    logs.stop()
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 7
    assert lines[-1].endswith("15 log records were dropped")


@pytest.mark.usefixtures("restored_logging")
def test_the_end_does_not_wait_for_a_terminal_that_stands_still() -> None:
    terminal = StandingTerminal()
    logs = Logs(terminal, length=1)
    logs.start()
    logging.getLogger("ringway.test").warning("first")
    assert terminal.entered.wait(10)
    logging.getLogger("ringway.test").warning("second")
    logs.stop(timeout=0.01)
    terminal.go_on.set()


@pytest.mark.usefixtures("restored_logging")
def test_a_terminal_that_went_away_is_no_fault() -> None:
    stream = io.StringIO()
    stream.close()
    logs = Logs(stream)
    logs.start()
    logging.getLogger("ringway.test").warning("nobody hears this")
    logs.stop()
    assert logs.handler.dropped == 0
