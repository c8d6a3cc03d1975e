"""Calls through the proxy on the fake network: forking, response choice, CANCEL, dialogs (RFC 3261 section 16)."""

from __future__ import annotations

import pytest

from routing.runtime import Context, Destination
from sipcore.flow import Flow, Target
from sipcore.message import Response
from sipcore.uri import parse_uri
from tests.calls import ALICE, BOB, BOB_DESK, US, Call, busy, destinations, relaying, route_set
from tests.serving import HOST, Route, Server
from tests.wire import Node, request, response_to


@pytest.mark.conformance("RFC 3261 16.4", "RFC 3261 16.6", "RFC 3261 16.7")
def test_a_call_is_set_up_and_ended_through_the_record_route() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    assert call.statuses() == [180, 200]
    answer = call.alice.responses(200)[0]
    assert len(answer.all("via")) == 1
    routes = route_set(answer)
    assert len(routes) == 1 and ";lr>" in routes[0]

    to = (answer.get("to") or b"").decode()
    ack = request("ACK", "sip:bob@10.0.0.3:5060", source=ALICE, branch="a1", to=to, headers=routes)
    call.alice.send(ack, US)
    bye = request("BYE", "sip:bob@10.0.0.3:5060", source=ALICE, branch="b1", to=to, cseq=2, headers=routes)
    call.alice.send(bye, US)
    call.wire.run(0.1)
    (got_ack,), (got_bye,) = call.bob.requests("ACK"), call.bob.requests("BYE")
    assert not got_ack.all("route") and not got_bye.all("route")
    assert got_bye.get("max-forwards") == b"69"
    call.bob.send(response_to(got_bye, 200), US)
    call.wire.run(0.1)
    assert call.statuses("BYE") == [200]
    call.wire.run(64 * 0.5 + 1)
    assert call.server.nothing_left()


@pytest.mark.conformance("RFC 3261 16.4", "RFC 3261 16.6")
def test_the_callee_can_end_the_call_too() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    invite = call.bob.requests("INVITE")[0]
    routes = tuple(f"Route: {value.decode()}" for value in invite.elements("record-route"))
    bye = request(
        "BYE", "sip:alice@10.0.0.2", source=BOB, branch="bb", cseq=1, headers=routes,
        from_="<sip:bob@example.com>;tag=b1", to="<sip:alice@example.com>;tag=a1",
    )  # fmt: skip
    call.bob.send(bye, US)
    call.wire.run(0.1)
    assert [message.uri_text for message in call.alice.requests("BYE")] == ["sip:alice@10.0.0.2"]


@pytest.mark.conformance("RFC 3261 16.6")
def test_the_forwarded_invite_keeps_untouched_headers_byte_for_byte() -> None:
    call = Call(relaying(BOB))
    odd = b"X-odd :   ;;,,;;,;"
    call.invite.names.append("x-odd")
    call.invite.lines.append(odd)
    call.dial()
    assert odd in call.bob.requests("INVITE")[0].lines


@pytest.mark.row("C17", "C21", "D23")
def test_a_route_token_of_another_call_leads_nowhere() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    routes = route_set(call.alice.responses(200)[0])
    stolen = request(
        "INVITE", "sip:premium@10.0.0.4", source=ALICE, branch="x", call_id="other", to="<sip:x@y>;tag=1",
        headers=routes,
    )  # fmt: skip
    call.alice.send(stolen, US)
    call.wire.run(0.1)
    assert call.desk.received == []
    assert call.alice.responses()[-1].status == 481


@pytest.mark.row("C09")
@pytest.mark.conformance("RFC 3261 16.11")
def test_an_ack_without_our_token_is_dropped() -> None:
    call = Call(relaying(BOB))
    ack = request("ACK", "sip:bob@10.0.0.3", source=ALICE, branch="q", to="<sip:bob@example.com>;tag=zz")
    call.alice.send(ack, US)
    call.wire.run(1)
    assert call.bob.received == [] and call.alice.received == []


@pytest.mark.conformance("RFC 3261 17.2.1")
def test_trying_is_sent_only_when_nothing_else_came_within_200_ms() -> None:
    call = Call(relaying(BOB))
    call.dial(0.19)
    assert call.statuses() == []
    call.wire.run(0.1)
    assert call.statuses() == [100]
    quick = Call(relaying(BOB))
    quick.dial(0.05)
    quick.respond(quick.bob, 180, seconds=1.0)
    assert quick.statuses() == [180]


@pytest.mark.row("C01")
@pytest.mark.conformance("RFC 3261 17.2.1")
def test_a_repeated_invite_is_absorbed_and_not_forwarded_again() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.dial()
    assert len(call.bob.requests("INVITE")) == 1
    assert call.statuses() == [180, 180]


@pytest.mark.conformance("RFC 3261 16.7", "RFC 3261 16.10", "RFC 3326 2")
def test_all_bindings_ring_and_the_losers_are_cancelled() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 180, tag="b1")
    call.respond(call.desk, 180, tag="d1")
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4>", tag="d1")
    assert call.statuses() == [180, 180, 200]
    (cancel,) = call.bob.requests("CANCEL")
    assert cancel.via.branch == call.bob.requests("INVITE")[0].via.branch
    assert b"completed elsewhere" in (cancel.get("reason") or b"")
    call.respond(call.bob, 487)
    assert len(call.bob.requests("ACK")) == 1
    assert call.statuses() == [180, 180, 200]


@pytest.mark.conformance("RFC 3261 9.1", "RFC 3261 16.10")
def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.cancel()
    assert call.statuses("CANCEL") == [200]
    assert call.bob.requests("CANCEL") == []
    call.respond(call.bob, 180)
    assert len(call.bob.requests("CANCEL")) == 1
    call.respond(call.bob, 487)
    assert call.statuses()[-1] == 487


@pytest.mark.row("C24")
@pytest.mark.conformance("RFC 3261 9.2")
def test_a_cancel_that_crosses_the_answer_changes_nothing() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180, seconds=0.0)
    call.cancel()
    call.respond(call.bob, 200)
    assert call.statuses()[-1] == 200


@pytest.mark.row("C10")
@pytest.mark.conformance("RFC 3261 9.2", "RFC 3261 16.10")
def test_a_cancel_without_an_invite_is_481() -> None:
    call = Call(relaying(BOB))
    call.cancel()
    assert call.statuses("CANCEL") == [481]


@pytest.mark.row("C10")
def test_a_cancel_from_another_address_is_refused() -> None:
    call = Call(relaying(BOB))
    call.dial()
    forged = request("CANCEL", "sip:bob@example.com", source=ALICE, branch="i1")
    call.desk.send(forged, US)
    call.wire.run(0.1)
    call.respond(call.bob, 180)
    assert call.bob.requests("CANCEL") == []
    call.cancel()  # by the caller, who is not kept from it
    assert len(call.bob.requests("CANCEL")) == 1
    assert call.statuses("CANCEL") == [200]


@pytest.mark.conformance("RFC 3261 16.7")
@pytest.mark.parametrize(
    ("answers", "best"),
    [
        ((486, 404), 404),
        ((500, 486), 486),
        ((302, 404), 302),
        ((603, 302), 603),
        ((480, 401), 401),
        ((503, 486), 486),
        ((503, 503), 500),
        ((408, 500), 408),
    ],
)
def test_the_best_response_goes_back(answers: tuple[int, int], best: int) -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.bob.answer = busy(answers[0])(call.bob)
    call.desk.answer = busy(answers[1])(call.desk)
    call.dial()
    assert call.statuses() == [best]
    call.acknowledge_failure()
    call.wire.run(40)
    assert call.server.nothing_left()


@pytest.mark.conformance("RFC 3261 16.7")
def test_challenges_of_all_branches_are_collected() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 407, 'Proxy-Authenticate: Digest realm="a", nonce="1"')
    call.respond(call.desk, 401, 'WWW-Authenticate: Digest realm="b", nonce="2"')
    final = call.alice.responses()[-1]
    assert final.status == 401
    assert final.get("proxy-authenticate") == b'Digest realm="a", nonce="1"'
    assert final.get("www-authenticate") == b'Digest realm="b", nonce="2"'


@pytest.mark.row("C24")
@pytest.mark.conformance("RFC 3261 16.7")
def test_a_6xx_cancels_the_others_and_wins() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.desk, 180)
    call.respond(call.bob, 603)
    assert call.statuses() == [180]
    assert len(call.desk.requests("CANCEL")) == 1
    call.respond(call.desk, 487)
    assert call.statuses()[-1] == 603


@pytest.mark.row("C24")
@pytest.mark.conformance("RFC 3261 16.7", "RFC 6026 7.2")
def test_2xx_from_several_branches_all_go_back() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 200, tag="b1", seconds=0.0)
    call.respond(call.desk, 200, tag="d1")
    assert [response.to.tag for response in call.alice.responses(200)] == ["b1", "d1"]


@pytest.mark.conformance("RFC 6026 7.1", "RFC 6026 7.2")
def test_a_repeated_2xx_goes_back_again() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200)
    call.respond(call.bob, 200)
    assert call.statuses() == [200, 200]


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 16.9")
def test_an_unreachable_target_fails_at_once() -> None:
    call = Call(relaying(BOB))
    call.wire.refusing.add(BOB)
    call.dial()
    assert call.statuses() == [500]


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3263 4.3")
def test_the_next_target_is_tried_when_one_refuses() -> None:
    call = Call(relaying())
    call.server.locator.names["example.com"] = (Target("udp", *BOB), Target("udp", *BOB_DESK))
    call.wire.refusing.add(BOB)
    call.dial()
    assert len(call.desk.requests("INVITE")) == 1


@pytest.mark.row("C22")
@pytest.mark.conformance("RFC 3261 16.7", "RFC 3263 4.3")
def test_a_503_moves_on_to_the_next_target() -> None:
    call = Call(relaying())
    call.server.locator.names["example.com"] = (Target("udp", *BOB), Target("udp", *BOB_DESK))
    call.bob.answer = busy(503)(call.bob)
    call.dial()
    call.respond(call.desk, 486)
    assert call.statuses() == [486]


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 16.7", "RFC 3261 17.1.1.2")
def test_silence_ends_in_408() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.wire.run(33)
    assert call.statuses()[:2] == [100, 408]
    # The INVITE was sent at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s (timer A).
    assert len(call.bob.requests("INVITE")) == 7


@pytest.mark.row("C23")
@pytest.mark.conformance("RFC 4320 4.1", "RFC 4320 4.2")
def test_a_non_invite_without_an_answer_gets_no_408() -> None:
    call = Call(relaying(BOB))
    call.alice.send(request("MESSAGE", "sip:bob@example.com", source=ALICE, branch="m"), US)
    call.wire.run(70)
    assert call.statuses("MESSAGE") == [100]
    assert call.server.nothing_left()


@pytest.mark.row("C26")
@pytest.mark.conformance("RFC 3261 16.6", "RFC 3261 16.8")
def test_timer_c_ends_a_call_that_rings_for_ever() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(170)
    call.respond(call.bob, 180)
    call.wire.run(100)
    assert call.bob.requests("CANCEL") == []  # 101-199 let timer C begin anew
    call.wire.run(82)
    call.respond(call.bob, 487)
    assert len(call.bob.requests("CANCEL")) >= 1
    assert call.statuses()[-1] == 487


@pytest.mark.row("B13", "C12")
@pytest.mark.conformance("RFC 3261 16.3", "RFC 3261 16.6")
def test_max_forwards_is_counted_and_zero_is_483() -> None:
    call = Call(relaying(BOB))
    call.invite.set("max-forwards", b"0")
    call.dial()
    assert call.statuses() == [483]
    other = Call(relaying(BOB))
    other.invite.remove("max-forwards")
    other.dial()
    assert other.bob.requests("INVITE")[0].get("max-forwards") == b"70"


@pytest.mark.conformance("RFC 5393 5.3.3")
def test_breadth_is_shared_out_among_the_branches() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    assert call.bob.requests("INVITE")[0].all("max-breadth") == [b"30"]
    narrow = Call(relaying(BOB, BOB_DESK))
    narrow.invite.append("max-breadth", b"3")
    narrow.dial()
    shares = [phone.requests("INVITE")[0].all("max-breadth") for phone in (narrow.bob, narrow.desk)]
    assert shares == [[b"2"], [b"1"]]


@pytest.mark.row("C14")
@pytest.mark.conformance("RFC 5393 5.3.3")
def test_too_little_breadth_is_440() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.invite.append("max-breadth", b"1")
    call.dial()
    assert call.statuses() == [440] and call.bob.received == []


@pytest.mark.conformance("RFC 5393 5.3.3")
@pytest.mark.parametrize("value", [b"0", b"-1", b"many", b"1, 2"])
def test_a_malformed_max_breadth_is_400(value: bytes) -> None:
    call = Call(relaying(BOB))
    call.invite.append("max-breadth", value)
    call.dial()
    assert call.statuses() == [400]


@pytest.mark.row("C14")
@pytest.mark.conformance("RFC 5393 3", "RFC 5393 4.2", "RFC 5393 5.3.3")
def test_fork_amplification_is_bounded() -> None:
    """Two addresses of record that each lead to both of us (RFC 5393 section 3): seven deep without bounds is 2**7."""

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            user = context.request.uri.user
            await server.proxy.relay(context, [Destination(parse_uri(f"sip:{user}{n}@{HOST}")) for n in "ab"])
            return True

        return route

    call = Call(make)
    call.dial(5.0)
    invites = [data for _, source, _, data in call.wire.carried if source == US and data.startswith(b"INVITE")]
    assert len(invites) <= 2 * 60
    assert call.statuses()[-1] == 440


@pytest.mark.row("C15")
@pytest.mark.conformance("RFC 3261 16.3", "RFC 3261 20.29")
def test_unknown_proxy_require_is_420() -> None:
    call = Call(relaying(BOB))
    call.invite.append("proxy-require", b"nothingSupportsThis, nor-this")
    call.dial()
    response = call.alice.responses(420)[0]
    assert response.get("unsupported") == b"nothingSupportsThis, nor-this"


@pytest.mark.row("C13")
@pytest.mark.conformance("RFC 3261 16.3", "RFC 5393 4.2")
def test_a_loop_is_482_and_a_spiral_goes_through() -> None:
    call = Call(relaying(US))
    call.dial(1.0)
    # Our own address as the binding: Request-URI sip:bob@10.0.0.1:5060 comes back once (a spiral), then loops.
    assert call.statuses()[-1] == 482


@pytest.mark.row("A23")
@pytest.mark.conformance("RFC 3261 18.1.1")
def test_a_large_request_goes_by_tcp_and_falls_back_to_udp_when_refused() -> None:
    call = Call(relaying(BOB))
    call.invite.body = b"x" * 1300
    call.invite.set("content-length", b"1300")
    call.dial()
    assert call.bob.requests("INVITE")[0].via.transport == "TCP"
    refused = Call(relaying(BOB))
    refused.invite.body = b"x" * 1300
    refused.invite.set("content-length", b"1300")
    refuse_tcp(refused)
    refused.dial()
    assert refused.bob.requests("INVITE")[0].via.transport == "UDP"


def refuse_tcp(call: Call) -> None:
    """Let every TCP connect of the server fail."""
    carry = call.wire.carry

    def refusing(source: Node, flow: Flow, data: bytes) -> None:
        if flow.transport == "tcp":
            call.wire._later(0.001, lambda: call.wire._lose(source, flow))
        else:
            carry(source, flow, data)

    call.wire.carry = refusing  # type: ignore[method-assign]


@pytest.mark.row("C06")
@pytest.mark.conformance("RFC 3261 16.7")
def test_a_response_with_our_via_alone_is_not_forwarded() -> None:
    call = Call(relaying(BOB))
    call.dial()
    answer = response_to(call.bob.requests("INVITE")[0], 180)
    answer.pop_via()
    own = call.bob.requests("INVITE")[0].all("via")[0]
    answer.remove("via")
    answer.prepend("via", own)
    call.bob.send(answer, US)
    call.wire.run(0.05)
    assert call.statuses() == []


@pytest.mark.row("C05")
@pytest.mark.conformance("RFC 6026 7.3")
def test_stray_responses_are_dropped() -> None:
    call = Call(relaying(BOB))
    stray = Response(200, "OK", [], [])
    for name, line in zip(call.invite.names, call.invite.lines, strict=True):
        stray.names.append(name)
        stray.lines.append(line)
    call.bob.send(stray, US)
    call.wire.run(1)
    assert call.alice.received == []
    assert call.server.stack.transactions.counters.stray_responses == 1


@pytest.mark.row("E08")
def test_a_route_that_raises_answers_500_and_the_next_call_works() -> None:
    calls: list[int] = []

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError
            await server.proxy.relay(context, destinations(BOB))
            return True

        return route

    call = Call(make)
    call.dial()
    assert call.statuses() == [500]
    call.invite = request("INVITE", "sip:bob@example.com", source=ALICE, branch="i2", call_id="2")
    call.dial()
    assert len(call.bob.requests("INVITE")) == 1
