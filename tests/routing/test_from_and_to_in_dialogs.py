"""From and To inside a dialog: each side goes on seeing what it saw in the beginning (RFC 3261 section 12.2)."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from sipcore.flow import Target
from sipcore.message import Request, Response
from tests.calls import ALICE, BOB, BOB_DESK, US, Call, Dialog, answer_last, callee_side, caller_side, established
from tests.routed import routed
from tests.serving import Server
from tests.wire import Node, request, response_to

CONTACT = "Contact: <sip:bob@10.0.0.3:5060>"
IN_ROUTE = """
on request {
    from.display = "Company"
    from.uri = "sip:+442079460000@example.com"
    to.user = "robert"
    ring(lookup(request.uri))
    reply(outcome)
}
"""
IN_BRANCH = """
on request { ring(lookup(request.uri), edit: outbound)  reply(outcome) }
branch outbound(branch) {
    branch.from.display = "Company"
    branch.from.uri = "sip:+442079460000@example.com"
    branch.to.user = "robert"
}
"""
ONE_HALF_EACH = """
on request { to.user = "robert"  ring(lookup(request.uri), edit: outbound)  reply(outcome) }
branch outbound(branch) { branch.from.display = "Company"  branch.from.uri = "sip:+442079460000@example.com" }
"""
WAYS = pytest.mark.parametrize(
    "text",
    [IN_ROUTE, IN_BRANCH, ONE_HALF_EACH],
    ids=["in the route", "in a branch function", "in both"],
)
A = b"<sip:alice@example.com>;tag=a1"
B = b"<sip:bob@example.com>;tag=b1"
COMPANY = b'"Company" <sip:+442079460000@example.com>;tag=a1'
ROBERT = b"<sip:robert@example.com>;tag=b1"


def shown(message: Request | Response) -> tuple[bytes | None, bytes | None]:
    return message.get("from"), message.get("to")


def exchange(asking: Dialog, answering: Node, method: str, status: int = 200) -> tuple[Request, Response]:
    """A request inside the dialog as it arrives, and its answer as it comes back."""
    asking.send(method, "Contact: <sip:x@10.0.0.9>") if method in ("INVITE", "UPDATE") else asking.send(method)
    got = answering.requests(method)[-1]
    assert "route" not in got.names
    answering.send(response_to(got, status, CONTACT), US)
    asking.phone.wire.run(0.1)
    return got, asking.phone.responses()[-1]


def restart(call: Call, text: str) -> None:
    """Another server with the same secret, at the same address, knows nothing of the calls before."""

    async def later(context: Any) -> object:
        return await call.route(context)

    call.server = Server(call.wire, later)
    call.route = routed(text, BOB)(call.server)


@WAYS
@pytest.mark.conformance("RFC 3261 12.2.1.1")
@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "INFO", "BYE"])
@pytest.mark.parametrize("again", [False, True], ids=["", "after a restart"])
def test_each_side_sees_what_it_saw(text: str, method: str, again: bool) -> None:
    call = Call(routed(text, BOB))
    alice, bob = established(call)
    assert shown(call.bob.requests("INVITE")[0]) == (COMPANY, ROBERT.partition(b";")[0])
    assert shown(call.alice.responses(200)[0]) == (A, B)
    assert shown(call.bob.requests("ACK")[0]) == (COMPANY, ROBERT)
    if again:
        restart(call, text)
    got, answer = exchange(alice, call.bob, method)
    assert (shown(got), shown(answer)) == ((COMPANY, ROBERT), (A, B))
    if method == "INVITE":
        alice.send("ACK", number=alice.number)
        assert shown(call.bob.requests("ACK")[-1]) == (COMPANY, ROBERT)
    got, answer = exchange(bob, call.alice, method)
    assert (shown(got), shown(answer)) == ((B, A), (ROBERT, COMPANY))
    if method == "INVITE":
        bob.send("ACK", number=bob.number)
        assert shown(call.alice.requests("ACK")[-1]) == (B, A)
    call.wire.run(40)
    assert call.server.nothing_left()


@pytest.mark.parametrize("status", [180, 404, 491])
def test_every_answer_inside_the_dialog_carries_what_the_asker_wrote(status: int) -> None:
    call = Call(routed(IN_ROUTE, BOB))
    _, bob = established(call)
    bob.send("INVITE", "Contact: <sip:bob@10.0.0.3>")
    got = call.alice.requests("INVITE")[-1]
    call.alice.send(response_to(got, status), US)
    call.wire.run(0.1)
    assert shown(call.bob.responses()[-1]) == (ROBERT, COMPANY)


def test_a_provisional_response_is_acknowledged_in_the_early_dialog() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    call.dial()
    call.respond(call.bob, 180, CONTACT, "Require: 100rel", "RSeq: 1")
    alice = caller_side(call, call.alice.responses(180)[0])
    got, answer = exchange(alice, call.bob, "PRACK")
    assert (shown(got), shown(answer)) == ((COMPANY, ROBERT), (A, B))


def test_what_belongs_to_the_invite_alone_shows_what_the_callee_knows() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    call.respond(call.bob, 487)
    for method, to in (("CANCEL", ROBERT.partition(b";")[0]), ("ACK", ROBERT)):
        assert shown(call.bob.requests(method)[0]) == (COMPANY, to)


def test_the_answer_that_is_repeated_is_restored_too() -> None:
    """The callee repeats its 2xx until the ACK comes; the server transaction has let go of its request by then."""
    call = Call(routed(IN_ROUTE, BOB))
    call.dial()
    for _ in range(3):
        call.respond(call.bob, 200, CONTACT)
    assert [shown(answer) for answer in call.alice.responses(200)] == [(A, B)] * 3


def test_only_what_the_route_has_changed_is_fixed() -> None:
    """A new identity inside the dialog (RFC 4916) passes in the field that nobody has touched, and in no other."""
    call = Call(routed('on request { from.uri = "sip:anonymous@anonymous.invalid"  relay(lookup(request.uri)) }', BOB))
    alice, bob = established(call)
    bob.local = "<sip:secretary@example.com>;tag=b1"
    got, _ = exchange(bob, call.alice, "UPDATE")
    assert shown(got) == (b"<sip:secretary@example.com>;tag=b1", A)
    alice.local = '"Alice herself" <sip:alice@example.com>;tag=a1'
    got, answer = exchange(alice, call.bob, "UPDATE")
    assert shown(got) == (b"<sip:anonymous@anonymous.invalid>;tag=a1", B)
    assert shown(answer) == (alice.local.encode(), B)


def test_however_a_phone_writes_its_fields_the_other_sees_what_it_knows() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    _, bob = established(call)
    bob.local, bob.remote = "sip:robert@EXAMPLE.com;tag=b1", '"C" <sip:+442079460000@example.com:5060>;x=1;tag=a1'
    got, answer = exchange(bob, call.alice, "INFO")
    assert shown(got) == (B, A)
    assert shown(answer) == (bob.local.encode(), bob.remote.encode())


def test_display_parameters_and_bytes_come_back_as_they_were() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    written = '"Älice \\"A\\"" <sip:alice@example.com;transport=udp>;x="1;2"'
    call.invite = request(
        "INVITE", "sip:bob@example.com", source=ALICE, branch="i1", from_=f"{written};tag=a1",
        headers=("Contact: <sip:alice@10.0.0.2>",),
    )  # fmt: skip
    _, bob = established(call)
    got, _ = exchange(bob, call.alice, "BYE")
    assert got.get("to") == f"{written};tag=a1".encode()


def test_a_field_that_was_only_written_anew_comes_back_as_it_was() -> None:
    call = Call(routed("on request { from.display = from.display  relay(lookup(request.uri)) }", BOB))
    written = "sip:alice@example.com;tag=a1"
    call.invite = request("INVITE", "sip:bob@example.com", source=ALICE, branch="i1", from_=written)
    call.dial()
    (sent,) = call.bob.requests("INVITE")
    assert sent.get("from") == A
    call.respond(call.bob, 200, CONTACT)
    assert call.alice.responses(200)[0].get("from") == written.encode()


def test_a_field_whose_parameters_were_only_put_in_order_needs_no_token() -> None:
    call = Call(routed("on request { from.display = from.display  relay(lookup(request.uri)) }", BOB))
    written = "<sip:alice@example.com>  ;tag=a1"
    call.invite = request("INVITE", "sip:bob@example.com", source=ALICE, branch="i1", from_=written)
    call.dial()
    (sent,) = call.bob.requests("INVITE")
    assert sent.get("from") == A
    assert [value.count(b"-") for value in sent.elements("record-route")] == [1]
    call.respond(call.bob, 200, CONTACT)
    assert call.alice.responses(200)[0].get("from") == written.encode()


def test_a_target_that_must_be_looked_up_makes_no_difference() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    alice, _ = established(call)
    call.server.locator.slow.add("phone.example.com")
    alice.target = "sip:bob@phone.example.com"
    alice.send("INFO")
    alice.send("ACK", number=1)
    for _ in range(2):
        call.server.answer((Target("udp", *BOB),))
    call.wire.run(0.1)
    (got,) = call.bob.requests("INFO")
    assert shown(got) == shown(call.bob.requests("ACK")[-1]) == (COMPANY, ROBERT)
    answer_last(call.bob, "INFO", 200)
    assert shown(call.alice.responses()[-1]) == (A, B)


# -- forks ------------------------------------------------------------------------------------------------------------

PER_PHONE = """
on request { ring(lookup(request.uri), edit: outbound)  reply(outcome) }
branch outbound(branch) {
    branch.from.display = "for " + branch.uri.domain
    if branch.uri.domain == "10.0.0.4" { branch.to.user = "desk" }
}
"""


def test_two_phones_of_a_fork_go_on_with_what_each_was_shown() -> None:
    call = Call(routed(PER_PHONE, BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 200, CONTACT)
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4:5060>", tag="d1")
    first, second = call.alice.responses(200)
    for answer, phone, tag, to in ((first, call.bob, b"b1", b"bob"), (second, call.desk, b"d1", b"desk")):
        assert shown(answer) == (A, b"<sip:bob@example.com>;tag=" + tag)
        alice, callee = caller_side(call, answer), callee_side(call, phone, tag.decode())
        host = phone.address[0].encode()
        alice.number = tag[0]  # no two requests of Alice have the same branch
        theirs = (b'"for %b" <sip:alice@example.com>;tag=a1' % host, b"<sip:%b@example.com>;tag=%b" % (to, tag))
        got, back = exchange(alice, phone, "INFO")
        assert (shown(got), shown(back)) == (theirs, shown(answer))
        got, back = exchange(callee, call.alice, "BYE")
        assert (shown(got), shown(back)) == (shown(answer)[::-1], theirs[::-1])


def test_a_phone_that_was_shown_the_truth_has_a_short_token() -> None:
    text = """
    on request { ring(lookup(request.uri), edit: outbound)  reply(outcome) }
    branch outbound(branch) { if branch.uri.domain == "10.0.0.4" { branch.from.display = "Company" } }
    """
    call = Call(routed(text, BOB, BOB_DESK))
    call.dial()
    plain, changed = (phone.requests("INVITE")[0].elements("record-route") for phone in (call.bob, call.desk))
    assert [value.count(b"-") for value in plain] == [1]
    assert [value.count(b"-") for value in changed] == [2]


def test_a_redirection_that_is_followed_keeps_its_two_sides() -> None:
    text = """
    on request { ring(lookup(request.uri), redirects: 1, edit: outbound)  reply(outcome) }
    branch outbound(branch) { if branch.uri.domain == "10.0.0.4" { branch.from.display = "Company" } }
    """
    call = Call(routed(text, BOB))
    call.dial()
    call.respond(call.bob, 302, "Contact: <sip:bob@10.0.0.4:5060>")
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4:5060>", tag="d1")
    (answer,) = call.alice.responses(200)
    assert shown(answer) == (A, b"<sip:bob@example.com>;tag=d1")
    got, _ = exchange(callee_side(call, call.desk, "d1"), call.alice, "BYE")
    assert shown(got) == (b"<sip:bob@example.com>;tag=d1", A)


# -- the ways that requests take --------------------------------------------------------------------------------------

OVER_TCP = IN_ROUTE.replace("lookup(request.uri)", '"sip:bob@10.0.0.3;transport=tcp"')


def test_two_record_routes_bear_it_once() -> None:
    call = Call(routed(OVER_TCP))
    call.dial()
    values = call.bob.requests("INVITE")[0].elements("record-route")
    assert [value.count(b"-") for value in values] == [1, 2]
    call.respond(call.bob, 200, CONTACT)
    alice, bob = caller_side(call, call.alice.responses(200)[0]), callee_side(call, call.bob)
    got, answer = exchange(alice, call.bob, "INFO")
    assert (shown(got), shown(answer)) == ((COMPANY, ROBERT), (A, B))
    got, answer = exchange(bob, call.alice, "BYE")
    assert (shown(got), shown(answer)) == ((B, A), (ROBERT, COMPANY))


def strict(routes: tuple[str, ...], target: str) -> tuple[str, tuple[str, ...]]:
    """What a strict router before us makes of a request: our first Route is the Request-URI, the target comes last."""
    first, *others = (route.removeprefix("Route: ").strip("<>") for route in routes)
    return first, tuple(f"Route: <{one}>" for one in (*others, target))


@pytest.mark.conformance("RFC 3261 16.12.1.2")
@pytest.mark.parametrize("text", [IN_ROUTE, OVER_TCP], ids=["one value", "two values"])
def test_a_strict_router_before_us_brings_it_in_the_request_uri(text: str) -> None:
    call = Call(routed(text, BOB))
    alice, bob = established(call)
    for side, phone, seen in ((alice, call.bob, (COMPANY, ROBERT)), (bob, call.alice, (B, A))):
        side.target, side.routes = strict(side.routes, side.target)
        got, _ = exchange(side, phone, "INFO")
        assert shown(got) == seen


def test_a_strict_router_behind_us_gets_what_the_callee_knows() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    alice, _ = established(call)
    alice.routes = (*alice.routes, "Route: <sip:10.0.0.4:5060>")
    alice.send("BYE")
    (got,) = call.desk.requests("BYE")
    assert (got.uri_text, shown(got)) == ("sip:10.0.0.4:5060", (COMPANY, ROBERT))


SPIRAL = """
on request {
    if request.uri.user == "bob"    { from.display = "Company"  to.user = "middle"  relay("sip:again@10.0.0.1") }
    if request.uri.user == "again"  { from.uri = "sip:+442079460000@example.com"  to.user = "robert"
                                      relay("sip:bob@10.0.0.3:5060") }
    reply(404)
}
"""


def test_a_call_that_has_passed_us_twice_is_changed_back_twice() -> None:
    call = Call(routed(SPIRAL))
    alice, bob = established(call)
    assert len(alice.routes) == 2
    got, answer = exchange(alice, call.bob, "INFO")
    assert (shown(got), shown(answer)) == ((COMPANY, ROBERT), (A, B))
    got, answer = exchange(bob, call.alice, "BYE")
    assert (shown(got), shown(answer)) == ((B, A), (ROBERT, COMPANY))


def test_a_subscription_is_a_dialog_like_any_other() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    call.invite = request(
        "SUBSCRIBE", "sip:bob@example.com", source=ALICE, branch="s1",
        headers=("Contact: <sip:alice@10.0.0.2>", "Event: presence"),
    )  # fmt: skip
    call.dial()
    answer_last(call.bob, "SUBSCRIBE", 200, CONTACT)
    asked, (answer,) = call.bob.requests("SUBSCRIBE")[0], call.alice.responses(200)
    routes = tuple(f"Route: {value.decode()}" for value in asked.elements("record-route"))
    bob = Dialog(call.bob, ROBERT.decode(), COMPANY.decode(), "sip:alice@10.0.0.2", routes, "call-1")
    got, _ = exchange(bob, call.alice, "NOTIFY")
    assert (shown(answer), shown(got)) == ((A, B), (B, A))


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_the_callee_can_not_read_who_called() -> None:
    text = 'on request { from.uri = "sip:anonymous@anonymous.invalid"  from.display = ""  relay(lookup(request.uri)) }'
    seen = []
    for caller in ("alice", "malice", "a" * 5):
        call = Call(routed(text, BOB))
        from_ = f"<sip:{caller}@example.com>;tag=a1"
        call.invite = request("INVITE", "sip:bob@example.com", source=ALICE, branch="i1", from_=from_)
        call.dial()
        (invite,) = call.bob.requests("INVITE")
        (value,) = invite.elements("record-route")
        assert caller.encode() not in invite.write()
        seen.append(value.partition(b"@")[0].rpartition(b"-")[2])
    for one, other in pairwise(seen):
        assert one[:8] != other[:8]  # nothing of it is the same, though the texts nearly are


def test_calls_whose_fields_stay_have_the_short_token_and_no_way_back() -> None:
    call = Call(routed("on request { relay(lookup(request.uri)) }", BOB))
    call.dial()
    (value,) = call.bob.requests("INVITE")[0].elements("record-route")
    assert value.count(b"-") == 1
    (transaction,) = call.server.stack.transactions.servers.values()
    assert transaction.user.returning is None  # type: ignore[union-attr]


def token_of(side: Dialog) -> str:
    return side.routes[0].partition("sip:")[2].partition("@")[0]


def change(make: Callable[[str], str]) -> Callable[[Dialog], None]:
    def changed(side: Dialog) -> None:
        token = token_of(side)
        side.routes = (side.routes[0].replace(token, make(token)),)

    return changed


def another_call(side: Dialog) -> None:
    side.call_id = "call-2"


def other_tags(side: Dialog) -> None:
    side.local, side.remote = side.local.replace("tag=a1", "tag=a2"), side.remote.replace("tag=b1", "tag=b2")


@pytest.mark.row("C21")
@pytest.mark.parametrize("method", ["BYE", "ACK"])
@pytest.mark.parametrize(
    "spoil",
    [
        change(lambda token: token[:-1]),
        change(lambda token: token[: len(token) // 2]),
        change(lambda token: token.replace("w0-", "w1-")),
        change(lambda token: token.replace("w0--", "w0-1f-")),
        change(lambda token: token[:-4] + token[-4:].swapcase() + "A"),
        change(lambda token: token.rpartition("-")[0] + "-"),
        another_call,
        other_tags,
    ],
    ids=["cut", "half", "another owner", "a flow", "changed", "empty", "another call", "other tags"],
)
def test_a_token_that_was_made_up_leads_nowhere(spoil: Callable[[Dialog], None], method: str) -> None:
    call = Call(routed(IN_ROUTE, BOB))
    alice, _ = established(call)
    before = len(call.bob.received)
    spoil(alice)
    alice.send(method)
    assert len(call.bob.received) == before
    assert call.statuses("BYE") == ([481] if method == "BYE" else [])


def test_a_name_that_is_too_long_to_be_carried_is_refused() -> None:
    call = Call(routed(IN_ROUTE, BOB))
    name = "".join(random.Random(1).choices(string.ascii_letters, k=2_000))
    call.invite = request(
        "INVITE", "sip:bob@example.com", source=ALICE, branch="i1", from_=f'"{name}" <sip:alice@example.com>;tag=a1'
    )
    call.dial()
    assert call.statuses() == [513]
    assert call.bob.received == []
