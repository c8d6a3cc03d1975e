"""The ladder: what happened, as people and programs read it."""

from __future__ import annotations

import json

from routing.program.rehearsal.ladder import Ladder, Noted, Ran, Sent, as_documents, title

INVITE = b"INVITE sip:bob@example.com SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"
OK = b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"
ROUTES = ["on request {", "    ring(lookup(request.uri))   ", "    reply(outcome)"]


def lines(ladder: Ladder) -> list[str]:
    return ladder.lines(lambda line: ROUTES[line - 1])


def test_messages_lines_and_notes() -> None:
    ladder = Ladder()
    ladder.sent(0.0, "alice", "ringway", INVITE)
    ladder.ran(0.0, 2)
    ladder.note(0.5, "log: hello")
    ladder.sent(1.25, "ringway", "voicemail", INVITE)
    ladder.sent(12345.6789, "voicemail", "ringway", OK)
    assert lines(ladder) == [
        "    0.000      alice -> ringway    INVITE sip:bob@example.com",
        "              2  ring(lookup(request.uri))",
        "             --  log: hello",
        "    1.250    ringway -> voicemail  INVITE sip:bob@example.com",
        "12345.679  voicemail -> ringway    200 OK",
    ]


def test_a_retransmission_is_told_as_one() -> None:
    ladder = Ladder()
    for time in (0.0, 0.5):
        ladder.sent(time, "ringway", "bob", INVITE)
    ladder.sent(0.6, "ringway", "carol", INVITE)
    assert [line.endswith("(again)") for line in lines(ladder)] == [False, True, False]


def test_a_line_with_several_statements_is_told_once() -> None:
    ladder = Ladder()
    for line in (2, 2, 3, 2):
        ladder.ran(0.0, line)
    assert ladder.rungs == [Ran(0.0, 2), Ran(0.0, 3), Ran(0.0, 2)]


def test_a_long_one_is_shortened_in_the_middle() -> None:
    ladder = Ladder([Noted(0.0, str(number)) for number in range(200)])
    shown = lines(ladder)
    assert len(shown) == 81
    assert shown[0].endswith("  0")
    assert shown[40] == "          ...  120 lines left out"
    assert shown[-1].endswith("  199")


def test_what_peers_send_can_not_write_to_a_terminal() -> None:
    ladder = Ladder()
    ladder.sent(0.0, "eve", "ringway", b"INVITE sip:\x1b[2Jx SIP/2.0\r\n\r\n")
    ladder.note(0.0, "log: \x1b]0;title\x07")
    assert all(line.isprintable() for line in lines(ladder))


def test_titles() -> None:
    assert title(INVITE) == "INVITE sip:bob@example.com"
    assert title(OK) == "200 OK"
    assert title(b"SIP/2.0 481 Gone\r\ncseq : 7 BYE\r\n\r\n") == "481 Gone (BYE)"
    assert title(b"SIP/2.0 200 OK\r\nCSeq: 7 BYE\r\n\r\n") == "200 OK (BYE)"
    assert title(b"SIP/2.0 400 Bad CSeq\r\n\r\n") == "400 Bad CSeq"
    assert len(title(b"INVITE sip:" + b"x" * 500 + b" SIP/2.0\r\n\r\n")) == 100


def test_for_programs() -> None:
    rungs = [Sent(0.0, "a", "b", "200 OK", True), Ran(0.5, 7), Noted(1.0, "x")]
    assert as_documents(rungs) == [
        {"kind": "message", "time": 0.0, "source": "a", "target": "b", "text": "200 OK", "again": True},
        {"kind": "line", "time": 0.5, "line": 7},
        {"kind": "note", "time": 1.0, "text": "x"},
    ]
    json.dumps(as_documents(rungs))
