"""Rows B01 to B36: start lines, headers, URIs, bodies."""

from __future__ import annotations

import re

from tests import raw
from tests.attacks.anomalies import calls_with_anomalies
from tests.attacks.field import DOMAIN, HERE, Field, Place, Seen, answered, at_once, renewed, request
from tests.attacks.framing import options
from tests.attacks.table import row
from tests.loopback import LIMIT, Datagrams

HOP = f"sip:hop@{DOMAIN}"
WAYS = ("udp", "tcp")
LARGE = 60_000
"""Bytes; what fits into a datagram together with the rest of a message."""


def start_line(line: bytes) -> bytes:
    """A request with another first line."""
    return line + b"\r\n" + request().partition(b"\r\n")[2]


def forwarded(place: Place, data: bytes, transport: str = "udp") -> bytes:
    """What the next hop got of a request that must go on."""
    (one,) = place.expect(renewed(data), 299, forwarded=1, transport=transport).forwarded
    return one


def either(place: Place, data: bytes, *statuses: int, goes_on: bool = True) -> Seen:
    """One of these statuses, or (299) the next hop's; what goes on is returned."""
    seen = place.see(renewed(data), "udp", answered)
    wanted = (*statuses, 299) if goes_on else statuses
    assert len(seen.statuses) == 1 and seen.statuses[0] in wanted, (seen.statuses, data[:300])
    assert bool(seen.forwarded) == (seen.statuses[0] == 299), data[:300]
    return seen


@row("B01")
def version_in_lower_case(field: Field) -> None:
    for transport in WAYS:
        field.open.expect(renewed(options()).replace(b" SIP/2.0", b" sip/2.0", 1), 200, transport=transport)


@row("B02")
def other_versions(field: Field) -> None:
    for version in (b"SIP/3.0", b"SIP/7.0", b"SIP/2.1", b"SIP/0.0"):
        field.open.refuse(start_line(b"OPTIONS sip:example.com " + version), 505)


@row("B03")
def methods_that_are_none(field: Field) -> None:
    for method in (b"INV(ITE", b"INV\xc3\x8fTE", b"<INVITE>", b"IN,VITE", b'"INVITE"', b"INV@TE", b"A" * LARGE):
        field.open.refuse(start_line(method + b" sip:hop@example.com SIP/2.0"), 400, 513)


@row("B04")
def methods_nobody_knows(field: Field) -> None:
    for method in ("NEWMETHOD", "!INTERESTING-Method0123456789_*+`.%indeed'~"):
        assert forwarded(field.open, request(method)).startswith(method.encode() + b" ")
        (refused,) = field.open.expect(request(method, f"sip:registrar@{DOMAIN}"), 501).answers
        assert b"REGISTER" in refused.first(b"allow")
    (refused,) = field.open.expect(request("SUBSCRIBE", f"sip:registrar@{DOMAIN}"), 405).answers
    assert b"REGISTER" in refused.first(b"allow")


@row("B05")
def request_lines_that_are_none(field: Field) -> None:
    for line in (
        b"OPTIONS  SIP/2.0", b"OPTIONS SIP/2.0", b"OPTIONS <sip:example.com> SIP/2.0",
        b"OPTIONS sip:exam ple.com SIP/2.0", b"OPTIONS  sip:example.com  SIP/2.0",
        b"OPTIONS sip:example.com SIP/2.0 ", b"OPTIONS\tsip:example.com\tSIP/2.0", b"OPTIONS sip: SIP/2.0",
        b"OPTIONS sip:a@ SIP/2.0",
    ):  # fmt: skip
        field.open.refuse(start_line(line), 400)


@row("B06")
def schemes(field: Field) -> None:
    for uri in ("nobodyKnowsThisScheme:totallyopaquecontent", "soap.beep://192.0.2.103:3002", "http://example.com"):
        field.open.refuse(request("OPTIONS", uri), 416)
    either(field.default, request("OPTIONS", "tel:+442079460000"), 403, 404, goes_on=False)


@row("B07")
def a_long_uri(field: Field) -> None:
    field.open.refuse(request("OPTIONS", "sip:" + "a" * 20_000 + "@example.com"), 414)


@row("B08")
def too_many_and_too_long(field: Field) -> None:
    via = b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx"
    for more in (
        [b"X-Long: " + b"x" * LARGE], [b"X-Many: x"] * 2000, [via] * 500, [b"Route: <sip:192.0.2.1;lr>"] * 500,
        [b"X-Parameters: a" + b";b=c" * 10_000], [b"Subject: " + b"x" * 20_000],
        [b"Via: " + via[5:] + b"," + via[5:]] * 100,
    ):  # fmt: skip
        field.open.refuse(options(*more), 513, 400)


@row("B09")
def a_blank_before_the_colon(field: Field) -> None:
    for line in (b"X-Internal : 1", b"X-Internal\t:1", b"X-Internal \t :1", b"X-Internal :\r\n 1"):
        went = forwarded(field.open, request("MESSAGE", f"sip:stripped@{DOMAIN}", line, b"X-Other: 2"))
        assert b"x-internal" not in went.lower() and b"X-Other: 2" in went, line


@row("B10")
def names_that_are_none(field: Field) -> None:
    for name in (
        b"Contact\x01",
        b"To\x0b",
        b"From\xa0",
        b"X-Inter\x85nal",
        b"X Internal",
        b"X-Internal\x00",
        b"\x0bTo",
        b"",
    ):
        field.open.refuse(request("MESSAGE", f"sip:stripped@{DOMAIN}", name + b": <sip:x@example.org>;tag=1"), 400)


@row("B11")
def spellings_of_a_header(field: Field) -> None:
    for lines in (
        [b"s: secret"], [b"S : secret"], [b"sUbJeCt: secret"], [b"Subject:\r\n secret"], [b"Subject: a", b"s: secret"],
        [b"X-Internal: a, secret", b"x-internal: secret"], [b"X-INTERNAL:secret"], [b"Subject\t:\r\n\t secret, secret"],
    ):  # fmt: skip
        went = forwarded(field.open, request("MESSAGE", f"sip:stripped@{DOMAIN}", *lines, b"X-Other: 2"))
        assert b"secret" not in went and b"X-Other: 2" in went, lines


@row("B12")
def folded_lines(field: Field) -> None:
    for transport in WAYS:
        went = forwarded(
            field.open, request("MESSAGE", HOP, b"X-Folded: a\r\n b\r\n \r\n\t c", b"X-Next: 1"), transport
        )
        assert re.search(rb"\r\nX-Folded: a b +c\r\nX-Next: 1\r\n", went), went


@row("B13")
def what_must_be_there(field: Field) -> None:
    for name in (b"to", b"from", b"call-id", b"cseq"):
        field.open.refuse(request("MESSAGE", HOP, without=(name,)), 400)
    went = forwarded(field.open, request("MESSAGE", HOP, without=(b"max-forwards",)))
    assert raw.read(went).first(b"max-forwards") == b"70"


@row("B14")
def what_may_be_there_once(field: Field) -> None:
    for line in (
        b"To: <sip:other@example.com>", b"t: <sip:other@example.com>", b"From: <sip:other@example.org>;tag=o",
        b"Call-ID: other", b"i: other", b"CSeq: 2 MESSAGE", b"Max-Forwards: 3", b"Max-Forwards: 70",
    ):  # fmt: skip
        field.open.refuse(request("MESSAGE", HOP, line), 400)


@row("B15")
def nobody_to_answer(field: Field) -> None:
    for data in (
        request("MESSAGE", HOP, without=(b"via",)),
        request(via=b"SIP/2.0/UDP"),
        request(via=b""),
        request(via=b";;,"),
        request(via=b"SIP/2.0/UDP @:x;branch=z9hG4bK1"),
    ):
        field.open.silent(data)
    seen = field.open.see(renewed(request(without=(b"via",))), "tcp")
    assert not seen.statuses and not seen.forwarded
    way = Datagrams(HERE, (5999,))
    try:
        way.send(request(via=b"SIP/2.0/UDP 127.0.0.2:5999;;,;branch=z9hG4bKattack1;rport"), field.open.address)
        arrival = way.receive(LIMIT)
        assert arrival is not None and (arrival.raw.status, arrival.port) == (400, 5999)
    finally:
        way.close()


@row("B16")
def sequence_numbers(field: Field) -> None:
    for value in (
        b"2147483648 MESSAGE", b"4294967296 MESSAGE", b"1" + b"0" * 30 + b" MESSAGE", b"-1 MESSAGE", b"x MESSAGE", b"1",
        b"MESSAGE", b"1 INVITE", b"", b"1 message", b"1MESSAGE", b"1 MESSAGE x", b"9" * 5000 + b" MESSAGE",
    ):  # fmt: skip
        field.open.refuse(request(cseq=value), 400)


@row("B17")
def hops_that_are_none(field: Field) -> None:
    for value in (b"256", b"-1", b"abc", b"1" + b"0" * 30, b"", b"7 0", b"9" * 5000):
        field.open.refuse(request(**{"max-forwards": value}), 400)


@row("B18")
def expiries(field: Field) -> None:
    register = f"sip:{DOMAIN}"
    for number, value in enumerate((b"4294967296", b"99999999999999999999", b"-5", b"abc", b"")):
        user = b"<sip:expiry%d@example.com>" % number
        for data in (
            request("REGISTER", register, b"Expires: " + value, to=user),
            request("REGISTER", register, to=user, contact=b"<sip:c@127.0.0.8>;expires=" + value),
        ):
            seen = either(field.open, data, 200, 400, goes_on=False)
            granted = [int(one) for one in re.findall(rb"expires=([0-9]+)", seen.answers[0].first(b"contact"))]
            assert seen.statuses == [400] or 0 < granted[0] <= 86_400, (value, granted)


@row("B19")
def ranks(field: Field) -> None:
    for number, value in enumerate((b"1.5", b".5", b"0.1234", b"abc", b"-1", b"")):
        data = request(
            "REGISTER",
            f"sip:{DOMAIN}",
            to=b"<sip:rank%d@example.com>" % number,
            contact=b"<sip:c@127.0.0.8>;q=" + value,
        )
        either(field.open, data, 200, 400, goes_on=False)


@row("B20")
def quotes_and_brackets(field: Field) -> None:
    for value in (
        b'"Mallory <sip:m@example.org>;tag=1', b"<sip:m@example.org;tag=1", b"Mallory, M. <sip:m@example.org>;tag=1",
        b'"M" "N" <sip:m@example.org>;tag=1', b'"M\\" <sip:m@example.org>;tag=1', b"M <sip:m@example.org>> ;tag=1",
        b"<<sip:m@example.org>>;tag=1",
    ):  # fmt: skip
        field.open.refuse(request(**{"from": value}), 400)
        field.open.refuse(request(to=value), 400)


@row("B21")
def long_identifiers(field: Field) -> None:
    long = b"x" * 8192
    for data, place in (
        (request(**{"from": b"<sip:m@example.org>;tag=" + long}), b"\r\nFrom: <sip:m@example.org>;tag=%b\r\n"),
        (request(**{"call-id": b"attack-" + long}), b"-%b\r\n"),
        (request(via=b"SIP/2.0/UDP 127.0.0.2:5999;branch=z9hG4bKattack" + long + b";rport"), b"%b;"),
    ):
        seen = either(field.open, data, 400)
        assert all(place % long in one for one in seen.forwarded)
        assert all(long in one.first(b"from") + one.first(b"call-id") + one.first(b"via") for one in seen.answers)


@row("B22")
def tags_and_addresses(field: Field) -> None:
    for data in (
        request(**{"from": b"<sip:m@example.org>;tag=1;tag=2"}), request(**{"from": b"<sip:m@example.org>;tag"}),
        request(**{"from": b"<sip:m@example.org>;tag="}), request(to=b"<sip:a@example.com>, <sip:b@example.com>"),
        request(to=b"<sip:a@example.com> <sip:b@example.com>"), request(to=b"<sip:a@example.com>;tag=1;TAG=2"),
    ):  # fmt: skip
        field.open.refuse(data, 400)


@row("B23")
def bodies_in_parts(field: Field) -> None:
    deep = b"".join(b"--%d\r\nContent-Type: multipart/mixed;boundary=%d\r\n\r\n" % (n, n + 1) for n in range(500))
    for kind, body in (
        (b"multipart/mixed", b"--x\r\n\r\nno boundary\r\n--x--\r\n"),
        (b"multipart/mixed;boundary=x", b"--x\r\n\r\nnever closed"), (b"multipart/mixed;boundary=0", deep),
        (b"multipart/mixed;boundary=", b""), (b"multipart/mixed;boundary=\"", b"--\""),
    ):  # fmt: skip
        assert forwarded(field.open, request("MESSAGE", HOP, b"Content-Type: " + kind, body=body)).endswith(
            b"\r\n\r\n" + body
        )


@row("B24")
def encoded_bodies(field: Field) -> None:
    bomb = bytes.fromhex("1f8b0800000000000003") + b"\xed\xc1\x01\x01" * 200
    for coding in (b"gzip", b"nobody-knows", b"gzip, gzip, gzip"):
        assert forwarded(field.open, request("MESSAGE", HOP, b"Content-Encoding: " + coding, body=bomb)).endswith(bomb)
    to = b"<sip:encoded@example.com>"
    either(
        field.open,
        request("REGISTER", f"sip:{DOMAIN}", b"Content-Encoding: gzip", to=to, body=bomb),
        200,
        415,
        goes_on=False,
    )


@row("B25")
def nonsense_nobody_uses(field: Field) -> None:
    lines = (
        b"Date: Fri, 32 Jan 2010 16:00:00 EST", b"Date: yesterday", b"Warning: 1812 overture \"In Progress",
        b"Warning:", b"Retry-After: 949302838503028349304023988", b"Retry-After: -1 (((", b"Timestamp: x",
        b"Timestamp: 1e999",
    )  # fmt: skip
    for line in lines:
        assert b"\r\n" + line in forwarded(field.open, request("MESSAGE", HOP, line))
        field.open.expect(options(line), 200)
        to = b"<sip:nonsense@example.com>"
        field.open.expect(request("REGISTER", f"sip:{DOMAIN}", line, to=to, without=(b"contact",)), 200)


@row("B26")
def ipv6_that_is_none(field: Field) -> None:
    for host in ("[::1", "[1::2::3]", "[fe80::1%25eth0]", "[]", "[:::1:2]:x", "[12345::1]", "2001:db8::10"):
        field.open.refuse(request("MESSAGE", f"sip:anywhere@{host}"), 400)
    field.open.refuse(request("MESSAGE", HOP, contact=b"<sip:a@example.org>", **{"from": b"<sip:a@[::1>;tag=1"}), 400)
    either(field.open, request("MESSAGE", "sip:anywhere@[2001:db8::10]"), 400, 404, 408, 480, 500, 503, goes_on=False)


@row("B27")
def hosts(field: Field) -> None:
    for host in (
        "a" * 64 + ".example.net", ".".join(["a" * 60] * 5), "127.1", "0x7f.1", "example..com", "-", "a" * 4000,
        "bücher.example", "", "%00", "1.2.3.4.5", "localhost.", "example.net.", "." , "a_b.example.net",
    ):  # fmt: skip
        either(field.open, request("MESSAGE", f"sip:anywhere@{host}"), 400, 404, 414, 480, 500, 503, goes_on=False)
    for host in (DOMAIN, DOMAIN + ".", DOMAIN.upper()):
        assert either(field.default, request("MESSAGE", f"sip:nobody@{host}"), 404, goes_on=False).statuses == [404], (
            host
        )


@row("B28")
def ports(field: Field) -> None:
    for port in (":0", ":65536", ":99999", ":5060abc", ":", ":-1", ":5060:5060", ":٥"):
        field.open.refuse(request("MESSAGE", f"sip:anywhere@127.0.0.8{port}"), 400)


@row("B29")
def broken_utf8(field: Field) -> None:
    for text in (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"caf\xe9", "José".encode()):
        data = request(
            "MESSAGE", HOP, b"Subject: " + text, body=text, **{"from": b'"' + text + b'" <sip:m@example.org>;tag=8'}
        )
        went = forwarded(field.open, data)
        assert b'From: "' + text + b'" <sip:m@example.org>;tag=8\r\n' in went
        assert b"Subject: " + text + b"\r\n" in went and went.endswith(b"\r\n\r\n" + text)


@row("B30")
def escapes(field: Field) -> None:
    for user in ("a%00b", "value%25%34%31", "a%2Fb", "%20", "%C3%A9"):
        to = f"<sip:{user}@{DOMAIN}>".encode()
        field.open.expect(request("REGISTER", f"sip:{DOMAIN}", to=to, contact=b"<sip:alias@127.0.0.3:5>"), 200)
        went = forwarded(field.open, request("MESSAGE", f"sip:hop@{DOMAIN}", to=to))
        assert b"\r\nTo: " + to in went
    for user in ("%", "%zz", "a%4", "%%41"):
        field.open.refuse(request("MESSAGE", f"sip:{user}@{DOMAIN}"), 400)
    # What stands behind %00, and what %25 stands for, are not the same user: nobody else's phones are shown.
    for user in (b"a", b"valueA", b"value%41", b"a%00"):
        (answer,) = field.open.expect(
            request("REGISTER", f"sip:{DOMAIN}", to=b"<sip:" + user + b"@example.com>", without=(b"contact",)), 200
        ).answers
        assert not answer.first(b"contact"), user


@row("B31")
def equal_uris(field: Field) -> None:
    def bindings(to: bytes) -> list[bytes]:
        data = request("REGISTER", f"sip:{DOMAIN}", to=to, without=(b"contact",))
        return field.open.expect(data, 200).answers[0].all(b"contact")

    contact = b"<sip:%61lias@127.0.0.8:5070;transport=TCP;x=1>"
    same = b"<sip:alias@127.0.0.8:5070;X=1;transport=tcp>"
    other = b"<sip:ALIAS@127.0.0.8:5070;transport=tcp>"
    field.open.expect(request("REGISTER", f"sip:{DOMAIN}", to=b"<sip:equal@example.com>", contact=contact), 200)
    field.open.expect(request("REGISTER", f"sip:{DOMAIN}", to=b"<sip:%65qual@EXAMPLE.com.>", contact=same), 200)
    assert len(bindings(b"<sip:equal@example.com>")) == 1
    field.open.expect(request("REGISTER", f"sip:{DOMAIN}", to=b"<sip:equal@example.com;x=y>", contact=other), 200)
    assert len(bindings(b"<sip:e%71ual@example.com>")) == 2
    assert bindings(b"<sip:EQUAL@example.com>") == []
    field.open.expect(
        request("REGISTER", f"sip:{DOMAIN}", b"Expires: 0", to=b"<sip:equal@example.com>", contact=b"*"), 200
    )


@row("B32")
def headers_in_uris(field: Field) -> None:
    field.open.refuse(request("MESSAGE", f"sip:hop@{DOMAIN}?Route=%3Csip:127.0.0.4%3E"), 400)
    hop = f"{field.hop.host}:{field.hop.port}".encode()
    contact = b"<sip:x@" + hop + b"?Route=%3Csip:127.0.0.4%3Blr%3E&X-Smuggled=1>"
    to = b"<sip:alice@example.com>"
    (stored,) = field.open.expect(request("REGISTER", f"sip:{DOMAIN}", to=to, contact=contact), 200).answers
    assert b"?Route=%3Csip:127.0.0.4%3Blr%3E&X-Smuggled=1>" in stored.first(b"contact")
    (went,) = field.open.expect(request("MESSAGE", f"sip:alice@{DOMAIN}"), 299, forwarded=1).forwarded
    assert not raw.read(went).all(b"route") and b"Smuggled" not in went.partition(b"\r\n")[2]
    field.open.expect(request("REGISTER", f"sip:{DOMAIN}", b"Expires: 0", to=to, contact=b"*"), 200)


@row("B33")
def expensive_values(field: Field) -> None:
    values = (
        b"a;" * 30_000, b'"' + b"\\" * 30_000, b"(" * 30_000, b"," * LARGE, b" " * LARGE, b"<" * LARGE, b'"' * LARGE,
        b"a=\"b\";" * 10_000, b"%" * LARGE, b"\\\"" * 30_000, b"@" * LARGE, b":" * LARGE, b"[" * LARGE,
    )  # fmt: skip
    for value in values:
        for name in (
            "via",
            "from",
            "to",
            "contact",
            "call-id",
            "route",
            "authorization",
            "www-authenticate",
            "subject",
        ):
            place = field.default if name == "authorization" else field.open
            place.see(request("MESSAGE", HOP, **{name: value}), "udp", at_once if name == "via" else answered)
        short = request("MESSAGE", HOP, b"X-Value: " + value[:9000])
        assert b"X-Value: " + value[:9000].strip(b" ") in forwarded(field.open, short)


@row("B34")
def anomalies_in_every_element(field: Field) -> None:
    place = field.fast  # which has forgotten each call soon
    way = place.way("udp")
    count = 0
    try:
        for number, data in enumerate(calls_with_anomalies()):
            way.send(data, place.address)
            count += 1
            if number % 8 == 0 or len(data) > 20_000:
                place.well(way)
        place.well(way)
    finally:
        way.close()
    assert count >= 4527


@row("B35")
def session_descriptions(field: Field) -> None:
    lines = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    for body in (
        lines + b"a=\r\n", lines[:-2], lines + b"b=AS\r\n", lines + b"m=audio 1 RTP/AVP 0\r\n" * 2000,
        lines.replace(b"4000", b"99999"), lines.replace(b"c=IN IP4 192.0.2.1\r\n", b""),
        lines.replace(b"\r\n", b"\n"), lines.replace(b"- 1 1", b"- 1" + b"0" * 30 + b" 1"), b"", b"v=",
        b"=\r\n" * 1000, lines + b"a=rtpmap:\r\na=fmtp:\r\n",
    ):  # fmt: skip
        data = request("MESSAGE", HOP, b"Content-Type: application/sdp", body=body)
        assert forwarded(field.open, data).endswith(b"\r\n\r\n" + body)


@row("B36")
def bodies_that_look_like_something(field: Field) -> None:
    for body in (
        b"INVITE sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n", bytes(range(256)) * 4,
        b"\r\n\r\n\r\n", b"\0" * 500, b"Content-Length: 0\r\n\r\n", b"--boundary\r\n", b"\r\n",
    ):  # fmt: skip
        for transport in WAYS:
            went = forwarded(field.open, request("MESSAGE", HOP, body=body), transport)
            assert went.partition(b"\r\n\r\n")[2] == body
