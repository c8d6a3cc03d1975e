"""`request.sdp`, `branch.sdp`, `reply.sdp`: what routes read of a session description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.language.problem import Problem
from routing.runtime import Context
from sipcore.errors import Malformed
from tests.calls import Call
from tests.routed import routed
from tests.routing.conftest import INVITE
from tests.wire import request, response_to

Run = Callable[..., Any]
OFFER = """v=0
o=a 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 10.1.2.3
t=0 0
m=audio 4000 RTP/AVP 0 96
a=rtpmap:96 opus/48000/2
a=sendonly
m=video 4002 RTP/SAVP 97
c=IN IP4 media.example.com
a=rtpmap:97 H264/90000
"""
NOTHING = {"present": False, "codecs": (), "media": (), "direction": "", "address": "", "hold": False}


def with_sdp(text: str = OFFER, kind: str = "application/sdp") -> bytes:
    body = text.replace("\n", "\r\n").encode()
    head = INVITE.rpartition(b"Content-Length")[0].decode()
    return f"{head}Content-Type: {kind}\nContent-Length: {len(body)}\n\n".encode() + body


@pytest.fixture
def offered(new_context: Callable[..., Context]) -> Context:
    return new_context(with_sdp())


def read(run: Run, recorder: Any, context: Context, *paths: str) -> list[Any]:
    """What the paths give, in a route that reads them one after the other."""
    run(f"on request {{ note_down({', '.join(paths)}) drop() }}", context)
    return list(recorder.calls[-1][1:])


def test_the_session(run: Run, recorder: Any, offered: Context) -> None:
    paths = [f"request.sdp.{name}" for name in ("present", "codecs", "direction", "address", "hold")]
    found = read(run, recorder, offered, *paths)
    assert found == [True, ["pcmu", "opus", "h264"], "sendonly", "10.1.2.3", False]


def test_the_media(run: Run, recorder: Any, offered: Context) -> None:
    names = ("type", "codecs", "direction", "port", "protocol", "address", "hold")
    values = ", ".join(f"medium.{name}" for name in names)
    run(f"on request {{ for medium in request.sdp.media {{ note_down({values}) }} drop() }}", offered)
    assert [call[1:] for call in recorder.calls] == [
        ("audio", ["pcmu", "opus"], "sendonly", 4000, "RTP/AVP", "10.1.2.3", True),
        ("video", ["h264"], "sendrecv", 4002, "RTP/SAVP", "media.example.com", False),
    ]


def test_without_a_description_everything_is_empty(run: Run, recorder: Any, new_context: Any) -> None:
    found = read(run, recorder, new_context(), *(f"request.sdp.{name}" for name in NOTHING))
    assert found == list(NOTHING.values())


def holds(run: Run, context: Context, condition: str) -> bool:
    """Whether a condition is true for the request."""
    responses = run(f"on request {{ if {condition} {{ reply(200) }} reply(404) }}", context)[1]
    return responses[0].status == 200


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ('"PCMU" in request.sdp.codecs', True),
        ('"pcmu" in request.sdp.codecs', True),
        ('"G729" not in request.sdp.codecs', True),
        ("request.sdp.codecs.count == 3", True),
        ("request.sdp.media.count == 2 and not request.sdp.media.empty", True),
        ('request.sdp.direction == "sendonly"', True),
        ('request.sdp.direction in ["inactive", "recvonly"]', False),
        ('request.sdp.direction == ""', False),
        ("request.sdp.address in 10.0.0.0/8", True),
        ("request.sdp.address in [10.0.0.0/8, 192.168.0.0/16]", True),
        ('request.sdp.address == "10.1.2.3"', True),
        ('request.sdp.address == ""', False),
        ('request.sdp.address == "media.example.com"', False),
        ("user in request.sdp.codecs", False),
    ],
)
def test_conditions(condition: str, answer: bool, run: Run, offered: Context) -> None:
    assert holds(run, offered, condition) is answer


def test_codecs_are_compared_without_regard_to_case(run: Run, recorder: Any, offered: Context) -> None:
    text = """on request {
        let wanted = "OPUS"
        if wanted in request.sdp.codecs { note_down("in") }
        for codec in request.sdp.codecs {
            if codec == "Opus" { note_down("equal") }
            if wanted == codec { note_down("the other way round") }
            if codec in ["G729", "OpUs"] { note_down("listed") }
            match codec { "OPUS" => note_down("matched") "H264", "PCMU" => note_down("another") }
        }
        drop()
    }"""
    run(text, offered)
    assert [call[1] for call in recorder.calls] == [
        "in", "another", "equal", "the other way round", "listed", "matched", "another",
    ]  # fmt: skip


def test_an_address_that_is_a_name(run: Run, new_context: Any) -> None:
    context = new_context(with_sdp(OFFER.replace("10.1.2.3", "Media.Example.com")))
    assert holds(run, context, 'request.sdp.address == "media.example.com" and request.sdp.address != ""')
    assert not holds(run, new_context(), 'request.sdp.address != ""')


@pytest.mark.row("B35")
def test_one_that_can_not_be_understood_is_the_request_s_fault(run: Run, new_context: Any) -> None:
    wrong = with_sdp(OFFER.replace("m=audio 4000", "m=audio 99999"))
    assert holds(run, new_context(wrong), "request.sdp.present")
    for path in ("codecs", "media", "direction", "address", "hold"):
        with pytest.raises(Malformed):
            run(f"on request {{ note_down(request.sdp.{path}) drop() }}", new_context(wrong))


def test_nothing_is_parsed_unless_it_is_asked_for(run: Run, offered: Context, monkeypatch: Any) -> None:
    parsed: list[bytes] = []
    monkeypatch.setattr("sipcore.message.message.parse_sdp", lambda body: parsed.append(body) or pytest.fail("parsed"))
    assert holds(run, offered, "request.sdp.present")
    run("on request { log(request.uri, from.user) drop() }", offered)
    assert parsed == []


def test_a_description_among_parts(run: Run, recorder: Any, new_context: Any) -> None:
    text = f"--b\nContent-Type: application/sdp\n\n{OFFER}\n--b\nContent-Type: text/plain\n\nhello\n--b--\n"
    context = new_context(with_sdp(text, "multipart/mixed;boundary=b"))
    assert read(run, recorder, context, "request.sdp.codecs") == [["pcmu", "opus", "h264"]]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ('request.sdp.codecs = ["PCMU"]', "`request.sdp.codecs` can only be read"),
        ("let description = request.sdp", "`description` can't hold this: use it where it stands"),
        ("log(request.sdp.codec)", "a session description has no `codec`"),
        ('if request.sdp.direction == "sendony" { drop() }', '"sendony" is no direction'),
        ('if "sendony" == request.sdp.direction { drop() }', '"sendony" is no direction'),
        ("if request.sdp { drop() }", "a condition is true or false; this is a session description"),
        ("for medium in request.sdp.media { log(medium.kind) }", "a medium has no `kind`"),
    ],
)
def test_mistakes(statement: str, message: str, check: Callable[[str], list[Problem]]) -> None:
    assert [problem.message for problem in check(f"on request {{ {statement} drop() }}")] == [message]


# -- on the fake network ----------------------------------------------------------------------------------------------


def offering(call: Call, text: str = OFFER) -> None:
    body = text.replace("\n", "\r\n").encode()
    call.invite.set("content-type", b"application/sdp")
    call.invite.set("content-length", b"%d" % len(body))
    call.invite.body = body


def test_a_call_is_refused_for_its_codecs_and_the_malformed_one_alone() -> None:
    text = 'on request { if "G729" not in request.sdp.codecs { reply(488) } relay(lookup(request.uri)) }'
    for offer, status in ((OFFER, 488), (OFFER.replace("v=0", "v=1"), 400)):
        call = Call(routed(text, ("10.0.0.3", 5060)))
        offering(call, offer)
        call.dial()
        assert call.statuses() == [status]
    assert call.alice.responses(400)[0].reason == "SDP does not begin with v=0"
    call.alice.send(
        request("OPTIONS", "sip:bob@example.com", source=call.alice.address, branch="o1"), ("10.0.0.1", 5060)
    )
    call.wire.run(0.1)
    assert call.statuses("OPTIONS") == [488]


def test_a_branch_and_a_reply_can_read_it_too() -> None:
    text = """on request { ring(lookup(request.uri), edit: mark, replies: note)  reply(outcome) }
    branch mark(branch) { if "opus" in branch.sdp.codecs { branch.header["X-Opus"] = "yes" } }
    reply note(reply) { if reply.sdp.hold { reply.header["X-Direction"] = reply.sdp.direction } }"""
    call = Call(routed(text, ("10.0.0.3", 5060)))
    offering(call)
    call.dial()
    (invite,) = call.bob.requests("INVITE")
    assert invite.get("x-opus") == b"yes"
    answer = response_to(invite, 200, "Contact: <sip:bob@10.0.0.3>", tag="b1")
    answer.set("content-type", b"application/sdp")
    answer.body = OFFER.partition("m=video")[0].replace("\n", "\r\n").encode()
    answer.set("content-length", b"%d" % len(answer.body))
    call.bob.send(answer, ("10.0.0.1", 5060))
    call.wire.run(0.1)
    assert call.alice.responses(200)[0].get("x-direction") == b"sendonly"


def test_a_reply_that_can_not_be_understood_goes_on_as_it_came(caplog: pytest.LogCaptureFixture) -> None:
    text = """on request { ring(lookup(request.uri), replies: note)  reply(outcome) }
    reply note(reply) { if reply.sdp.hold { reply.reason = "Held" } }"""
    call = Call(routed(text, ("10.0.0.3", 5060)))
    call.dial()
    answer = response_to(call.bob.requests("INVITE")[0], 183, "Content-Type: application/sdp", tag="b1")
    answer.body = b"v=1\r\n"
    answer.set("content-length", b"5")
    call.bob.send(answer, ("10.0.0.1", 5060))
    call.wire.run(0.1)
    assert [response.status for response in call.alice.responses()][-1] == 183
    assert "SDP does not begin with v=0" in caplog.text
