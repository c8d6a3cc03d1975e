"""Every torture message of RFC 4475 and RFC 5118, against one table of what must become of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from sipcore.errors import Malformed
from sipcore.message import (
    Contact,
    Request,
    Response,
    answer_malformed,
    check_request,
    check_response,
    parse,
    parse_contacts,
)
from sipcore.message.framing import BadMessage, Broken, Ping, StreamFraming
from sipcore.uri import equivalent

FOLDER = Path(__file__).resolve().parents[2] / "torture"
FILES = {f"{file.parent.name}/{file.stem}": file for file in sorted(FOLDER.glob("*/*.dat"))}
EXPECTED: dict[str, dict[str, Any]] = {
    f"{folder}/{name}": row
    for folder, rows in tomllib.loads((FOLDER / "expected_parse.toml").read_text()).items()
    for name, row in rows.items()
}


def read(name: str) -> bytes:
    return FILES[name if "/" in name else f"rfc4475/{name}"].read_bytes()


def request(name: str) -> Request:
    message = parse(read(name))
    assert isinstance(message, Request)
    return message


def contacts(name: str) -> tuple[Contact, ...]:
    return parse_contacts(parse(read(name))).contacts


def test_every_file_has_an_expectation_and_every_expectation_a_file() -> None:
    assert sorted(EXPECTED) == sorted(FILES)
    assert len(FILES) == 49 + 1 + 12


def checked(data: bytes) -> Request | Response:
    message = parse(data)
    if isinstance(message, Request):
        check_request(message)
    else:
        check_response(message)
    return message


@pytest.mark.parametrize("name", EXPECTED)
def test_as_a_datagram(name: str) -> None:
    data, expected = read(name), EXPECTED[name]["datagram"]
    if expected == "ok":
        assert checked(data).write().startswith(data.partition(b"\r\n")[0] + b"\r\n")
        return
    with pytest.raises(Malformed) as raised:
        checked(data)
    answered = answer_malformed(data, raised.value, ("192.0.2.9", 5060), "ours")
    if expected == "drop":
        assert answered is None
    else:
        assert answered is not None
        response = parse(answered)
        assert isinstance(response, Response)
        assert response.status == expected
        assert response.via.received == "192.0.2.9"


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("at_once", [True, False])
def test_on_a_stream(name: str, at_once: bool) -> None:
    letters = {Request: "M", Response: "M", Ping: "P", BadMessage: "B", Broken: "X"}
    data = read(name)
    framing = StreamFraming()
    frames = framing.feed(data) if at_once else [f for at in range(len(data)) for f in framing.feed(data[at : at + 1])]
    found = "".join(letters[type(frame)] for frame in frames) + "-" * framing.partial
    assert found == EXPECTED[name]["stream"]


@pytest.mark.parametrize("name", [n for n, row in EXPECTED.items() if row["datagram"] == "ok" or "contacts" in row])
def test_contacts(name: str) -> None:
    expected = EXPECTED[name].get("contacts", 0)
    if expected == 400:
        with pytest.raises(Malformed):
            contacts(name)
    else:
        assert len(contacts(name)) == expected


@pytest.mark.parametrize("name", [name for name, row in EXPECTED.items() if row["datagram"] == "ok"])
def test_a_header_that_nobody_touched_leaves_as_it_came(name: str) -> None:
    head, _, body = read(name).partition(b"\r\n\r\n")
    message = checked(read(name))
    written = message.write()
    if b"\r\n " not in head and b"\r\n\t" not in head:
        assert written.startswith(head)
    assert written.endswith(message.body)
    assert body.startswith(message.body)
    again = parse(written)
    assert (again.names[: len(message.names)], again.lines[: len(message.lines)]) == (message.names, message.lines)


def test_baddn_with_an_end_is_refused_too() -> None:
    with pytest.raises(Malformed, match="display name"):
        checked(read("baddn") + b"\r\n")


# -- details, in the order of RFC 4475 ---


@pytest.mark.row("B12")
@pytest.mark.conformance("RFC 4475 3.1.1.1")
def test_wsinv() -> None:
    message = request("wsinv")
    assert message.to.tag == "1918181833n"
    assert (message.from_.display, message.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert (message.cseq, message.get("max-forwards")) == ((9, "INVITE"), b"0068")
    assert (message.via.transport, message.via.host, message.via.branch) == ("UDP", "192.0.2.2", "390skdjuw")
    assert len(message.elements("via")) == 3
    assert b"UnknownHeaderWithUnusualValue: ;;,,;;,;" in message.lines
    assert message.get("subject") == b""
    assert message.get("newfangledheader") == b"newfangled value continued newfangled value"
    assert len(message.body) == 150
    (contact,) = contacts("wsinv")
    assert (contact.q, contact.display) == (0.33, 'Quoted string ""')


@pytest.mark.row("B03")
@pytest.mark.conformance("RFC 4475 3.1.1.2")
def test_intmeth() -> None:
    message = request("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.to.display == "BEL:\a NUL:\0 DEL:\x7f"
    assert message.from_.display == "token1~` token2'+_ token3*%!.-"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.call_id == b"intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 4475 3.1.1.3")
def test_esc01() -> None:
    message = request("esc01")
    assert message.uri.address_of_record() == "sips:user@example.com@example.net"
    assert message.from_.uri.address_of_record() == "I have spaces@example.net"
    (contact,) = contacts("esc01")
    assert contact.uri.parameters == (("lr", None), ("name", "v%61lue%25%34%31"))
    assert contact.uri_text == "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31"


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 4475 3.1.1.4")
def test_escnull() -> None:
    first, second = contacts("escnull")
    assert not equivalent(first.uri, second.uri)
    assert first.uri.address_of_record() != second.uri.address_of_record()
    assert request("escnull").to.uri.address_of_record() == "null-\0-null@example.com"


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 4475 3.1.1.5")
def test_esc02() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert [contact.uri.user for contact in contacts("esc02")] == ["alias1", "alias3"]


@pytest.mark.conformance("RFC 4475 3.1.1.6")
def test_lwsdisp() -> None:
    assert request("lwsdisp").from_.display == "caller"


@pytest.mark.row("B08")
@pytest.mark.conformance("RFC 4475 3.1.1.7")
def test_longreq() -> None:
    message = request("longreq")
    assert len(message.elements("via")) == 34
    assert message.via.branch == ""
    assert message.write() == read("longreq")


@pytest.mark.row("A04")
@pytest.mark.conformance("RFC 4475 3.1.1.8")
def test_dblreq() -> None:
    message = request("dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")
    assert b"INVITE" not in message.write()


@pytest.mark.conformance("RFC 4475 3.1.1.9")
def test_semiuri() -> None:
    assert request("semiuri").uri.address_of_record() == "user;par=u@example.net@example.com"


@pytest.mark.row("B36")
@pytest.mark.conformance("RFC 4475 3.1.1.11")
def test_mpart01() -> None:
    body = read("mpart01").partition(b"\r\n\r\n")[2]
    assert request("mpart01").body == body
    assert b"\0" in body


@pytest.mark.row("C08")
@pytest.mark.conformance(
    "RFC 4475 3.1.1.12", "RFC 4475 3.1.1.13", "RFC 4475 3.1.2.5", "RFC 4475 3.1.2.19", "RFC 4475 3.3.10"
)
@pytest.mark.parametrize(("name", "status"), [("unreason", 200), ("noreason", 100), ("bcast", 200)])
def test_responses(name: str, status: int) -> None:
    message = checked(read(name))
    assert isinstance(message, Response)
    assert message.status == status
    assert message.write() == read(name)


@pytest.mark.conformance("RFC 4475 3.3.12", "RFC 4475 3.3.13")
def test_cparam() -> None:
    (header,), (uri,) = contacts("cparam01"), contacts("cparam02")
    assert (header.uri.parameters, header.parameters) == ((), (("unknownparam", None),))
    assert (uri.uri.parameters, uri.parameters) == ((("unknownparam", None),), ())


@pytest.mark.row("B32")
@pytest.mark.conformance("RFC 4475 3.3.14")
def test_regescrt() -> None:
    (contact,) = contacts("regescrt")
    assert contact.uri_text == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"


@pytest.mark.row("C04")
@pytest.mark.conformance("RFC 4475 3.4.1")
def test_inv2543() -> None:
    message = request("inv2543")
    assert (message.via.branch, message.from_.tag, message.get("max-forwards")) == ("", "", None)


# -- details of RFC 5118 ---


@pytest.mark.row("B26")
@pytest.mark.conformance("RFC 5118 4.1", "RFC 5118 4.2", "RFC 5118 4.3", "RFC 5118 4.4", "RFC 5118 4.10")
@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("ipv6-good", "2001:db8::10", 0),
        ("port-ambiguous", "2001:db8::10:5070", 0),
        ("port-unambiguous", "2001:db8::10", 5070),
        ("ipv6-bug-abnf-3-colons", "2001:db8::c000:201", 0),
        ("ipv6-correct-abnf-2-colons", "2001:db8::c000:201", 0),
    ],
)
def test_ipv6_request_uris(name: str, host: str, port: int) -> None:
    uri = request(f"rfc5118-wire/{name}").uri
    assert (uri.host, uri.port) == (host, port)


@pytest.mark.row("B26")
@pytest.mark.conformance("RFC 5118 4.5")
@pytest.mark.parametrize("name", ["via-received-param-with-delim", "via-received-param-no-delim"])
def test_received_with_and_without_brackets(name: str) -> None:
    assert request(f"rfc5118-wire/{name}").via.received == "2001:db8::9:255"


@pytest.mark.row("B26")
@pytest.mark.conformance("RFC 5118 4.9")
def test_mapped_addresses() -> None:
    message = request("rfc5118-wire/ipv4-mapped-ipv6")
    assert (message.via.host, message.via.port) == ("::ffff:192.0.2.10", 19823)
