from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.errors import Malformed
from sipcore.uri import Uri, equivalent, parse_uri, unescape

# -- parsing ---


@pytest.mark.conformance("RFC 3261 19.1.1")
def test_all_parts_of_a_sip_uri() -> None:
    uri = parse_uri("SIPS:Alice%20B:s3cret@Example.COM:5071;Transport=TCP;lr?Subject=hi&to=x")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sips",
        "Alice%20B",
        "s3cret",
        "example.com",
        5071,
    )
    assert uri.parameters == (("transport", "TCP"), ("lr", None))
    assert (uri.headers, uri.rest) == ("?Subject=hi&to=x", "")
    assert (uri.parameter("transport"), uri.parameter("lr"), uri.parameter("maddr")) == ("TCP", "", None)
    assert str(uri) == uri.text == "SIPS:Alice%20B:s3cret@Example.COM:5071;Transport=TCP;lr?Subject=hi&to=x"


def test_the_shortest_uri() -> None:
    uri = parse_uri("sip:h")
    assert (uri.user, uri.password, uri.host, uri.port, uri.parameters, uri.headers) == ("", None, "h", 0, (), "")


@pytest.mark.conformance("RFC 3261 19.1.2", "RFC 3261 25.1", "RFC 4475 3.1.1.9")
def test_a_user_keeps_its_own_parameters_and_odd_characters() -> None:
    uri = parse_uri("sip:user;par=u%40example.net@example.com")
    assert (uri.user, uri.host, uri.parameters) == ("user;par=u%40example.net", "example.com", ())
    assert uri.address_of_record() == "user;par=u@example.net@example.com"
    odd = parse_uri("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@h")
    assert odd.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert odd.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"


def test_an_escaped_parameter_name_is_the_parameter() -> None:
    uri = parse_uri("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31")
    assert uri.parameters == (("lr", None), ("name", "v%61lue%25%34%31"))


@pytest.mark.row("B26", "B28")
@pytest.mark.conformance("RFC 3261 19.1.1", "RFC 5118 4.1", "RFC 5118 4.3", "RFC 5118 4.4")
@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("sip:u@[2001:db8::10]", "2001:db8::10", 0),
        ("sip:u@[2001:db8::10:5070]", "2001:db8::10:5070", 0),
        ("sip:u@[2001:db8::10]:5070", "2001:db8::10", 5070),
        ("sip:u@[2001:db8:::192.0.2.1]", "2001:db8::c000:201", 0),
        ("sip:u@example.com.:05060", "example.com", 5060),
        ("sip:u@example.com:65535", "example.com", 65535),
    ],
)
def test_hosts_and_ports(text: str, host: str, port: int) -> None:
    uri = parse_uri(text)
    assert (uri.host, uri.port, uri.text) == (host, port, text)


@pytest.mark.row("B26", "B27", "B28", "B30")
@pytest.mark.conformance("RFC 3261 19.1.1", "RFC 3261 25.1", "RFC 5118 4.2")
@pytest.mark.parametrize(
    "text",
    [
        "", "sip:", "sip", "sip:@h", "sip::p@h", "sip:a@", "sip:a@b@c", "sip:2001:db8::10", "sip:u@[::1",
        "sip:u@[1::2::3]", "sip:u@[fe80::1%25eth0]", "sip:h:", "sip:h:0", "sip:h:65536", "sip:h:99999",
        "sip:h:123456", "sip:h:5060abc", "sip:h:-1", "sip:%zz@h", "sip:%@h", "sip:a%4@h", "sip:u@h;a=%zz",
        "sip:u@h;%", "sip:u@h?a=%g1", "sip:u@h;", "sip:u@h;;lr", "sip:u@h;=x", "<sip:u@h>", " sip:u@h", "sip:u@h ",
        "sip: u@h", "sip:u @h", "sip:u@h\t", "sip:u\r\n@h", 'sip:"u"@h', "sip:u@h;a=<b>",
        "sip:u@" + "a" * 64 + ".example", "sip:u@" + "a." * 130 + "example", "sip:u@127.1",
        "sip:u@b\u00fccher.example", "tel:", "tel:+", "tel:abcxyz", "tel:+12x", "tel:-.()", "tel:+1;=x",
        "tel:+1;ext=%zz", "tel:+1@h", "tel:12 34", ":x", "1a:x", "a b:x", "http:", "no-colon",
    ],
)  # fmt: skip
def test_broken_uris_are_malformed(text: str) -> None:
    with pytest.raises(Malformed) as raised:
        parse_uri(text)
    assert raised.value.status == 400


@pytest.mark.conformance("RFC 4475 3.3.2", "RFC 4475 3.3.3")
@pytest.mark.parametrize(
    ("text", "scheme", "rest"),
    [
        ("isbn:2983792873", "isbn", "2983792873"),
        ("nobodyKnowsThisScheme:totallyopaquecontent", "nobodyknowsthisscheme", "totallyopaquecontent"),
        ("soap.beep://192.0.2.103:3002", "soap.beep", "//192.0.2.103:3002"),
        ("http://a/%zz?<", "http", "//a/%zz?<"),
    ],
)
def test_unknown_schemes_are_kept_whole(text: str, scheme: str, rest: str) -> None:
    uri = parse_uri(text)
    assert (uri.scheme, uri.rest, uri.user, uri.host, uri.text) == (scheme, rest, "", "", text)
    assert uri.address_of_record() == text


@pytest.mark.conformance("RFC 3966 3", "RFC 3966 5.1")
@pytest.mark.parametrize(
    ("text", "number", "parameters"),
    [
        ("tel:+1-201-555-0123", "+1-201-555-0123", ()),
        ("tel:7042;phone-context=example.com", "7042", (("phone-context", "example.com"),)),
        ("TEL:*21#;Ext=12", "*21#", (("ext", "12"),)),
    ],
)
def test_tel_uris(text: str, number: str, parameters: object) -> None:
    uri = parse_uri(text)
    assert (uri.scheme, uri.user, uri.parameters, uri.host) == ("tel", number, parameters, "")
    assert uri.rest == text[4:]


def test_long_uris_parse_like_short_ones_but_are_not_remembered() -> None:
    short, long = "sip:alice@example.com", "sip:" + "a" * 3000 + "@example.com"
    assert parse_uri(short) is parse_uri(short)
    assert parse_uri(long) is not parse_uri(long)
    assert parse_uri(long).user == "a" * 3000


def test_bytes_that_are_no_utf8_are_kept() -> None:
    text = b"sip:\xff\xfe@h".decode("utf-8", "surrogateescape")
    assert parse_uri(text).text.encode("utf-8", "surrogateescape") == b"sip:\xff\xfe@h"
    assert parse_uri(text).address_of_record() == "\udcff\udcfe@h"


# -- writing ---


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        (Uri("sip", "", "h"), "sip:h"),
        (Uri("sip", "u", "2001:db8::1", 5070), "sip:u@[2001:db8::1]:5070"),
        (Uri("sips", "u", "h", 0, (("lr", None), ("a", "b")), "?x=y", "pw"), "sips:u:pw@h;lr;a=b?x=y"),
        (Uri("tel", "+1234", "", 0, (("ext", "5"),)), "tel:+1234;ext=5"),
        (Uri("urn", "", "", rest="service:sos"), "urn:service:sos"),
    ],
)
def test_a_uri_made_of_parts_is_written(uri: Uri, text: str) -> None:
    assert uri.text == text
    again = parse_uri(text)
    assert (again.user, again.host, again.port, again.parameters) == (uri.user, uri.host, uri.port, uri.parameters)


@pytest.mark.row("A20")
@pytest.mark.parametrize("user", ["a b", "a\r\nVia: x", "a\0", "a>", 'a"', "<", "\x7f"])
def test_no_part_can_end_the_line_or_the_brackets_around_a_uri(user: str) -> None:
    with pytest.raises(ValueError, match="not fit for a URI"):
        parse_uri("sip:alice@example.com").replace(user=user)
    with pytest.raises(ValueError, match="not fit for a URI"):
        Uri("tel", "+1", "", parameters=(("x", user),))


def test_replace_changes_some_parts_and_leaves_the_original_alone() -> None:
    uri = parse_uri("sip:Alice:pw@example.com:5060;lr?a=b")
    assert uri.replace(host="h", port=0, headers="").text == "sip:Alice:pw@h;lr"
    assert uri.replace(user="bob", parameters=()).text == "sip:bob@example.com:5060?a=b"
    assert uri.replace(scheme="sips").text == "sips:Alice:pw@example.com:5060;lr?a=b"
    assert uri.text == "sip:Alice:pw@example.com:5060;lr?a=b"


def test_replace_of_a_tel_uri() -> None:
    uri = parse_uri("tel:+1-234;ext=5")
    assert uri.replace(user="+1234").text == "tel:+1234;ext=5"
    assert uri.replace(parameters=()).text == "tel:+1-234"
    assert uri.replace(scheme="sip", host="gateway", parameters=()).text == "sip:+1-234@gateway"


_USER = st.text(alphabet=string.ascii_letters + string.digits + "-_.!~*'()&=+$,;?/%", max_size=12).filter(
    lambda text: "%" not in text
)
_LABEL = st.text(alphabet=string.ascii_lowercase, min_size=1, max_size=8)
_PARAMETERS = st.lists(st.tuples(_LABEL, st.none() | _LABEL), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)


@given(_USER, st.lists(_LABEL, min_size=1, max_size=3), st.integers(0, 65535), _PARAMETERS)
def test_what_is_written_is_read_back(
    user: str, labels: list[str], port: int, parameters: tuple[tuple[str, str | None], ...]
) -> None:
    made = Uri("sip", user, ".".join(labels), port, parameters)
    read = parse_uri(made.text)
    assert (read.user, read.host, read.port, read.parameters) == (user, made.host, port, parameters)
    assert equivalent(made, read)
    assert equivalent(read, made)


@given(st.text(max_size=40))
def test_any_text_is_a_uri_or_malformed(text: str) -> None:
    for candidate in (text, "sip:" + text, "tel:" + text, "sip:u@" + text):
        try:
            uri = parse_uri(candidate)
        except Malformed:
            continue
        assert uri.text == candidate
        assert equivalent(uri, uri)
        assert isinstance(uri.address_of_record(), str)


# -- addresses of record ---


@pytest.mark.row("B31")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sip:alice@EXAMPLE.com", "alice@example.com"),
        ("sips:%61lice:pw@example.com.:5060;transport=tcp?a=b", "alice@example.com"),
        ("sip:Alice@example.com", "Alice@example.com"),
        ("sip:%2B44@example.com", "+44@example.com"),
        ("sip:null-%00-null@example.com", "null-\0-null@example.com"),
        ("sip:value%25%34%31@h", "value%41@h"),
        ("sip:%C3%A9@h", "é@h"),
        ("sip:%ff@h", "\udcff@h"),
        ("sip:example.com", "@example.com"),
        ("tel:+1-201-555-0123", "+12015550123@"),
    ],
)
def test_the_key_of_an_address_of_record(text: str, key: str) -> None:
    assert parse_uri(text).address_of_record() == key


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 3261 19.1.2")
def test_unescape_undoes_escapes_once() -> None:
    assert unescape("plain") == "plain"
    assert unescape("%2541") == "%41"
    assert unescape("a%00b%e4") == "a\0b\udce4"


# -- equality (RFC 3261 section 19.1.4; the first two lists are the RFC's own examples) ---


def same(a: str, b: str) -> bool:
    forwards, backwards = equivalent(parse_uri(a), parse_uri(b)), equivalent(parse_uri(b), parse_uri(a))
    assert forwards == backwards
    return forwards


@pytest.mark.row("B31")
@pytest.mark.conformance("RFC 3261 19.1.4", "RFC 3966 4")
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a%3bb@h", "sip:a%3Bb@h"),
        ("sip:a@h;p=%41", "sip:a@h;p=a"),
        ("sip:a@h?Subject=x", "sip:a@h?subject=x"),
        ("SIP:a@h", "sip:a@h"),
        ("sip:a@h.", "sip:a@h"),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
        ("sip:a:p%77@h", "sip:a:pw@h"),
        ("tel:+1-201-555-0123", "tel:+1(201)555.0123"),
        ("tel:7042;ext=12;phone-context=Example.com", "TEL:7042;phone-context=example.COM;ext=1-2"),
        ("tel:A1b", "tel:a1B"),
        ("isbn:123", "ISBN:123"),
    ],
)
def test_equivalent_uris(a: str, b: str) -> None:
    assert same(a, b)


@pytest.mark.row("B31")
@pytest.mark.conformance("RFC 3261 19.1.4", "RFC 3966 4")
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "sip:h"),
        ("sip:a@h", "sip:a:pw@h"),
        ("sip:a:@h", "sip:a@h"),
        ("sip:a%3bb@h", "sip:a;b@h"),
        ("sip:%00@h", "sip:%00%00@h"),
        ("sip:a@h;user=phone", "sip:a@h"),
        ("sip:a@h;ttl=1", "sip:a@h"),
        ("sip:a@h;method=INVITE", "sip:a@h"),
        ("sip:a@h;maddr=h", "sip:a@h"),
        ("sip:a@h;lr", "sip:a@h;lr=x"),
        ("sip:a@h?a=b", "sip:a@h?a=c"),
        ("sip:a@h?a=b", "sip:a@h?a=b&a=b"),
        ("tel:+1201", "tel:1201"),
        ("tel:+1201", "tel:+1202"),
        ("tel:7042;ext=1", "tel:7042"),
        ("tel:7042;phone-context=a-b.example", "tel:7042;phone-context=ab.example"),
        ("isbn:123", "isbn:124"),
        ("isbn:123", "tel:123"),
    ],
)
def test_uris_that_are_not_equivalent(a: str, b: str) -> None:
    assert not same(a, b)
