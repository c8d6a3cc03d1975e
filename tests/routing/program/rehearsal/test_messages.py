"""What phones write: requests and responses with the usual lines, and with what a story adds or leaves out."""

from __future__ import annotations

import pytest

from routing.language.stories.story import Extra
from routing.program.rehearsal import writing
from routing.program.rehearsal.proof import challenge_of, prove
from routing.program.rehearsal.writing import Line, key, session
from sipcore.digest import MD5, algorithms_named, challenge, ha1, parse_credentials, right_response
from sipcore.message import Request, Response, parse

USUAL: list[Line] = [
    ("Via", "SIP/2.0/UDP 198.51.100.11:5060;branch=z9hG4bK1"), ("From", "<sip:a@example.com>;tag=1"),
    ("To", "<sip:b@example.com>"), ("Call-ID", "c1"), ("CSeq", "1 INVITE"), ("Max-Forwards", "70"),
    ("Contact", "<sip:a@198.51.100.11>"),
]  # fmt: skip


def written(extra: Extra = Extra(), body: tuple[str, ...] = ()) -> Request:  # noqa: B008  # it is frozen
    message = parse(writing.request("INVITE sip:b@example.com", USUAL, extra, body))
    assert isinstance(message, Request)
    return message


def values(message: Request | Response, name: str) -> list[str]:
    return [value.decode() for value in message.all(name)]


# -- requests ---------------------------------------------------------------------------------------------------------


def test_the_usual_lines_in_their_order() -> None:
    message = written()
    assert message.names == ["via", "from", "to", "call-id", "cseq", "max-forwards", "contact", "content-length"]
    assert message.body == b""


def test_a_line_takes_the_place_of_the_usual_one() -> None:
    message = written(Extra(("Max-Forwards: 5", "contact: <sip:x@y>", "m: <sip:z@y>")))
    assert values(message, "max-forwards") == ["5"]
    assert values(message, "contact") == ["<sip:x@y>", "<sip:z@y>"]  # the short form is the same header
    assert message.names.index("max-forwards") == 5


def test_further_lines_of_a_name_stand_one_behind_the_other() -> None:
    message = written(Extra(("X-A: 1", "X-A: 2", "x-a:3")))
    assert values(message, "x-a") == ["1", "2", "3"]


def test_lines_are_left_out() -> None:
    assert "contact" not in written(Extra(without=("CONTACT",))).names
    assert "contact" not in written(Extra(without=("m",))).names


def test_a_body_has_its_type_and_length() -> None:
    message = written(body=("v=0", "s=-"))
    assert message.body == b"v=0\r\ns=-\r\n"
    assert values(message, "content-type") == ["application/sdp"]
    assert values(message, "content-length") == ["10"]


def test_a_body_of_the_story() -> None:
    assert written(Extra(body=("hello",))).body == b"hello"
    assert values(written(Extra(body=("hello",))), "content-type") == ["text/plain"]
    assert written(Extra(body=("one", "two"))).body == b"one\r\ntwo\r\n"
    sdp = written(Extra(body=("v=0", "a=sendonly")), body=("v=0",))
    assert (sdp.body, values(sdp, "content-type")) == (b"v=0\r\na=sendonly\r\n", ["application/sdp"])
    own = written(Extra(("Content-Type: application/x",), body=("x",)))
    assert values(own, "content-type") == ["application/x"]


def test_no_body() -> None:
    message = written(Extra(body=()), body=("v=0",))
    assert message.body == b""
    assert "content-type" not in message.names


def test_a_length_that_is_a_lie() -> None:
    data = writing.request("INVITE sip:b@example.com", USUAL, Extra(("Content-Length: 99",)), ("v=0",))
    assert data.count(b"Content-Length") == 1
    assert b"Content-Length: 99\r\n" in data


def test_text_that_is_not_ascii_is_utf_8() -> None:
    assert values(written(Extra(("Subject: grüß",))), "subject") == ["grüß"]


def test_a_session_names_its_address() -> None:
    assert session("bob", "198.51.100.11")[1:4:2] == ["o=bob 1 1 IN IP4 198.51.100.11", "c=IN IP4 198.51.100.11"]
    assert session("bob", "2001:db8::1", "inactive")[3] == "c=IN IP6 2001:db8::1"
    assert session("bob", "2001:db8::1", "inactive")[-1] == "a=inactive"


@pytest.mark.parametrize(
    ("name", "found"), [("m", "contact"), ("Call-ID", "call-id"), ("X-A", "x-a"), ("bad name", "bad name")]
)
def test_names_are_compared_in_their_long_form(name: str, found: str) -> None:
    assert key(name) == found


# -- responses --------------------------------------------------------------------------------------------------------


def test_a_response_has_what_the_request_gives_it_and_its_own() -> None:
    answer = written().response(486, "Busy", to_tag="b1")
    data = writing.response(answer, [("Contact", "<sip:b@x>")], Extra(("Retry-After: 60",)), ("v=0",))
    message = parse(data)
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.to.tag) == (486, "Busy", "b1")
    assert values(message, "via") == [USUAL[0][1]]
    assert values(message, "retry-after") == ["60"]
    assert values(message, "contact") == ["<sip:b@x>"]
    assert message.body == b"v=0"


# -- passwords --------------------------------------------------------------------------------------------------------


def challenged(status: int, *lines: str) -> Response:
    answer = written().response(status)
    name = "www-authenticate" if status == 401 else "proxy-authenticate"
    for line in lines:
        answer.append(name, line.encode())
    return answer


@pytest.mark.parametrize("name", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize(("status", "header"), [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_what_a_phone_answers_is_right_for_the_server(name: str, status: int, header: str) -> None:
    (algorithm,) = algorithms_named([name])
    found = challenge_of(challenged(status, challenge("example.com", "n0nce", algorithm).decode()))
    assert found is not None
    assert (found.header, found.realm, found.nonce) == (header, "example.com", "n0nce")
    credentials = parse_credentials(prove(found, "alice", "secret", "INVITE", "sip:b@example.com").encode())
    assert credentials is not None
    assert (credentials.username, credentials.qop, credentials.nonce_count) == ("alice", "auth", 1)
    assert right_response(credentials, algorithm, ha1(algorithm, "alice", "example.com", "secret"), "INVITE")
    assert not right_response(credentials, algorithm, ha1(algorithm, "alice", "example.com", "guess"), "INVITE")


def test_the_first_challenge_that_is_known_is_answered() -> None:
    strange = 'Digest realm="r", nonce="1", algorithm=ROT-13'
    found = challenge_of(challenged(401, strange, challenge("r", "2", MD5, True).decode()))
    assert found is not None
    assert found.nonce == "2"
    assert challenge_of(challenged(401, strange)) is None
    assert challenge_of(challenged(401)) is None
    assert challenge_of(challenged(401, 'Digest realm="r"')) is None
