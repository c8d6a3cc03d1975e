"""The race conditions of RFC 5407, each with our proxy between Alice and Bob: both ends see what the RFC says."""

from __future__ import annotations

import pytest

from tests.calls import BOB, Call, answer_last, callee_side, caller_side, established, relaying
from tests.wire import response_to


def statuses(call: Call, method: str) -> list[int]:
    """What Alice was told about her requests of a method."""
    return call.statuses(method)


def told_bob(call: Call, method: str) -> list[int]:
    """What Bob was told about his requests of a method."""
    return [response.status for response in call.bob.responses() if response.cseq.method == method]


@pytest.mark.row("C01")
@pytest.mark.conformance("RFC 5407 3.1.1")
def test_3_1_1_an_invite_retransmission_after_the_200_is_not_forwarded() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    call.dial()
    assert len(call.bob.requests("INVITE")) == 1


@pytest.mark.row("C24")
@pytest.mark.conformance("RFC 5407 3.1.2")
def test_3_1_2_a_cancel_that_meets_the_200_is_answered_and_ends_nothing() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    call.cancel()
    assert statuses(call, "CANCEL") == [200]
    assert call.bob.requests("CANCEL") == []
    alice = caller_side(call, call.alice.responses(200)[0])
    alice.send("ACK")
    alice.send("BYE")
    answer_last(call.bob, "BYE", 200)
    assert statuses(call, "BYE") == [200]


@pytest.mark.conformance("RFC 5407 3.1.3")
def test_3_1_3_an_early_bye_crosses_the_200() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180, "Contact: <sip:bob@10.0.0.3:5060>")
    early = caller_side(call, call.alice.responses(180)[0])
    early.send("BYE", seconds=0.0)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    early.send("ACK", number=1)
    answer_last(call.bob, "BYE", 200)
    assert call.statuses() == [180, 200] and statuses(call, "BYE") == [200]
    assert len(call.bob.requests("ACK")) == 1


@pytest.mark.conformance("RFC 5407 3.1.4")
def test_3_1_4_a_re_invite_that_overtakes_the_ack_reaches_bob_all_the_same() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    alice = caller_side(call, call.alice.responses(200)[0])
    alice.send("INVITE", "Contact: <sip:alice@10.0.0.2>")
    assert len(call.bob.requests("INVITE")) == 2 and call.bob.requests("ACK") == []
    answer_last(call.bob, "INVITE", 491)
    alice.send("ACK", number=1)
    assert call.statuses() == [200, 491]
    acknowledged = [request.cseq.number for request in call.bob.requests("ACK")]
    assert sorted(acknowledged) == [1, 2]  # 491 is acknowledged by us, the 200 by Alice


@pytest.mark.conformance("RFC 5407 3.1.5")
def test_3_1_5_a_re_invite_crosses_the_200_that_was_not_acknowledged() -> None:
    """The offer is in the 200 and the answer in the ACK, which was lost."""
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>", seconds=0.5)
    alice = caller_side(call, call.alice.responses(200)[0])
    alice.send("INVITE", "Contact: <sip:alice@10.0.0.2>", seconds=0.0)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")  # F5, the 200 once more
    answer_last(call.bob, "INVITE", 491)
    alice.send("ACK", number=1)
    assert call.statuses() == [200, 200, 491]
    assert sorted(request.cseq.number for request in call.bob.requests("ACK")) == [1, 2]


@pytest.mark.conformance("RFC 5407 3.1.6")
def test_3_1_6_bob_s_bye_in_the_moratorium_state() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    alice, bob = caller_side(call, call.alice.responses(200)[0]), callee_side(call, call.bob)
    bob.send("BYE", seconds=0.0)
    alice.send("ACK")
    assert len(call.bob.requests("ACK")) == 1
    answer_last(call.alice, "BYE", 200)
    assert told_bob(call, "BYE") == [200]


@pytest.mark.conformance("RFC 5407 3.2.1")
def test_3_2_1_byes_that_cross_are_both_answered() -> None:
    call = Call(relaying(BOB))
    alice, bob = established(call)
    alice.send("BYE", seconds=0.0)
    bob.send("BYE")
    answer_last(call.alice, "BYE", 200)
    answer_last(call.bob, "BYE", 200)
    assert statuses(call, "BYE") == [200] and told_bob(call, "BYE") == [200]


@pytest.mark.conformance("RFC 5407 3.2.2")
def test_3_2_2_a_re_invite_that_crosses_a_bye_is_481() -> None:
    call = Call(relaying(BOB))
    alice, bob = established(call)
    bob.send("BYE", seconds=0.0)
    alice.send("INVITE", "Contact: <sip:alice@10.0.0.2>")
    answer_last(call.alice, "BYE", 200)
    answer_last(call.bob, "INVITE", 481)
    assert call.statuses()[-1] == 481 and told_bob(call, "BYE") == [200]


@pytest.mark.conformance("RFC 5407 3.2.3")
def test_3_2_3_a_200_to_a_re_invite_crosses_a_bye() -> None:
    call = Call(relaying(BOB))
    alice, _ = established(call)
    alice.send("INVITE", "Contact: <sip:alice@10.0.0.2>")
    reinvite = call.bob.requests("INVITE")[-1]
    alice.send("BYE", seconds=0.0)
    call.bob.send(response_to(reinvite, 200, "Contact: <sip:bob@10.0.0.3:5060>"), ("10.0.0.1", 5060))
    call.wire.run(0.1)
    alice.send("ACK", number=2)
    answer_last(call.bob, "BYE", 200)
    assert call.statuses()[-1] == 200 and statuses(call, "BYE") == [200]
    assert call.bob.requests("ACK")[-1].cseq.number == 2


@pytest.mark.conformance("RFC 5407 3.2.4")
def test_3_2_4_an_ack_after_the_bye_still_arrives() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    alice, bob = caller_side(call, call.alice.responses(200)[0]), callee_side(call, call.bob)
    bob.send("BYE")
    answer_last(call.alice, "BYE", 200)
    alice.send("ACK")
    assert len(call.bob.requests("ACK")) == 1


@pytest.mark.conformance("RFC 5407 3.3.1")
def test_3_3_1_re_invites_that_cross_both_reach_the_other_side() -> None:
    call = Call(relaying(BOB))
    alice, bob = established(call)
    alice.send("INVITE", "Contact: <sip:alice@10.0.0.2>", seconds=0.0)
    bob.send("INVITE", "Contact: <sip:bob@10.0.0.3:5060>")
    answer_last(call.alice, "INVITE", 491)
    answer_last(call.bob, "INVITE", 491)
    assert call.statuses()[-1] == 491 and told_bob(call, "INVITE") == [491]
    assert len(call.alice.requests("ACK")) == 1  # each 491 is acknowledged hop by hop


@pytest.mark.conformance("RFC 5407 3.3.2")
def test_3_3_2_an_update_crosses_a_re_invite() -> None:
    call = Call(relaying(BOB))
    alice, bob = established(call)
    alice.send("INVITE", "Contact: <sip:alice@10.0.0.2>", seconds=0.0)
    bob.send("UPDATE", "Contact: <sip:bob@10.0.0.3:5060>")
    answer_last(call.alice, "UPDATE", 491)
    answer_last(call.bob, "INVITE", 491)
    assert call.statuses()[-1] == 491 and told_bob(call, "UPDATE") == [491]


@pytest.mark.conformance("RFC 5407 3.3.3")
def test_3_3_3_a_refer_in_the_mortal_state_is_481() -> None:
    call = Call(relaying(BOB))
    alice, bob = established(call)
    bob.send("BYE", seconds=0.0)
    alice.send("REFER", "Refer-To: <sip:carol@example.com>")
    answer_last(call.alice, "BYE", 200)
    answer_last(call.bob, "REFER", 481)
    assert statuses(call, "REFER") == [481]
