"""Which addresses a URI stands for (RFC 3263 section 4), with a resolver that is told what to answer."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from sipcore.errors import Unavailable, Unresolvable
from sipcore.flow import Target
from sipcore.locate import Locator, canonical_address
from sipcore.need import Need
from sipcore.uri import Uri, parse_uri

UDP_TCP = {"udp": (4, 6), "tcp": (4, 6)}


@dataclass
class Names:
    """`known` is cached, `remote` must be asked for; a name in neither is unresolvable."""

    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    remote: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def cached(self, host: str) -> tuple[str, ...] | None:
        return self.known.get(host)

    async def addresses(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        if host == "down.example.com":
            raise Unavailable("no answer")
        if host not in self.remote:
            raise Unresolvable(f"{host} has no address")
        return self.remote[host]


def performed(need: Need[tuple[Target, ...]]) -> tuple[Target, ...]:
    """What the network layer would give back for a need."""
    call = need.call(*need.arguments)
    assert isinstance(call, Coroutine)
    try:
        call.send(None)
    except StopIteration as end:
        found: tuple[Target, ...] = end.value
        return found
    raise AssertionError("it waits for something else than the resolver")


def locate(uri: str, names: Any = None, transports: dict[str, tuple[int, ...]] = UDP_TCP) -> list[tuple[str, str, int]]:
    """The targets of a URI, asked for if need be."""
    locator = Locator(names or Names(), transports)
    found = locator.immediately(parse_uri(uri))
    return [tuple(target) for target in (performed(locator.need(parse_uri(uri))) if found is None else found)]


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sip:192.0.2.1", ("udp", "192.0.2.1", 5060)),
        ("sip:bob@192.0.2.1:5070", ("udp", "192.0.2.1", 5070)),
        ("sip:bob@192.0.2.1;transport=TCP", ("tcp", "192.0.2.1", 5060)),
        ("sip:bob@192.0.2.1;transport=udp;lr", ("udp", "192.0.2.1", 5060)),
        ("sip:bob@[2001:DB8:0:0::1]", ("udp", "2001:db8::1", 5060)),
        ("sip:[2001:db8::1]:5070;transport=tcp", ("tcp", "2001:db8::1", 5070)),
        ("sip:[::ffff:192.0.2.1]", ("udp", "192.0.2.1", 5060)),
        ("sip:[2001:db8:::192.0.2.1]", ("udp", "2001:db8::c000:201", 5060)),
        ("sip:bob@192.0.2.1;maddr=198.51.100.1", ("udp", "192.0.2.1", 5060)),  # the caller's affair (16.6 step 7)
    ],
)
def test_an_address_is_known_at_once(uri: str, target: tuple[str, str, int]) -> None:
    assert locate(uri, names=Names()) == [target]


def test_a_repeated_address_gives_the_same_object() -> None:
    locator = Locator(Names(), UDP_TCP)
    uri = parse_uri("sip:bob@192.0.2.1")
    assert locator.immediately(uri) is locator.immediately(uri)


def test_the_memory_of_addresses_is_bounded() -> None:
    locator = Locator(Names(), UDP_TCP)
    for number in range(20_000):
        locator.immediately(parse_uri(f"sip:{number}@192.0.2.1"))
        assert len(locator._literals) <= 8_192
    assert locator._literals


def test_a_name_that_is_cached_is_known_at_once() -> None:
    names = Names(known={"sip.example.com": ("192.0.2.1", "192.0.2.2")})
    assert locate("sip:bob@SIP.example.com.;transport=tcp", names) == [
        ("tcp", "192.0.2.1", 5060),
        ("tcp", "192.0.2.2", 5060),
    ]
    assert names.asked == []


def test_a_name_that_is_not_cached_is_asked_for() -> None:
    names = Names(remote={"sip.example.com": ("192.0.2.1",)})
    locator = Locator(names, UDP_TCP)
    uri = parse_uri("sip:bob@sip.example.com:5080")
    assert locator.immediately(uri) is None
    assert performed(locator.need(uri)) == (("udp", "192.0.2.1", 5080),)
    assert names.asked == ["sip.example.com"]


def test_a_need_for_an_address_asks_nobody() -> None:
    names = Names()
    assert performed(Locator(names, UDP_TCP).need(parse_uri("sip:192.0.2.1"))) == (("udp", "192.0.2.1", 5060),)
    assert names.asked == []


def test_errors_of_the_resolver_reach_whoever_waits() -> None:
    with pytest.raises(Unavailable):
        locate("sip:down.example.com")
    with pytest.raises(Unresolvable, match=r"none\.example\.com has no address"):
        locate("sip:none.example.com")


def test_a_name_known_to_have_no_address_is_unresolvable_at_once() -> None:
    names = Names(known={"none.example.com": ()})
    with pytest.raises(Unresolvable, match="it has no address"):
        Locator(names, UDP_TCP).immediately(parse_uri("sip:none.example.com"))


BOTH = {"both.example.com": ("192.0.2.1", "2001:db8::1", "192.0.2.2")}


@pytest.mark.parametrize(
    ("versions", "hosts"),
    [
        ((4, 6), ["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        ((6, 4), ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
        ((4,), ["192.0.2.1", "192.0.2.2"]),
        ((6,), ["2001:db8::1"]),
    ],
)
def test_versions_that_are_served_come_in_their_order(versions: tuple[int, ...], hosts: list[str]) -> None:
    found = locate("sip:both.example.com", Names(known=BOTH), {"udp": versions})
    assert [host for _, host, _ in found] == hosts


@pytest.mark.parametrize("uri", ["sip:[2001:db8::1]", "sip:six.example.com"])
def test_an_ip_version_that_is_not_served_is_unresolvable(uri: str) -> None:
    names = Names(known={"six.example.com": ("2001:db8::1",)})
    with pytest.raises(Unresolvable, match="of an IP version that is not served"):
        locate(uri, names, {"udp": (4,)})


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("sip:192.0.2.1;transport=foo", "no foo here"),
        ("sip:192.0.2.1;transport=tls", "no tls here"),
        ("sips:192.0.2.1", "no tls here"),
        ("sips:192.0.2.1;transport=tcp", "no tls here"),
        ("sips:192.0.2.1;transport=ws", "no wss here"),
        ("sips:192.0.2.1;transport=udp", "sips goes by TLS, not by udp"),
        ("tel:+442079460000", "a tel URI has no address"),
    ],
)
def test_what_has_no_address_is_refused_without_asking(uri: str, why: str) -> None:
    names = Names()
    with pytest.raises(Unresolvable, match=why.replace(".", r"\.")):
        Locator(names, UDP_TCP).immediately(parse_uri(uri))
    assert names.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f.1", "192.0.2.256", "a..b", "", "a" * 64 + ".example.com", "a." * 127 + "example.com", "b\xfc"],
)
def test_a_host_that_no_dns_can_hold_is_refused_without_asking(host: str) -> None:
    names = Names()
    with pytest.raises(Unresolvable) as raised:
        Locator(names, UDP_TCP).immediately(Uri("sip", "bob", host))
    assert len(str(raised.value)) < 150
    assert names.asked == []


def test_sips_goes_by_tls_when_it_is_served() -> None:
    transports = {**UDP_TCP, "tls": (4,)}
    assert locate("sips:192.0.2.1", None, transports) == [("tls", "192.0.2.1", 5061)]
    assert locate("sips:192.0.2.1;transport=tcp", None, transports) == [("tls", "192.0.2.1", 5061)]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::FFFF:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", None),
        ("example.com", None),
        ("256.0.0.1", None),
        ("1.2.3", None),
        ("1.2.3.4.5", None),
        ("\u0661.2.3.4", None),
        ("1.2.3.4\n", None),
        ("", None),
    ],
)
def test_canonical_addresses(host: str, address: str | None) -> None:
    assert canonical_address(host) == address
