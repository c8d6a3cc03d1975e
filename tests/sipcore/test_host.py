from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.host import Kind, kind_of, parse_host, plain_address


@pytest.mark.row("B26", "B27")
@pytest.mark.conformance("RFC 5118 4.9", "RFC 5118 4.10")
@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com", "example.com"),
        ("example.com.", "example.com"),
        ("localhost", "localhost"),
        ("my_phone-1", "my_phone-1"),
        ("4ward.example", "4ward.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1.", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("[2001:db8::10:5070]", "2001:db8::10:5070"),
        ("[::ffff:192.0.2.2]", "::ffff:192.0.2.2"),
        ("[::FFFF:c000:202]", "::ffff:192.0.2.2"),
        ("[2001:db8:::192.0.2.1]", "2001:db8::c000:201"),
        ("[2001:db8::192.0.2.1]", "2001:db8::c000:201"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 63] * 3 + ["b" * 61]), ".".join(["a" * 63] * 3 + ["b" * 61])),
        (".".join(["a" * 63] * 3 + ["b" * 61]) + ".", ".".join(["a" * 63] * 3 + ["b" * 61])),
    ],
)
def test_hosts_have_one_comparable_form(text: str, host: str) -> None:
    assert parse_host(text) == host


@pytest.mark.row("B26", "B27")
@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "a..b", ".a", "a b", "a\tb", "bücher.example", "a\x00b", "a@b", "a:b", "a/b", "a%41b",
        "127.1", "0x7f.1", "1.2.3.4.5", "256.0.0.1", "010.0.0.1", "1", "example.123",
        "a" * 64 + ".example", ".".join(["a" * 63] * 3 + ["b" * 62]), "a." * 200,
        "[::1", "::1]", "[]", "[1::2::3]", "[::::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[12345::]", "[1.2.3.4]",
        "[2001:db8::1]x", "[[::1]]",
    ],
)  # fmt: skip
def test_what_is_no_host_is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as raised:
        parse_host(text)
    assert raised.value.status == 400


@pytest.mark.row("B26")
@pytest.mark.conformance("RFC 5118 4.9")
@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("phone.example.com", "phone.example.com"),
        ("nonsense::::", "nonsense::::"),
    ],
)
def test_addresses_of_sockets_and_headers_have_one_form(text: str, plain: str) -> None:
    assert plain_address(text) == plain


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("example.com", Kind.NAME),
        ("df7jal23ls0d.invalid", Kind.NOWHERE),
        ("192.0.2.1", Kind.PUBLIC),
        ("2001:db8::1", Kind.PUBLIC),
        ("10.1.2.3", Kind.PRIVATE),
        ("172.31.0.1", Kind.PRIVATE),
        ("192.168.1.1", Kind.PRIVATE),
        ("100.64.0.1", Kind.PRIVATE),
        ("169.254.1.1", Kind.PRIVATE),
        ("fe80::1", Kind.PRIVATE),
        ("fd00::1", Kind.PRIVATE),
        ("127.0.0.1", Kind.LOOPBACK),
        ("::1", Kind.LOOPBACK),
        ("::ffff:127.0.0.1", Kind.LOOPBACK),
        ("0.0.0.0", Kind.UNUSABLE),
        ("0.1.2.3", Kind.UNUSABLE),
        ("255.255.255.255", Kind.UNUSABLE),
        ("224.0.1.75", Kind.UNUSABLE),
        ("ff02::1", Kind.UNUSABLE),
        ("::", Kind.UNUSABLE),
        ("::ffff:0.0.0.0", Kind.UNUSABLE),
    ],
)
def test_kinds_of_hosts(host: str, kind: Kind) -> None:
    assert kind_of(host) is kind
