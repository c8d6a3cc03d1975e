"""What goes back when no branch answered with a 2xx (RFC 3261 section 16.7 steps 6 and 7)."""

from __future__ import annotations

import pytest

from modules.proxy.best_response import Final, collected
from tests.calls import ALICE, BOB, BOB_DESK, Call, relaying
from tests.wire import Node, request, response_to

INVITE = request("INVITE", "sip:bob@example.com", source=ALICE, branch="x")


def contacts(phone: Node) -> list[bytes]:
    """The Contact values of the last response a phone got."""
    return phone.responses()[-1].elements("contact")


@pytest.mark.conformance("RFC 3261 16.7")
@pytest.mark.row("C31")
def test_redirections_of_all_branches_are_collected() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 302, "Contact: <sip:bob@192.0.2.1>, <sip:bob@192.0.2.2>;q=0.5")
    call.respond(
        call.desk, 302, "Contact: <sip:bob@192.0.2.3>", "Contact: <sip:bob@192.0.2.1>, <sip:bob@192.0.2.2>;q=0.5"
    )
    assert call.statuses() == [302]
    assert contacts(call.alice) == [b"<sip:bob@192.0.2.1>", b"<sip:bob@192.0.2.2>;q=0.5", b"<sip:bob@192.0.2.3>"]


@pytest.mark.conformance("RFC 3261 16.7")
@pytest.mark.row("C31")
def test_nobody_we_were_redirected_to_is_called() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(
        call.bob, 302, f"Contact: <sip:bob@{BOB_DESK[0]}>", "Contact: <tel:+44>", "Contact: <sips:x@192.0.2.1>"
    )
    assert call.statuses() == [302]
    assert call.desk.received == []
    assert contacts(call.alice) == [f"<sip:bob@{BOB_DESK[0]}>".encode(), b"<tel:+44>", b"<sips:x@192.0.2.1>"]


@pytest.mark.parametrize("other", [305, 380, 404, 486])
def test_contacts_of_another_meaning_are_not_added(other: int) -> None:
    """The proxy that a 305 names is no place where the user can be reached."""
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 302, "Contact: <sip:bob@192.0.2.1>")
    call.respond(call.desk, other, "Contact: <sip:other@192.0.2.9>")
    assert contacts(call.alice) == [b"<sip:bob@192.0.2.1>"]


@pytest.mark.row("C31")
def test_what_is_collected_is_bounded() -> None:
    headers = [[f"Contact: <sip:{branch}@192.0.2.{number}>" for number in range(50)] for branch in ("a", "b")]
    first, second = (response_to(INVITE, 302, *lines) for lines in headers)
    both = collected(first, [Final(302, "", first), Final(302, "", second)])
    assert len(both.all("contact")) == 64
    assert len(first.all("contact")) == 50  # it is a copy that grows


@pytest.mark.conformance("RFC 3261 16.7")
@pytest.mark.parametrize("real", [404, 480, 486, 500, 603])
def test_a_response_that_came_is_better_than_a_time_out_of_ours(real: int) -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.desk, real)
    call.wire.run(40)
    assert len(call.bob.responses()) == 0
    assert call.statuses()[-1] == real


@pytest.mark.conformance("RFC 3261 16.7", "RFC 3261 16.10")
def test_a_6xx_waits_for_the_branches_it_cancels() -> None:
    """They may answer 200 all the same, and that is what the caller gets then."""
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.desk, 180, tag="d1")
    call.respond(call.bob, 603)
    assert len(call.desk.requests("CANCEL")) == 1
    call.respond(call.desk, 200, tag="d1")
    assert call.statuses() == [180, 200]
