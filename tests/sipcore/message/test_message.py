"""The message model: raw fields in order, typed values on demand, what is set is read back."""

from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.message import Request, Response, parse
from sipcore.uri import parse_uri

INVITE = b"""\
INVITE sip:bob@example.com SIP/2.0\r
v: SIP/2.0/TCP proxy.example.com;branch=z9hG4bKp, SIP/2.0/UDP  192.0.2.1 ;branch=z9hG4bKc\r
VIA: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKd\r
Record-Route: <sip:proxy.example.com;lr>\r
f: "Alice" <sip:alice@example.com>;tag=1\r
To:<sip:bob@example.com>\r
i: call-1\r
CSeq:  7   INVITE\r
X-Odd-Case :  kept as it is \r
Timestamp: 54\r
Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>\r
Contact: <sip:c@192.0.2.1>\r
Content-Length: 4\r
\r
body"""


@pytest.fixture
def request_() -> Request:
    message = parse(INVITE)
    assert isinstance(message, Request)
    return message


@pytest.mark.conformance("RFC 3261 7.3.1", "RFC 3261 16.6")
def test_an_untouched_message_leaves_byte_for_byte_as_it_came(request_: Request) -> None:
    assert request_.write() == INVITE
    assert request_.copy().write() == INVITE


def test_raw_access_by_long_lower_case_name(request_: Request) -> None:
    assert request_.get("call-id") == b"call-1"
    assert request_.get("x-odd-case") == b"kept as it is"
    assert request_.get("subject") is None
    assert request_.all("contact") == [b"<sip:a@192.0.2.1>, <sip:b@192.0.2.1>", b"<sip:c@192.0.2.1>"]
    assert request_.elements("contact") == [b"<sip:a@192.0.2.1>", b"<sip:b@192.0.2.1>", b"<sip:c@192.0.2.1>"]
    assert request_.all("subject") == request_.elements("subject") == []


def test_typed_values(request_: Request) -> None:
    assert request_.uri.text == parse_uri("sip:bob@example.com").text
    assert (request_.via.transport, request_.via.host, request_.via.branch) == ("TCP", "proxy.example.com", "z9hG4bKp")
    assert request_.cseq == (7, "INVITE")
    assert (request_.from_.display, request_.from_.tag, request_.from_.uri.user) == ("Alice", "1", "alice")
    assert (request_.to.uri_text, request_.to.tag) == ("sip:bob@example.com", "")
    assert request_.call_id == b"call-1"


@pytest.mark.parametrize("name", ["via", "cseq", "from", "to", "call-id"])
def test_a_missing_header_is_malformed_when_it_is_read(request_: Request, name: str) -> None:
    request_.remove(name)
    with pytest.raises(Malformed):
        getattr(request_, {"from": "from_", "call-id": "call_id"}.get(name, name))


def test_set_replaces_every_line_in_the_place_of_the_first_and_is_read_back(request_: Request) -> None:
    before = request_.names.index("contact")
    request_.set("contact", b"<sip:d@192.0.2.1>")
    assert request_.lines[before] == b"Contact: <sip:d@192.0.2.1>"
    assert request_.all("contact") == [b"<sip:d@192.0.2.1>"]
    request_.set("x-new-header", b"1")
    assert request_.lines[-1] == b"X-New-Header: 1"


def test_set_of_many_lines_leaves_the_others_alone() -> None:
    request = Request("OPTIONS", "sip:a", ["x", "a", "x", "b", "x"], [b"X: 1", b"A: 1", b"X: 2", b"B: 1", b"X: 3"])
    request.set("x", b"new")
    assert (request.names, request.lines) == (["x", "a", "b"], [b"X: new", b"A: 1", b"B: 1"])


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("via", b"SIP/2.0/UDP h;branch=z9hG4bKn", lambda message: message.via.branch == "z9hG4bKn"),
        ("cseq", b"8 INVITE", lambda message: message.cseq.number == 8),
        ("from", b"<sip:c@h>;tag=2", lambda message: message.from_.tag == "2"),
        ("to", b"<sip:d@h>;tag=3", lambda message: message.to.tag == "3"),
    ],
)
@pytest.mark.parametrize("how", ["set", "prepend"])
def test_a_typed_value_follows_what_is_set(request_: Request, name: str, value: bytes, read: object, how: str) -> None:
    for attribute in ("via", "cseq", "from_", "to"):
        getattr(request_, attribute)
    getattr(request_, how)(name, value)
    assert read(request_)  # type: ignore[operator]


def test_append_and_remove_a_typed_header(request_: Request) -> None:
    assert request_.to.uri.user == "bob"
    assert request_.remove("to") == 1
    request_.append("to", b"<sip:carol@h>")
    assert (request_.to.uri.user, request_.lines[-1]) == ("carol", b"To: <sip:carol@h>")


@pytest.mark.row("B09", "B11")
@pytest.mark.conformance("RFC 3261 7.3.1", "RFC 3261 7.3.3")
def test_remove_takes_every_spelling(request_: Request) -> None:
    assert request_.remove("via") == 2
    assert request_.remove("via") == 0
    assert b"via" not in request_.write().lower()


def test_prepend_stands_in_front_of_its_kind_or_of_all(request_: Request) -> None:
    request_.prepend("contact", b"<sip:first@h>")
    assert request_.elements("contact")[0] == b"<sip:first@h>"
    assert request_.names[request_.names.index("contact") - 1] == "timestamp"
    request_.prepend("route", b"<sip:r;lr>")
    assert request_.names[0] == "route"


@pytest.mark.row("A20")
@pytest.mark.parametrize("how", ["set", "append", "prepend"])
@pytest.mark.parametrize("value", [b"a\r\nRoute: <sip:evil>", b"a\nb", b"a\rb"])
def test_no_value_can_end_its_line(request_: Request, how: str, value: bytes) -> None:
    with pytest.raises(ValueError, match="line end"):
        getattr(request_, how)("x-account", value)
    assert request_.write() == INVITE


def test_a_copy_shares_nothing_that_can_be_changed(request_: Request) -> None:
    request_.uri, request_.via, request_.to  # noqa: B018
    branch = request_.copy()
    branch.uri = parse_uri("sip:desk@192.0.2.7")
    branch.push_via(b"Via: SIP/2.0/UDP us;branch=z9hG4bKus")
    branch.set("to", b"<sip:x@h>")
    branch.body = b"other"
    assert request_.write() == INVITE
    assert (request_.uri.user, request_.via.host, request_.to.uri.user) == ("bob", "proxy.example.com", "bob")
    assert branch.write().startswith(
        b"INVITE sip:desk@192.0.2.7 SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKus\r\nv: "
    )


def test_pop_via_undoes_push_via(request_: Request) -> None:
    request_.push_via(b"Via: SIP/2.0/UDP us;branch=z9hG4bKus")
    assert request_.via.branch == "z9hG4bKus"
    request_.pop_via()
    assert request_.write() == INVITE
    assert request_.via.branch == "z9hG4bKp"


@pytest.mark.conformance("RFC 3261 16.7", "RFC 3261 18.1.2")
def test_pop_via_takes_one_value_out_of_a_list_and_keeps_the_rest_as_it_came(request_: Request) -> None:
    request_.pop_via()
    assert request_.lines[0] == b"v: SIP/2.0/UDP  192.0.2.1 ;branch=z9hG4bKc"
    request_.pop_via()
    assert request_.lines[0] == b"VIA: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKd"
    request_.pop_via()
    assert "via" not in request_.names


def test_pop_via_leaves_no_empty_line_behind() -> None:
    request = Request("OPTIONS", "sip:a", ["via", "to"], [b"Via: SIP/2.0/UDP h , ", b"To: <sip:a>"])
    request.pop_via()
    assert (request.names, request.lines) == (["to"], [b"To: <sip:a>"])


def test_push_via_on_a_message_without_any() -> None:
    request = Request("OPTIONS", "sip:a", ["to"], [b"To: <sip:a>"])
    request.push_via(b"Via: SIP/2.0/UDP us;branch=z9hG4bKus")
    assert request.names == ["via", "to"]


@pytest.mark.conformance("RFC 3261 18.3", "RFC 3261 20.14")
def test_writing_adds_the_content_length_a_stream_needs() -> None:
    request = Request("OPTIONS", "sip:a", ["to"], [b"To: <sip:a>"], b"xyz")
    assert request.write() == b"OPTIONS sip:a SIP/2.0\r\nTo: <sip:a>\r\nContent-Length: 3\r\n\r\nxyz"
    response = Response(200, "OK", [], [])
    assert response.write().endswith(b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.conformance("RFC 3261 8.2.6.2")
def test_a_response_copies_what_it_must(request_: Request) -> None:
    response = request_.response(180, to_tag="ours")
    assert (response.status, response.reason) == (180, "Ringing")
    assert response.names == ["via", "via", "record-route", "from", "to", "call-id", "cseq", "timestamp"]
    assert response.lines[:2] == request_.lines[:2]
    assert response.get("to") == b"<sip:bob@example.com>;tag=ours"
    assert response.to.tag == "ours"
    assert (response.via.branch, response.cseq, response.from_.tag) == ("z9hG4bKp", (7, "INVITE"), "1")
    assert request_.write() == INVITE


@pytest.mark.conformance("RFC 3261 12.1.1")
@pytest.mark.parametrize("status", [100, 302, 404, 500, 603])
def test_only_a_response_that_makes_a_dialog_copies_record_route(request_: Request, status: int) -> None:
    assert "record-route" not in request_.response(status).names
    assert "record-route" in request_.response(200).names


@pytest.mark.conformance("RFC 3261 8.2.6.1", "RFC 3261 8.2.6.2")
def test_a_trying_gets_no_tag_and_a_tag_is_never_added_twice(request_: Request) -> None:
    assert request_.response(100, to_tag="ours").get("to") == b"<sip:bob@example.com>"
    request_.set("to", b"<sip:bob@example.com>;tag=theirs")
    assert request_.response(200, to_tag="ours").get("to") == b"<sip:bob@example.com>;tag=theirs"


def test_a_response_owns_its_lists(request_: Request) -> None:
    first, second = request_.response(200), request_.response(200)
    first.append("contact", b"<sip:x>")
    assert "contact" not in second.names
    assert request_.response(200).names == second.names


def test_a_response_to_a_bare_request() -> None:
    for names, lines in (([], []), (["via"], [b"Via: SIP/2.0/UDP h"]), (["subject"], [b"Subject: x"])):
        response = Request("OPTIONS", "sip:a", names, lines).response(400)
        assert response.names == [name for name in names if name == "via"]


def test_reasons(request_: Request) -> None:
    assert request_.response(404, "Gone fishing").reason == "Gone fishing"
    assert request_.response(299).reason == "OK"
    assert request_.response(404).write().startswith(b"SIP/2.0 404 Not Found\r\n")


def test_messages_read_well_in_a_log(request_: Request) -> None:
    assert repr(request_) == "<INVITE sip:bob@example.com>"
    assert repr(request_.response(486)) == "<486 Busy Here>"


def test_a_response_is_copied_with_its_typed_values() -> None:
    response = parse(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=1\r\nCSeq: 1 INVITE\r\n\r\n")
    assert isinstance(response, Response)
    via = response.via
    copy = response.copy()
    assert copy.via is via
    copy.pop_via()
    assert (len(response.names), len(copy.names)) == (2, 1)


def test_replace_via_keeps_the_name_and_the_values_behind(request_: Request) -> None:
    first = parse(b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=9;x=y\r\n\r\n").via
    request_.replace_via(first)
    assert request_.lines[0] == b"v: SIP/2.0/UDP h;branch=9;x=y, SIP/2.0/UDP  192.0.2.1 ;branch=z9hG4bKc"
    assert request_.via is first
