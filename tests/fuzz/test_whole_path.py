"""The kept corpus through the whole path, and new input for as long as continuous integration allows."""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.judge import Judge
from tests.fuzz.script import Step, steps_of
from tests.fuzz.whole_path import WholePath

HERE = Path(__file__).resolve().parent
CORPUS = sorted((HERE / "corpus").iterdir())
TORTURE = sorted((HERE.parent / "torture").glob("rfc*/*.dat"))
SECONDS = 60


@pytest.fixture(scope="module")
def whole_path() -> WholePath:
    return WholePath()


@pytest.mark.row("E05")
@pytest.mark.parametrize("file", CORPUS + TORTURE, ids=lambda file: file.stem)
def test_kept_input(whole_path: WholePath, file: Path) -> None:
    whole_path.run(file.read_bytes())


def test_the_corpus_goes_all_the_way(whole_path: WholePath) -> None:
    """Else fuzzing would look at the first step only: each script gets the answers it is made for."""
    script = (HERE / "corpus" / "call").read_bytes()
    sent = statuses_of(whole_path, script)
    answers = [line for line in sent if line.startswith(b"SIP/2.0 ") and b"100" not in line]
    assert answers == [b"SIP/2.0 180 Ringing", b"SIP/2.0 200 OK", b"SIP/2.0 200 OK"]
    assert [line.partition(b" ")[0] for line in sent if line.endswith(b"transport=tcp SIP/2.0")] == [
        b"INVITE", b"ACK", b"BYE",
    ]  # fmt: skip
    assert statuses_of(whole_path, (HERE / "corpus" / "register").read_bytes()) == [b"SIP/2.0 200 OK"] * 3


def test_the_corpus_has_browsers(whole_path: WholePath) -> None:
    script = (HERE / "corpus" / "web-phone").read_bytes()
    sent = statuses_of(whole_path, script)
    assert sent[:2] == [b"SIP/2.0 200 OK", b""]  # and a pong
    assert b"INVITE sip:o34e9rvq@x1.invalid;transport=ws SIP/2.0" in sent
    assert b"SIP/2.0 180 Ringing" in sent
    two = statuses_of(whole_path, (HERE / "corpus" / "web-phone-two-messages").read_bytes())
    refusals = [b"SIP/2.0 400 Content-Length is not that of the body", b"SIP/2.0 400 No end of the header section"]
    assert two == [*refusals, b"SIP/2.0 200 OK"]


def statuses_of(whole_path: WholePath, script: bytes) -> list[bytes]:
    """The first line of everything that is sent."""
    lines = []
    sent = Judge.sent

    def note(judge: Judge, flow: object, data: bytes) -> object:
        lines.append(data.partition(b"\r\n")[0])
        return sent(judge, flow, data)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Judge, "sent", note)
        whole_path.run(script)
    return lines


# -- the judge would notice ----


def test_a_fault_of_a_module_is_not_hidden(whole_path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise IndexError("a bug")

    monkeypatch.setattr("modules.proxy.module.Proxy._fork", broken)
    with pytest.raises(IndexError, match="a bug"):
        whole_path.run((HERE / "corpus" / "stranger-calls").read_bytes())


@pytest.mark.parametrize(
    ("function", "does", "complaint"),
    [
        ("sipcore.transaction.layer.TransactionLayer.send_response", "twice", "responses to"),
        ("sipcore.transaction.layer.TransactionLayer.send_response", "garbage", "we sent what we refuse"),
        ("sipcore.transaction.layer.TransactionLayer.send_response", "long", "bytes back for"),
    ],
)
def test_what_must_not_be_sent_is_noticed(
    whole_path: WholePath, monkeypatch: pytest.MonkeyPatch, function: str, does: str, complaint: str
) -> None:
    def send(layer: object, flow: object, data: bytes, response: object) -> None:
        longer = data.replace(b"Content-Length", b"X: " + b"x" * 5000 + b"\r\nContent-Length")
        changed = {"twice": data, "garbage": data.replace(b"SIP/2.0 ", b"SIP/3.0 "), "long": longer}[does]
        layer.outbox.extend([(flow, changed)] * (3 if does == "twice" else 1))  # type: ignore[attr-defined]

    monkeypatch.setattr(function, send)
    with pytest.raises(AssertionError, match=complaint):
        whole_path.run((HERE / "corpus" / "options").read_bytes())


def test_a_header_that_is_not_taken_off_is_noticed(whole_path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sipcore.message.message.Message.remove", lambda message, name: None)
    with pytest.raises(AssertionError, match="should have been taken off"):
        whole_path.run((HERE / "corpus" / "folded-and-compact").read_bytes())


def test_a_log_record_of_two_lines_is_noticed(whole_path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.program.logs.escape", lambda text: text + "\n")
    with pytest.raises(AssertionError):
        whole_path.run((HERE / "corpus" / "options").read_bytes())


def test_an_error_in_the_log_is_noticed(whole_path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    def complain(*_: object) -> None:
        logging.getLogger("ringway.proxy").error("this can't be")

    monkeypatch.setattr("modules.proxy.response_context.ResponseContext.start", complain)
    with pytest.raises(AssertionError, match="this can't be"):
        whole_path.run((HERE / "corpus" / "stranger-calls").read_bytes())


def test_a_transaction_that_never_ends_is_noticed(whole_path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sipcore.transaction.server.ServerMachine.end", lambda transaction: None)
    with pytest.raises(AssertionError, match="left over"):
        whole_path.run((HERE / "corpus" / "options").read_bytes())


# -- scripts ----


def test_a_script_is_read_step_by_step() -> None:
    assert list(steps_of(b"@udp 2\nA\r\n\n@tcp 3 7\nB\n@wait 31\n@lost tcp 3\n@slow")) == [
        Step("udp", b"A\r\n", 2),
        Step("tcp", b"B", 3, 7),
        Step("wait", b"", 31),
        Step("lost tcp", b"", 3),
        Step("slow"),
    ]


def test_what_is_no_script_is_one_datagram() -> None:
    assert list(steps_of(b"x\n@udp 1\ny")) == [Step("udp", b"x\n@udp 1\ny")]
    assert list(steps_of(b"@tls 1\ny")) == [Step("udp", b"@tls 1\ny")]


# -- new input ----


@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="atheris is missing: pip install atheris")
def test_new_input(tmp_path: Path) -> None:
    """The same inputs in the same order each time; how many of them depends on the machine."""
    command = [sys.executable, str(HERE / "fuzz_whole_path.py"), str(SECONDS), "--seed", "1", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 60, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    print(done.stderr.rpartition("stat::number_of_executed_units")[2].partition("\n")[0], "inputs")
