"""`ringway explain`: each line that ran, what was looked up where, what would leave; nothing is sent or written."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from routing.program.command_line import main
from routing.program.exit_codes import BAD_CONFIGURATION, FAILURE, OK, USAGE
from routing.program.explain_request import Asked, request_of

ROUTE = """\
on request {
    if request.method == "REGISTER" { authenticate(as: to)  save() }
    authenticate(as: from)
    let number = request.uri.user
    request.header["X-Account"] = number
    let phones = lookup(request.uri)
    if phones.empty { call abroad() }
    for phone in phones {
        ring(phone, for: 5s)
    }
    reply(outcome)
}
route abroad() {
    if exists(request.uri) { reply(480) }
    relay("sip:gateway.example.net")
}
"""
LOCATION = (
    "insert into location"
    " (ruid, username, domain, contact, expires, q, callid, cseq, user_agent, last_modified, partition)"
    " values (?, ?, 'example.com', ?, '2037-01-01 00:00:00', ?, 'c', 1, 'phone', '2026-01-01 00:00:00', 0)"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ringway.toml").write_text(
        'domains = ["example.com"]\nlisten = ["udp:10.0.0.1:5060", "tcp:10.0.0.1"]\n'
    )
    (tmp_path / "main.route").write_text(ROUTE)
    assert main(["db", "init"]) == OK
    for user in ("1001", "1002"):
        assert main(["user", "add", user, "--generate"]) == OK
    with closing(sqlite3.connect(tmp_path / "ringway.db")) as database, database:
        database.executemany(
            LOCATION, [("r1", "1002", "sip:1002@10.0.0.5:5062", 1.0), ("r2", "1002", "sip:1002@10.0.0.6", 0.5)]
        )
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str, code: int = OK) -> str:
        assert main(["explain", *words]) == code
        return capsys.readouterr().out

    return run


@pytest.fixture
def document(shown: Any) -> Any:
    return lambda *words: json.loads(shown("--json", *words))


def lines_of(found: dict[str, Any]) -> list[int]:
    return [step["number"] for step in found["steps"] if step["step"] == "line"]


def test_a_challenge_ends_the_route_and_says_how_to_go_on(shown: Any) -> None:
    text = shown()
    assert text.splitlines()[0] == "INVITE sip:1002@example.com from udp 127.0.0.1:5060"
    assert "   3  authenticate(as: from)\n" in text
    assert "   4  " not in text
    assert "1001@example.com is asked for a password (--authenticated goes on as if it were right)" in text
    assert "  + Proxy-Authenticate: Digest realm=" in text
    assert text.endswith("outcome: answered 407 Proxy Authentication Required\n")


def test_lines_values_look_ups_and_headers(shown: Any, folder: Path) -> None:
    text = shown("--authenticated")
    assert '          number = "1002"\n' in text
    look_up = "          lookup(uri: sip:1002@example.com) gave [sip:1002@10.0.0.5:5062, sip:1002@10.0.0.6] "
    assert look_up + "(bindings in ringway.db)\n" in text
    assert "      --  sends INVITE sip:1002@10.0.0.5:5062 to udp 10.0.0.5:5062\n" in text
    sent = text.partition("\nto udp 10.0.0.5:5062\n")[2]
    assert sent.startswith("  INVITE sip:1002@10.0.0.5:5062\n  - Max-Forwards: 70\n")
    assert "  + X-Account: 1002\n" in sent
    assert "  + Max-Forwards: 69\n" in sent
    assert "  + Record-Route: <sip:" in sent
    assert text.rstrip().endswith(
        "outcome: forwarded to 10.0.0.5:5062; waits for what they answer (--answer 486 tries one)"
    )


def test_answers_let_the_route_go_on(document: Any) -> None:
    found = document("--authenticated", "--answer", "486", "--answer", "603")
    asked = [sent["to"] for sent in found["forwarded"] if sent["first_line"].startswith("INVITE")]
    assert asked == ["10.0.0.5:5062", "10.0.0.6:5060"]
    assert found["outcome"] == "answered 603 Decline"
    assert lines_of(found) == [2, 3, 4, 5, 6, 7, 8, 9, 8, 9, 8, 11]
    assert document("--authenticated", "--answer", "200")["outcome"] == "answered 200 OK"


def test_names_are_not_asked_of_the_dns(document: Any) -> None:
    found = document("--authenticated", "--to", "7")
    assert [sent["to"] for sent in found["forwarded"]] == ["gateway.example.net (the DNS was not asked)"]
    assert any(note.startswith("the DNS was not asked for NAPTR gateway.example.net, ") for note in found["notes"])
    calls = [step for step in found["steps"] if step["step"] == "call"]
    assert [(call["name"], call["result"], call["source"]) for call in calls[1:3]] == [
        ("lookup", "[]", "bindings in ringway.db"), ("exists", "false", "accounts in ringway.db"),
    ]  # fmt: skip
    assert 14 in lines_of(found) and 15 in lines_of(found)


def test_a_registration_is_not_stored(document: Any, folder: Path) -> None:
    found = document("--method", "REGISTER", "--authenticated", "--from", "1001", "--source", "10.0.0.9:5099")
    assert found["outcome"] == "answered 200 OK"
    assert "not written: store 1001@example.com: sip:1001@10.0.0.9:5099" in found["notes"]
    with closing(sqlite3.connect(folder / "ringway.db")) as database:
        assert database.execute("select count(*) from location").fetchone() == (2,)


def test_the_headers_that_are_given_count(folder: Path, document: Any) -> None:
    (folder / "main.route").write_text('on request { if request.header["X-A"] == "7" { reply(486) } drop() }\n')
    assert document("--header", "X-A: 7")["outcome"] == "answered 486 Busy Here"
    assert document("--header", "X-A: 8")["outcome"] == "dropped, without an answer"


def test_a_file_holds_the_whole_request(folder: Path, shown: Any) -> None:
    request = (
        "MESSAGE sip:1002@example.com SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\nFrom: <sip:x@y>;tag=1\n"
        "To: <sip:1002@example.com>\nCall-ID: c\nCSeq: 1 MESSAGE\nMax-Forwards: 70\nContent-Length: 0\n"
    )
    (folder / "one.sip").write_text(request)
    text = shown("one.sip", "--transport", "tcp", "--source", "[2001:db8::1]:5062")
    assert text.startswith("MESSAGE sip:1002@example.com from tcp [2001:db8::1]:5062\n")
    assert "refused with 403: not a user of a served domain" in text
    assert text.endswith("outcome: answered 403 Forbidden\n")
    (folder / "one.sip").write_text(request.replace("CSeq: 1 MESSAGE", "CSeq: x"))
    text = shown("one.sip", code=OK)
    assert "outcome: answered 400 " in text


@pytest.mark.conformance("RFC 7118 5")
@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_browser_is_explained_with_what_it_would_send(
    folder: Path, shown: Any, document: Any, transport: str
) -> None:
    (folder / "main.route").write_text('on request { relay("sip:1002@192.0.2.9") }\n')
    text = shown("--transport", transport, "--source", "192.0.2.1:40001", "--answer", "200")
    assert f"from {transport} 192.0.2.1:40001" in text
    (sent,) = document("--transport", transport, "--source", "192.0.2.1:40001")["forwarded"]
    lines = [line for line in sent["added"] if line.startswith("Record-Route: ")]
    assert len(lines) == 2
    assert lines[1].endswith(";transport=ws;lr>")


def test_a_browser_says_that_it_has_no_address() -> None:
    text = request_of(Asked(transport="wss", method="REGISTER"), "example.com").decode()
    assert "Via: SIP/2.0/WSS browser.invalid;branch=" in text
    assert "\r\nContact: <sip:1001@browser.invalid;transport=ws>\r\n" in text


def test_what_is_no_request_is_refused(folder: Path, shown: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "one.sip").write_text("hello\n")
    assert "the request can't be understood" in shown("one.sip", code=FAILURE)
    (folder / "one.sip").write_text("SIP/2.0 200 OK\nCall-ID: c\nCSeq: 1 X\n\n")
    assert main(["explain", "one.sip"]) == BAD_CONFIGURATION
    assert main(["explain", "two.sip"]) == BAD_CONFIGURATION
    assert "two.sip: can't be read: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--source", "phone"], '--source: "phone" is no address'),
        (["--source", "10.0.0.1:70000"], "is no address"),
        (["--header", "X-A 7"], '--header: "X-A 7" is no header'),
        (["--header", "X: 1\r\nVia: x"], "is no header"),
        (["--to", "<sip:x"], "--to: <sip:x: "),
        (["--uri", "sip:a b@c"], "sip:a b@c: "),
    ],
)
def test_mistakes_in_the_flags_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["explain", *words]) == BAD_CONFIGURATION
    assert said in capsys.readouterr().err


def test_mistakes_in_the_route_file_come_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "main.route").write_text("on request { replay(404) }\n")
    assert main(["explain"]) == BAD_CONFIGURATION
    assert "did you mean `reply`?" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["explain", "--answer", "180"])
    assert ended.value.code == USAGE


def test_a_fault_in_the_engine_below_is_answered_and_nothing_stays_behind(folder: Path, document: Any) -> None:
    """No hops left: the engine answers before any route is asked."""
    (folder / "one.sip").write_text(
        "INVITE sip:1002@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nFrom: <sip:x@y>;tag=1\n"
        "To: <sip:1002@example.com>\nCall-ID: c\nCSeq: 1 INVITE\nMax-Forwards: 0\nContent-Length: 0\n"
    )
    found = document("one.sip")
    assert found["outcome"] == "answered 483 Too Many Hops"
    assert lines_of(found) == []
    assert sys.gettrace() is None or "explain" not in repr(sys.gettrace())
