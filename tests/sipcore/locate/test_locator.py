"""The locator: literal addresses, what is remembered and for how long, what failed, and what people are told."""

from __future__ import annotations

from collections.abc import Coroutine

import pytest

from sipcore.errors import Unavailable, Unresolvable
from sipcore.flow import Flow, Target
from sipcore.locate import Explanation, Locator, canonical_address
from sipcore.timers import Timers
from sipcore.uri import Uri, parse_uri
from tests.scripted_dns import ALL, SERVED, ScriptedDns, located, performed, shown

TWO = """
sip.example.com A 192.0.2.1
sip.example.com A 192.0.2.2
"""


def locate(uri: str, dns: ScriptedDns | None = None, served: dict[str, tuple[int, ...]] = SERVED) -> list[str]:
    return shown(located(Locator(dns or ScriptedDns(), served), uri))


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 3263 4.1", "RFC 3263 4.2")
@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sip:192.0.2.1", "udp 192.0.2.1 5060"),
        ("sip:bob@192.0.2.1:5070", "udp 192.0.2.1 5070"),
        ("sip:bob@192.0.2.1;transport=TCP", "tcp 192.0.2.1 5060"),
        ("sip:bob@192.0.2.1;transport=udp;lr", "udp 192.0.2.1 5060"),
        ("sip:bob@[2001:DB8:0:0::1]", "udp 2001:db8::1 5060"),
        ("sip:[2001:db8::1]:5070;transport=tcp", "tcp 2001:db8::1 5070"),
        ("sip:[::ffff:192.0.2.1]", "udp 192.0.2.1 5060"),
        ("sip:[2001:db8:::192.0.2.1]", "udp 2001:db8::c000:201 5060"),
        ("sip:bob@192.0.2.1;maddr=198.51.100.1", "udp 192.0.2.1 5060"),  # the caller's affair (16.6 step 7)
        ("sip:127.0.0.1", "udp 127.0.0.1 5060"),  # whoever writes it means it
        ("sips:192.0.2.1", "tls 192.0.2.1 5061"),
        ("sips:192.0.2.1:5070;transport=tcp", "tls 192.0.2.1 5070"),
        ("sip:192.0.2.1;transport=sctp", "sctp 192.0.2.1 5060"),
        ("sip:192.0.2.1;transport=ws", "ws 192.0.2.1 80"),
        ("sips:192.0.2.1;transport=ws", "wss 192.0.2.1 443"),
    ],
)
def test_an_address_is_known_at_once(uri: str, target: str) -> None:
    dns = ScriptedDns()
    found = Locator(dns, ALL).immediately(parse_uri(uri))
    assert found is not None
    assert shown(found) == [target]
    assert not dns.asked


def test_where_udp_is_not_served_tcp_is_the_default() -> None:
    for served in ({"tcp": (4,)}, {"udp": (), "tcp": (4,)}):
        assert locate("sip:192.0.2.1", None, served) == ["tcp 192.0.2.1 5060"]


def test_a_repeated_address_gives_the_same_object() -> None:
    locator = Locator(ScriptedDns(), SERVED)
    uri = parse_uri("sip:bob@192.0.2.1")
    assert locator.immediately(uri) is locator.immediately(uri)


def test_the_memory_is_bounded() -> None:
    locator = Locator(ScriptedDns("\n".join(f"{number}.example A 192.0.2.1" for number in range(9))), SERVED)
    for number in range(20_000):
        locator.immediately(parse_uri(f"sip:{number}@192.0.2.1"))
        assert len(locator._literals) <= 8_192
    assert locator._literals
    for port in range(1, 10_000):
        locator.immediately(parse_uri(f"sip:{port % 9}.example:{port}"))
        assert len(locator._plans) <= 8_192
    assert locator._plans


def test_an_ip_version_that_is_not_served_is_unresolvable() -> None:
    with pytest.raises(Unresolvable, match="of an IP version that is not served"):
        locate("sip:[2001:db8::1]", None, {"udp": (4,)})


@pytest.mark.row("C18")
@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("sip:192.0.2.1;transport=foo", "no foo here"),
        ("sip:192.0.2.1;transport=tls", "no tls here"),
        ("sip:192.0.2.1;transport=tls-sctp", "no tls-sctp here"),
        ("sips:192.0.2.1", "no tls here"),
        ("sips:192.0.2.1;transport=tcp", "no tls here"),
        ("sips:192.0.2.1;transport=ws", "no wss here"),
        ("sips:192.0.2.1;transport=udp", "sips goes by TLS, not by udp"),
        ("sip:example.com;transport=foo", "no foo here"),
        ("tel:+442079460000", "a tel URI has no address"),
    ],
)
def test_what_can_not_be_reached_is_refused_without_asking(uri: str, why: str) -> None:
    dns = ScriptedDns()
    with pytest.raises(Unresolvable, match=why.replace(".", r"\.")):
        Locator(dns, SERVED).immediately(parse_uri(uri))
    assert not dns.asked


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f.1", "192.0.2.256", "a..b", "", "a" * 64 + ".example.com", "a." * 127 + "example.com", "b\xfc"],
)
def test_a_host_that_no_dns_can_hold_is_refused_without_asking(host: str) -> None:
    dns = ScriptedDns()
    with pytest.raises(Unresolvable) as raised:
        Locator(dns, SERVED).immediately(Uri("sip", "bob", host))
    assert len(str(raised.value)) < 150
    assert not dns.asked


@pytest.mark.conformance("RFC 5922 7.3")
@pytest.mark.parametrize(
    ("uri", "domains"),
    [
        ("sips:bob@SIP.example.com.", ["sip.example.com", "sip.example.com"]),
        ("sip:sip.example.com;transport=tls", ["sip.example.com", "sip.example.com"]),
        ("sip:192.0.2.9:5070;transport=tls", ["192.0.2.9"]),
        ("sip:sip.example.com;transport=tcp", ["", ""]),
        ("sip:192.0.2.9", [""]),
    ],
)
def test_with_tls_a_target_says_whose_certificate_is_wanted(uri: str, domains: list[str]) -> None:
    found = located(Locator(ScriptedDns(TWO), ALL), uri)
    assert [target.domain for target in found] == domains


@pytest.mark.conformance("RFC 7118 5")
@pytest.mark.parametrize("host", ["df7jal23ls0d.invalid", "INVALID", "a.b.Invalid."])
def test_names_of_web_socket_clients_are_never_asked_for(host: str) -> None:
    dns = ScriptedDns()
    with pytest.raises(Unresolvable, match="a name for nowhere"):
        Locator(dns, SERVED).immediately(Uri("sip", "bob", host))
    assert not dns.asked


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
        ("", None),
        ("::1::", None),
    ],
)
def test_canonical_addresses(host: str, address: str | None) -> None:
    assert canonical_address(host) == address


# -- names ------------------------------------------------------------------------------------------------------------


def test_a_name_that_is_known_is_located_at_once() -> None:
    assert locate("sip:bob@SIP.example.com.:5070;transport=tcp", ScriptedDns(TWO)) == [
        "tcp 192.0.2.1 5070",
        "tcp 192.0.2.2 5070",
    ]


def test_a_name_that_is_not_known_is_asked_for() -> None:
    locator = Locator(ScriptedDns(TWO, remote=True), SERVED)
    uri = parse_uri("sip:bob@sip.example.com:5080")
    assert locator.immediately(uri) is None
    assert shown(performed(locator.need(uri))) == ["udp 192.0.2.1 5080", "udp 192.0.2.2 5080"]
    assert locator.immediately(uri) == performed(locator.need(uri))  # and known from then on


def test_a_need_for_an_address_asks_nobody() -> None:
    dns = ScriptedDns()
    assert shown(performed(Locator(dns, SERVED).need(parse_uri("sip:192.0.2.1")))) == ["udp 192.0.2.1 5060"]
    assert not dns.asked


def test_a_need_is_bounded_in_time() -> None:
    assert Locator(ScriptedDns(), SERVED, longest=2.5).need(parse_uri("sip:example.com")).timeout == 2.5


@pytest.mark.parametrize("remote", [False, True])
def test_errors_reach_whoever_waits(remote: bool) -> None:
    dns = ScriptedDns(remote=remote, silent={"down.example.com", "_sip._udp.down.example.com"})
    with pytest.raises(Unavailable, match=r"can't reach down\.example\.com: no answer for SRV"):
        locate("sip:down.example.com", dns)
    with pytest.raises(Unresolvable, match=r"can't reach none\.example\.com: .* it has no address"):
        locate("sip:none.example.com", dns)


def test_what_was_found_is_used_as_long_as_it_lives() -> None:
    timers = Timers(100.0)
    dns = ScriptedDns(TWO, expires=160.0)
    locator = Locator(dns, SERVED, timers)
    located(locator, "sip:1@sip.example.com:5070")
    asked = len(dns.asked)
    timers.now = 159.9
    located(locator, "sip:2@sip.example.com:5070")  # another user of the same host
    assert len(dns.asked) == asked
    timers.now = 160.0
    located(locator, "sip:2@sip.example.com:5070")
    assert len(dns.asked) == 2 * asked


def test_each_request_draws_anew_and_keeps_its_own_order() -> None:
    dns = ScriptedDns(
        """
        _sip._udp.example.com SRV 1 1 5061 a.example.com
        _sip._udp.example.com SRV 1 1 5062 b.example.com
        a.example.com A 192.0.2.1
        b.example.com A 192.0.2.2
        """
    )
    bytes_ = iter([b"\0", b"\2", b"\0"])
    locator = Locator(dns, SERVED, random_bytes=lambda size: next(bytes_).rjust(size, b"\0"))
    orders = [[target.port for target in located(locator, "sip:example.com")] for _ in range(3)]
    assert orders == [[5061, 5062], [5062, 5061], [5061, 5062]]


# -- what failed ------------------------------------------------------------------------------------------------------

PEER = ("192.0.2.1", 5070)
URI = "sip:sip.example.com:5070"


def flow_to(host: str = "192.0.2.1", transport: str = "udp") -> Flow:
    return Flow(transport, ("10.0.0.1", 5060), (host, 5070))


def hosts(locator: Locator, uri: str = URI) -> list[str]:
    return [target.host for target in located(locator, uri)]


@pytest.mark.row("C32")
def test_a_target_that_failed_is_last_for_half_a_minute() -> None:
    timers = Timers(100.0)
    locator = Locator(ScriptedDns(TWO), SERVED, timers)
    assert hosts(locator) == ["192.0.2.1", "192.0.2.2"]
    locator.failed(flow_to())
    assert hosts(locator) == ["192.0.2.2", "192.0.2.1"]
    assert hosts(locator, URI + ";transport=tcp") == ["192.0.2.1", "192.0.2.2"]  # of this one nothing is known
    timers.now = 129.9
    assert hosts(locator) == ["192.0.2.2", "192.0.2.1"]
    timers.now = 130.0
    assert hosts(locator) == ["192.0.2.1", "192.0.2.2"]


def test_when_all_have_failed_all_are_tried() -> None:
    locator = Locator(ScriptedDns(TWO), SERVED)
    locator.failed(flow_to())
    locator.failed(flow_to("192.0.2.2"))
    assert hosts(locator) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.conformance("RFC 3261 21.5.4")
@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(b"120", 120), (b"7;duration=3600 (sorry)", 7), (b"999999999", 3_600)]
)
def test_a_target_that_asked_for_a_pause_is_left_alone(retry_after: bytes, seconds: float) -> None:
    timers = Timers(100.0)
    locator = Locator(ScriptedDns(TWO), SERVED, timers)
    locator.overloaded(flow_to(), retry_after)
    timers.now = 100.0 + seconds - 0.1
    assert hosts(locator) == ["192.0.2.2"]
    timers.now = 100.0 + seconds
    assert hosts(locator) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("retry_after", [None, b"", b"soon", b"-1"])
def test_a_503_that_names_no_time_counts_like_any_failure(retry_after: bytes | None) -> None:
    locator = Locator(ScriptedDns(TWO), SERVED)
    locator.overloaded(flow_to(), retry_after)
    assert hosts(locator) == ["192.0.2.2", "192.0.2.1"]


def test_the_only_target_is_tried_whatever_it_said() -> None:
    locator = Locator(ScriptedDns(TWO), SERVED)
    for host in ("192.0.2.1", "192.0.2.2"):
        locator.overloaded(flow_to(host), b"60")
    assert hosts(locator) == ["192.0.2.1", "192.0.2.2"]
    assert hosts(locator, "sip:192.0.2.1:5070") == ["192.0.2.1"]


def test_the_list_of_failures_is_bounded() -> None:
    locator = Locator(ScriptedDns(TWO), SERVED)
    locator.failed(flow_to())
    for number in range(5_000):
        locator.failed(flow_to(f"10.0.{number // 250}.{number % 250}"))
    assert len(locator._greylist) == 4_096
    assert hosts(locator) == ["192.0.2.1", "192.0.2.2"]


# -- what people are told ---------------------------------------------------------------------------------------------


def explained(locator: Locator, uri: str) -> Explanation:
    call = locator.explain(parse_uri(uri))
    assert isinstance(call, Coroutine)
    try:
        call.send(None)
    except StopIteration as end:
        found: Explanation = end.value
        return found
    raise AssertionError("it waits for something else than the resolver")


def test_an_explanation_names_each_candidate_once_and_what_is_skipped() -> None:
    dns = ScriptedDns(
        """
        example.com NAPTR 10 20 s SIP+D2T "" _sip._tcp.example.com
        example.com NAPTR 10 30 s SIP+D2S "" _sip._sctp.example.com
        _sip._tcp.example.com SRV 5 1 5071 a.example.com
        _sip._tcp.example.com SRV 6 1 5071 b.example.com
        _sip._tcp.example.com SRV 7 1 0 c.example.com
        a.example.com A 192.0.2.1
        b.example.com A 192.0.2.1
        b.example.com A 127.0.0.1
        b.example.com AAAA 2001:db8::1
        """
    )
    locator = Locator(dns, SERVED)
    found = explained(locator, "sip:example.com")
    assert [(*candidate.target[:3], candidate.origin) for candidate in found.candidates] == [
        (
            "tcp",
            "192.0.2.1",
            5071,
            "NAPTR example.com 10 20 SIP+D2T, SRV _sip._tcp.example.com 5 1 5071, A a.example.com",
        ),
        (
            "tcp",
            "2001:db8::1",
            5071,
            "NAPTR example.com 10 20 SIP+D2T, SRV _sip._tcp.example.com 6 1 5071, AAAA b.example.com",
        ),
    ]
    assert [tuple(skipped) for skipped in found.skipped] == [
        ("NAPTR example.com 10 30 SIP+D2S", "no sctp here"),
        ("SRV _sip._tcp.example.com 7 1 0 c.example.com", "port 0 is none"),
        ("A b.example.com 127.0.0.1", "an address of this machine itself"),
    ]


def test_an_explanation_of_an_address_and_of_one_that_asked_for_a_pause() -> None:
    locator = Locator(ScriptedDns(TWO), SERVED)
    assert explained(locator, "sip:192.0.2.9").candidates[0] == (Target("udp", "192.0.2.9", 5060), "the URI")
    locator.overloaded(flow_to(), b"60")
    found = explained(locator, URI)
    assert [candidate.target.host for candidate in found.candidates] == ["192.0.2.2"]
    assert found.skipped == (("A sip.example.com", "it asked for a pause: for another 60 s others go before it"),)
