"""Phones of a story, message by message: dialogs, challenges, CANCEL, and what a phone does by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.program.rehearsal.dialog import contact_of, tag_of
from routing.program.rehearsal.ladder import Sent
from routing.program.rehearsal.phone import Phone
from routing.program.rehearsal.stage import Stage
from sipcore.message import Request, Response, parse
from tests.rehearsing import stage_after

CAST = "given users alice, bob\n"


def requests(stage: Stage, name: str, method: str = "") -> list[Request]:
    found = [one.message for one in stage.phones[name].inbox]
    return [message for message in found if isinstance(message, Request) and method in ("", message.method)]


def responses(stage: Stage, name: str, status: int = 0) -> list[Response]:
    found = [one.message for one in stage.phones[name].inbox]
    return [message for message in found if isinstance(message, Response) and status in (0, message.status)]


def text(message: Request | Response, name: str) -> str:
    return (message.get(name) or b"").decode()


def titles(stage: Stage) -> list[str]:
    return [f"{one.source} {one.text}" for one in stage.ladder.rungs if isinstance(one, Sent)]


# -- calls ------------------------------------------------------------------------------------------------------------


def test_an_invite_is_a_whole_one(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob")
    (invite,) = requests(stage, "bob", "INVITE")
    assert text(invite, "from") == "<sip:alice@example.com>;tag=alice-1"
    assert text(invite, "to") == "<sip:bob@example.com>"
    assert text(invite, "call-id") == "alice-1@198.51.100.11"
    assert text(invite, "cseq") == "1 INVITE"
    assert text(invite, "contact") == "<sip:alice@198.51.100.11:5060>"
    assert text(invite, "content-type") == "application/sdp"
    assert invite.body.startswith(b"v=0\r\no=alice 1 1 IN IP4 198.51.100.11\r\n")
    assert b"branch=z9hG4bK-alice-2;" in invite.all("via")[1] and b"rport=5060" in invite.all("via")[1]


def test_an_answer_makes_a_dialog_on_both_sides(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob\nexpect alice and bob talk")
    (answer,) = responses(stage, "alice", 200)
    assert answer.to.tag == "bob-1"
    assert text(answer, "contact") == "<sip:bob@198.51.100.12:5060>"
    alice, bob = (stage.phones[name].dialogs for name in ("alice", "bob"))
    assert len(alice) == len(bob) == 1
    assert (alice[0].local, alice[0].remote) == (bob[0].remote, bob[0].local)
    assert alice[0].target == "sip:bob@198.51.100.12:5060"
    assert bob[0].target == "sip:alice@198.51.100.11:5060"
    assert alice[0].routes == bob[0].routes != ()
    assert alice[0].talks and bob[0].talks


def test_requests_in_a_dialog_count_on(tmp_path: Path) -> None:
    lines = "alice calls bob\nalice sends INFO\nalice sends INVITE\nbob sends INFO\nbob sends UPDATE\nalice hangs up"
    stage = stage_after(tmp_path, CAST + lines)
    assert [text(one, "cseq") for one in requests(stage, "bob")] == [
        "1 INVITE", "1 ACK", "2 INFO", "3 INVITE", "3 ACK", "4 BYE",
    ]  # fmt: skip
    assert [text(one, "cseq") for one in requests(stage, "alice")] == ["1 INFO", "2 UPDATE"]
    for one in (*requests(stage, "bob")[1:], *requests(stage, "alice")):
        assert one.get("route") is None  # the server has taken its own off
    assert {one.uri_text for one in requests(stage, "bob")} == {"sip:bob@198.51.100.12:5060"}
    assert [dialog.ended for name in ("alice", "bob") for dialog in stage.phones[name].dialogs] == [True, True]


def test_routes_of_two_transports_are_kept_in_their_order(tmp_path: Path) -> None:
    stage = stage_after(
        tmp_path,
        "given users alice\ngiven user bob at desk by tcp\nalice calls bob\nalice hangs up\nexpect desk got BYE",
    )
    (dialog,) = stage.phones["alice"].dialogs
    assert len(dialog.routes) == 2
    assert ";transport=tcp" not in dialog.routes[0]
    assert ";transport=tcp" in dialog.routes[1]
    assert stage.phones["desk"].dialogs[0].routes == dialog.routes[::-1]


def test_each_phone_that_answers_has_a_dialog(tmp_path: Path) -> None:
    """Two 2xx of a fork are two calls (RFC 3261 section 13.2.2.4); both are acknowledged."""
    stage = stage_after(
        tmp_path, "given users alice\ngiven user bob at desk, mobile\nalice calls bob\nexpect desk and mobile got ACK"
    )
    assert [tag_of(dialog.remote) for dialog in stage.phones["alice"].dialogs] == ["desk-1", "mobile-1"]


def test_a_refusal_is_acknowledged_hop_by_hop(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "bob is busy\nalice calls bob\nexpect alice got 486")
    assert titles(stage)[-1] == "alice ACK sip:bob@example.com"
    (ack,) = requests(stage, "bob", "ACK")
    assert ack.to.tag == "bob-1"
    assert stage.phones["alice"].dialogs == []


def test_a_phone_that_was_hung_up_on_answers_481(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob\nalice hangs up")
    bob = stage.phones["bob"]
    before = len(titles(stage))
    bye = requests(stage, "bob", "BYE")[0].write()
    bob.take(bye.replace(b"branch=z9hG4bK", b"branch=z9hG4bKother", 1), None)
    assert titles(stage)[before:] == ["bob 481 Call/Transaction Does Not Exist (BYE)"]


def test_a_retransmission_gets_the_same_answer_and_is_not_received_twice(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "bob rings\nalice calls bob")
    bob = stage.phones["bob"]
    (invite,) = requests(stage, "bob", "INVITE")
    before = len(titles(stage))
    bob.take(invite.write(), None)
    assert titles(stage)[before:] == ["bob 180 Ringing"]
    assert len(requests(stage, "bob", "INVITE")) == 1


def test_a_silent_phone_answers_no_retransmission(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "bob stays silent\nalice calls bob\nwait 4s")
    assert "bob " not in " ".join(title for title in titles(stage) if title.startswith("bob"))
    assert len(requests(stage, "bob", "INVITE")) == 1
    assert [title for title in titles(stage) if title.startswith("ringway INVITE")] != []


# -- CANCEL -----------------------------------------------------------------------------------------------------------


def test_a_cancel_belongs_to_its_invite(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "bob rings\nalice calls bob\nalice cancels\nexpect alice got 487")
    sent = [title for title in titles(stage) if title.startswith("alice")]
    assert sent == [
        "alice INVITE sip:bob@example.com",
        "alice CANCEL sip:bob@example.com",
        "alice ACK sip:bob@example.com",
    ]
    (cancel,) = requests(stage, "bob", "CANCEL")
    (invite,) = requests(stage, "bob", "INVITE")
    assert cancel.via.branch == invite.via.branch
    assert text(cancel, "cseq") == "1 CANCEL"
    assert responses(stage, "alice", 200) == []  # the 200 to the CANCEL is no news


def test_a_phone_that_rings_stops_when_it_is_cancelled(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "bob rings 5s then answers\nalice calls bob\nafter 2s alice cancels\nwait 10s")
    assert stage.phones["bob"].dialogs == []
    assert responses(stage, "alice", 200) == []


def test_a_cancel_of_nothing_is_refused(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob")
    bob = stage.phones["bob"]
    lines = (
        "CANCEL sip:bob@198.51.100.12 SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKx", "From: <a:b>;tag=1",
        "To: <sip:bob@example.com>", "Call-ID: none", "CSeq: 1 CANCEL", "Max-Forwards: 70",
    )  # fmt: skip
    cancel = parse(("\r\n".join(lines) + "\r\n\r\n").encode())
    bob.take(cancel.write(), None)
    assert titles(stage)[-1] == "bob 481 Call/Transaction Does Not Exist (CANCEL)"


# -- challenges -------------------------------------------------------------------------------------------------------

GUARDED = """\
on request {
    if request.method == "REGISTER" { authenticate(as: to)  save() }
    authenticate(as: from)
    ring(lookup(request.uri))
    reply(outcome)
}
"""


def test_a_challenge_is_answered_in_the_same_call(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob", GUARDED)
    (invite,) = requests(stage, "bob", "INVITE")
    assert text(invite, "cseq") == "2 INVITE"
    assert text(invite, "call-id") == "alice-1@198.51.100.11"
    assert invite.from_.tag == "alice-1"
    assert stage.phones["alice"].dialogs[0].number == 2


def test_requests_behind_a_challenge_count_on_from_it(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice registers\nalice registers\nexpect alice got 200 twice", GUARDED)
    numbers = [text(one, "cseq") for one in responses(stage, "alice")]
    assert numbers == ["1 REGISTER", "2 REGISTER", "3 REGISTER", "4 REGISTER"]
    assert len({text(one, "call-id") for one in responses(stage, "alice")}) == 1


def test_one_who_has_no_password_goes_away(tmp_path: Path) -> None:
    lines = 'given users alice, bob\ngiven peer eve\neve calls bob as "sip:alice@example.com"\nexpect eve got 407'
    stage = stage_after(tmp_path, lines, GUARDED)
    assert [title for title in titles(stage) if title.startswith("eve")] == [
        "eve INVITE sip:bob@example.com", "eve ACK sip:bob@example.com",
    ]  # fmt: skip


def test_a_refused_password_is_not_tried_again(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + 'alice calls bob with password "guess"', GUARDED)
    assert len([title for title in titles(stage) if title == "alice INVITE sip:bob@example.com"]) == 2


def test_a_request_inside_a_call_may_be_challenged_too(tmp_path: Path) -> None:
    routes = GUARDED.replace("authenticate(as: from)", 'if request.method == "INFO" { authenticate(as: from) }')
    lines = 'given unknown_dialogs "route"\n' + CAST + "alice sends INFO to bob\nexpect alice got 407, 200"
    stage = stage_after(tmp_path, lines, routes)
    assert [text(one, "cseq") for one in requests(stage, "bob")] == ["2 INFO"]


# -- how it is sent ---------------------------------------------------------------------------------------------------


def test_a_connection_is_made_once_and_again_when_it_is_lost(tmp_path: Path) -> None:
    lines = (
        "given user alice by tcp\ngiven users bob\nalice calls bob\nalice calls bob\nalice loses its connection\n"
        "alice calls bob\nexpect bob got INVITE"
    )
    stage = stage_after(tmp_path, lines)
    ports = [one.all("via")[1].partition(b"rport=")[2][:5] for one in requests(stage, "bob", "INVITE")]
    assert ports == [b"50000", b"50000", b"50001"]


def test_nobody_hears_what_comes_to_a_phone_that_is_down(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob\nbob is down\nalice sends INFO\nexpect alice got 400..599")
    assert requests(stage, "bob", "INFO") == []


def test_a_route_that_is_none_leads_to_the_server(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob\nexpect alice and bob talk")
    alice = stage.phones["alice"]
    alice.dialogs[0].routes = ("<sip:not a uri>",)
    before = len(titles(stage))
    alice.calling.send_in(alice.dialogs[0], "INFO")
    assert titles(stage)[before:] == ["alice INFO sip:bob@198.51.100.12:5060"]


def test_without_a_route_a_phone_speaks_to_the_other_one_itself(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "alice calls bob\nexpect alice and bob talk")
    alice, bob = stage.phones["alice"], stage.phones["bob"]
    alice.dialogs[0].routes = ()
    before = len(titles(stage))
    alice.calling.send_in(alice.dialogs[0], "BYE")
    stage.network.settle()
    assert titles(stage)[before:] == ["alice BYE sip:bob@198.51.100.12:5060", "bob 200 OK (BYE)"]
    assert bob.dialogs[0].ended
    assert [one.message.status for one in alice.inbox if isinstance(one.message, Response)][-1] == 200


def test_what_is_no_message_is_thrown_away(tmp_path: Path) -> None:
    stage = stage_after(tmp_path, CAST + "expect nobody talks")
    bob: Phone = stage.phones["bob"]
    bob.take(b"hello\r\n\r\n", None)
    assert bob.inbox == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Contact: <sip:bob@192.0.2.7>;expires=3", "sip:bob@192.0.2.7"),
        ("Contact: sip:bob@192.0.2.7", "sip:bob@192.0.2.7"),
        ("Contact: <broken", "sip:a@b"),
        ("X-Contact: none", "sip:a@b"),
    ],
)
def test_the_contact_of_a_message(line: str, found: str) -> None:
    message = parse(
        f"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\n"
        f"Call-ID: 1\r\nCSeq: 1 INVITE\r\n{line}\r\n\r\n".encode()
    )
    assert contact_of(message) == found
