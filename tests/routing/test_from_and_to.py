"""From, To and identity as a route changes them: what each side sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.runtime.editing import editable, set_status
from sipcore.errors import Malformed, RingwayError
from sipcore.message import Response
from tests.calls import ALICE, BOB, BOB_DESK, Call, busy
from tests.routed import routed
from tests.wire import request

Run = Callable[..., Any]
A = "<sip:alice@example.com>;tag=a1"


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ('from.display = "Sales"', b'"Sales" <sip:alice@Example.COM>;tag=a1'),
        ('from.display = "a \\"b\\\\"', b'"a \\"b\\\\" <sip:alice@Example.COM>;tag=a1'),
        ('from.display = ""', b"<sip:alice@Example.COM>;tag=a1"),
        ('from.user = "+442079460000"', b'"Alice A." <sip:+442079460000@example.com>;tag=a1'),
        ('from.domain = "example.org"', b'"Alice A." <sip:alice@example.org>;tag=a1'),
        ('from.uri = "sip:x@y"', b'"Alice A." <sip:x@y>;tag=a1'),
        ('from.uri.user = "x"', b'"Alice A." <sip:x@example.com>;tag=a1'),
        ('from.uri.parameter["user"] = "phone"', b'"Alice A." <sip:alice@example.com;user=phone>;tag=a1'),
    ],
)
def test_setting_from_keeps_the_tag_and_is_read_back(
    statement: str, line: bytes, run: Run, new_context: Any, recorder: Any
) -> None:
    context = new_context()
    run(f"on request {{ {statement} note_down(from.uri.text) drop() }}", context)
    assert context.request.get("from") == line
    assert recorder.calls == [("note_down", context.request.from_.uri_text)]
    assert context.transaction.request.get("from") == b'"Alice A." <sip:alice@Example.COM>;tag=a1'


def test_parameters_of_the_header_stay(run: Run, new_context: Any) -> None:
    data = b'INVITE sip:h SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@h>;x="1;2";y;tag=t\nTo: <sip:b@h>\n\n'
    context = new_context(data)
    run('on request { from.user = "c" to.user = "d" drop() }', context)
    assert context.request.get("from") == b'<sip:c@h>;x="1;2";y;tag=t'
    assert context.request.get("to") == b"<sip:d@h>"


@pytest.mark.parametrize("statement", ["from.display = request.uri.user", "from.domain = request.uri.user"])
def test_a_sender_cannot_smuggle_a_line_in(statement: str, run: Run, new_context: Any) -> None:
    context = new_context(b"INVITE sip:a%0d%0aX:%20y@h SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@h>;tag=1\n\n")
    with pytest.raises(Malformed):
        run(f"on request {{ {statement} drop() }}", context)


def test_what_was_received_stays_with_the_transaction(run: Run, new_context: Any) -> None:
    context = new_context()
    received = context.request.write()
    text = """on request {
        request.uri.user = "x"  request.header["X-A"] = "1"  remove(request.header["User-Agent"])
        from.user = "y"  request.identity = "sip:z@example.com"
        reply(404)
    }"""
    run(text, context)
    assert context.transaction.request.write() == received
    assert context.request is not context.transaction.request
    assert context.transaction.responses[0].get("from") == b'"Alice A." <sip:alice@Example.COM>;tag=a1'


def test_one_copy_serves_all_changes(new_context: Any) -> None:
    context = new_context()
    first = editable(context)
    assert editable(context) is first is context.request


def test_a_request_that_is_only_read_is_not_copied(run: Run, new_context: Any) -> None:
    context = new_context()
    run('on request { if request.uri.user == "bob" { log(from.display) } drop() }', context)
    assert context.request is context.transaction.request


# -- identity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ('"sip:+442079460000@example.com"', b"<sip:+442079460000@example.com>"),
        ('"Sales <sip:sales@example.com>"', b'"Sales" <sip:sales@example.com>'),
        ("from", b'"Alice A." <sip:alice@Example.COM>'),
        ("to.uri", b"<sip:bob@example.com>"),
        ('"tel:" + from.uri.user', b"<tel:123>"),
    ],
)
def test_an_identity_is_asserted(value: str, line: bytes, run: Run, new_context: Any, recorder: Any) -> None:
    context = new_context()
    context.request.append("p-preferred-identity", b"<sip:boss@example.com>")
    before = "" if "tel:" not in value else 'from.uri.user = "123"'
    run(f"on request {{ {before} request.identity = {value} note_down(request.identity.display) drop() }}", context)
    assert context.request.all("p-asserted-identity") == [line]
    assert "p-preferred-identity" not in context.request.names


def test_who_is_not_asserted_is_anonymous(run: Run, recorder: Any) -> None:
    run("on request { note_down(request.identity.uri.text, request.identity.user) drop() }")
    assert recorder.calls == [("note_down", "sip:anonymous@anonymous.invalid", "anonymous")]


def test_the_first_of_two_identities_counts(run: Run, new_context: Any, recorder: Any) -> None:
    context = new_context()
    context.request.append("p-asserted-identity", b'"A" <sip:a@h>, <tel:+44>')
    run("on request { note_down(request.identity.user) drop() }", context)
    assert recorder.calls == [("note_down", "a")]


# -- on the wire ------------------------------------------------------------------------------------------------------

REWRITE = """
on request {
    from.display = "Company"
    from.user = "+442079460000"
    to.user = "robert"
    ring(lookup(request.uri))
    reply(outcome)
}
"""


def test_the_caller_gets_back_what_it_wrote() -> None:
    call = Call(routed(REWRITE, BOB))
    call.dial()
    (sent,) = call.bob.requests("INVITE")
    assert sent.get("from") == b'"Company" <sip:+442079460000@example.com>;tag=a1'
    assert sent.get("to") == b"<sip:robert@example.com>"
    call.respond(call.bob, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3>")
    for status in (180, 200):
        (answer,) = call.alice.responses(status)
        assert answer.get("from") == A.encode()
        assert answer.get("to") == b"<sip:bob@example.com>;tag=b1"


@pytest.mark.parametrize("status", [404, 486, 503])
def test_a_refusal_carries_the_original_fields_too(status: int) -> None:
    call = Call(routed(REWRITE, BOB))
    call.bob.answer = busy(status)(call.bob)
    call.dial()
    answer = call.alice.responses()[-1]
    assert answer.get("from") == A.encode()
    assert (answer.get("to") or b"").startswith(b"<sip:bob@example.com>;tag=")


def test_an_edit_in_a_branch_stays_in_the_branch() -> None:
    text = """
    on request {
        for phone in lookup(request.uri) {
            ring(phone, edit: outbound)
        }
        reply(outcome)
    }
    branch outbound(branch) {
        branch.from.display = branch.uri.port + " " + branch.from.display
        branch.header["X-To"] = branch.uri.host
        branch.identity = "sip:sales@example.com"
        remove(branch.header["X-Secret"])
    }
    """
    call = Call(routed(text, BOB, BOB_DESK))
    call.bob.answer = busy(486)(call.bob)
    call.invite = request(
        "INVITE", "sip:bob@example.com", source=ALICE, branch="i1", from_=f'"A" {A}', headers=("X-Secret: 1",)
    )
    call.dial()
    call.respond(call.desk, 180)
    for phone, host in ((call.bob, b"10.0.0.3"), (call.desk, b"10.0.0.4")):
        (sent,) = phone.requests("INVITE")
        assert sent.get("from") == b'"5060 A" <sip:alice@example.com>;tag=a1'
        assert (sent.get("x-to"), sent.get("x-secret")) == (host, None)
        assert sent.get("p-asserted-identity") == b"<sip:sales@example.com>"
    assert call.alice.responses(180)[0].get("from") == f'"A" {A}'.encode()


def test_a_branch_function_may_choose_where_the_branch_goes() -> None:
    text = """
    on request { relay(edit: outbound) }
    branch outbound(branch) { branch.uri = "sip:carol@10.0.0.4:5060" }
    """
    call = Call(routed(text))
    call.dial()
    assert [one.uri_text for one in call.desk.requests("INVITE")] == ["sip:carol@10.0.0.4:5060"]


def test_a_rewritten_request_uri_is_no_loop_when_it_comes_back() -> None:
    text = """on request {
        if request.uri.user == "bob"  { request.uri.user = "robert"  relay("sip:robert@10.0.0.1") }
        if request.uri.user == "robert" { relay("sip:robert@10.0.0.3:5060") }
        reply(404)
    }"""
    call = Call(routed(text))
    call.dial()
    assert len(call.bob.requests("INVITE")) == 1


@pytest.mark.parametrize(
    ("status", "wanted", "reason"), [(180, 183, "Session Progress"), (486, 600, "Busy Everywhere"), (486, 486, "Mine")]
)
def test_set_status(status: int, wanted: int, reason: str) -> None:
    response = Response(status, "Mine", [], [])
    set_status(response, wanted)
    assert (response.status, response.reason) == (wanted, reason)


@pytest.mark.parametrize(("status", "wanted"), [(180, 100), (180, 200), (200, 201), (302, 180), (404, 200)])
def test_set_status_refuses_another_kind(status: int, wanted: int) -> None:
    with pytest.raises(RingwayError):
        set_status(Response(status, "", [], []), wanted)
