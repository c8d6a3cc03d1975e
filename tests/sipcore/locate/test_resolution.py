"""The rules of RFC 3263 section 4, each with a zone of its own, and what hostile or broken zones come to."""

from __future__ import annotations

import pytest

from sipcore.errors import Unavailable, Unresolvable
from sipcore.locate import Answer, Locator, Question
from tests.scripted_dns import ALL, SERVED, ScriptedDns, located, shown

# The example of section 4.1, and servers for its services.
EXAMPLE = """
example.com NAPTR 50 50 s SIPS+D2T "" _sips._tcp.example.com.
example.com NAPTR 90 50 s SIP+D2T "" _sip._tcp.example.com
example.com NAPTR 100 50 s SIP+D2U "" _sip._udp.example.com.
_sips._tcp.example.com SRV 0 1 5061 server1.example.com
_sip._tcp.example.com SRV 0 0 5070 server1.example.com
_sip._tcp.example.com SRV 1 0 5070 server2.example.com
_sip._udp.example.com SRV 0 1 5080 server1.example.com
server1.example.com A 192.0.2.1
server2.example.com A 192.0.2.2
"""


def locate(uri: str, zone: str, served: dict[str, tuple[int, ...]] = SERVED, **options: bool) -> list[str]:
    return shown(located(Locator(ScriptedDns(zone), served, **options), uri))


def kinds(dns: ScriptedDns) -> list[str]:
    return [f"{question.kind} {question.name}" for question in dns.asked]


# -- transport (section 4.1) ------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 3263 4.1")
@pytest.mark.parametrize(
    ("uri", "served", "found"),
    [
        ("sip:example.com", SERVED, ["tcp 192.0.2.1 5070", "tcp 192.0.2.2 5070"]),  # as section 4.1 tells it
        ("sip:example.com", ALL, ["tls 192.0.2.1 5061"]),  # SIPS is retained where TLS is supported
        ("sip:example.com", {"udp": (4,)}, ["udp 192.0.2.1 5080"]),
        ("sips:example.com", ALL, ["tls 192.0.2.1 5061"]),
        ("sip:example.com;transport=udp", ALL, ["udp 192.0.2.1 5080"]),  # said explicitly: no NAPTR
        ("sip:example.com;transport=tcp", ALL, ["tcp 192.0.2.1 5070", "tcp 192.0.2.2 5070"]),
        ("sip:example.com;transport=tls", ALL, ["tls 192.0.2.1 5061"]),
    ],
)
def test_the_transport_is_chosen_by_naptr_or_by_the_uri(
    uri: str, served: dict[str, tuple[int, ...]], found: list[str]
) -> None:
    assert locate(uri, EXAMPLE, served) == found


@pytest.mark.conformance("RFC 3263 4.1")
def test_records_of_the_lowest_order_are_used_by_preference_and_no_others() -> None:
    zone = EXAMPLE.replace("90 50", "100 10")
    assert locate("sip:example.com", zone) == ["tcp 192.0.2.1 5070", "tcp 192.0.2.2 5070", "udp 192.0.2.1 5080"]


@pytest.mark.conformance("RFC 3263 4.1")
def test_sips_never_goes_without_tls() -> None:
    zone = EXAMPLE.replace("example.com NAPTR 50 50 s SIPS", "other.com NAPTR 50 50 s SIPS")
    assert locate("sips:example.com", zone, ALL) == ["tls 192.0.2.1 5061"]
    with pytest.raises(Unresolvable):
        locate("sips:example.com", zone.replace("_sips._tcp.example.com SRV", "_gone SRV"), ALL)


@pytest.mark.row("C18")
@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize(
    ("uri", "zone", "served", "why"),
    [
        ("sips:example.com", "example.com A 192.0.2.1", SERVED, "no tls here"),
        ("sips:example.com", EXAMPLE, SERVED, "no tls here"),
        ("sips:example.com", "_sips._tcp.example.com SRV 0 1 5061 a.example.com", SERVED, "no tls here"),
        ("sip:example.com", "example.com A 192.0.2.1", {"tls": (4,)}, "no udp here"),
        ("sip:example.com", "", {"udp": (), "tls": (4,)}, "no udp here"),
    ],
)
def test_what_no_transport_leads_to_is_unresolvable(
    uri: str, zone: str, served: dict[str, tuple[int, ...]], why: str, remote: bool
) -> None:
    with pytest.raises(Unresolvable, match=f"can't reach example.com: {why}"):
        located(Locator(ScriptedDns(zone, remote=remote), served), uri)


@pytest.mark.conformance("RFC 3263 4.1", "RFC 4168 6")
@pytest.mark.parametrize(
    ("record", "found"),
    [
        ('s SIP+D2S "" _srv', "sctp 192.0.2.1 5090"),
        ('s SIP+D2W "" _srv', "ws 192.0.2.1 5090"),
        ('s SIPS+D2W "" _srv', "wss 192.0.2.1 5090"),
        ('a SIP+D2T "" host.example.com', "tcp 192.0.2.1 5060"),  # straight to a host, at the default port
        ('S sip+d2u "" _srv', "udp 192.0.2.1 5090"),
    ],
)
def test_services_that_are_known(record: str, found: str) -> None:
    zone = f"example.com NAPTR 1 1 {record}\n_srv SRV 0 0 5090 host.example.com\nhost.example.com A 192.0.2.1"
    assert locate("sip:example.com", zone, ALL) == [found]


@pytest.mark.row("C28")
@pytest.mark.parametrize(
    "record",
    [
        's SIPS+D2U "" _srv',  # TLS over UDP: SHOULD NOT be there
        's E2U+sip "" _srv',
        's SIP+D2X "" _srv',
        's SIP+D2T "" .',
        "s SIP+D2T !.*!sip:evil! _srv",
        'u SIP+D2T "" _srv',
        '"" SIP+D2T "" example.com',  # leads to itself
        's SIP+D2S "" _srv',  # not served
    ],
)
def test_a_naptr_record_that_can_not_be_used_is_none(record: str) -> None:
    zone = f"""
        example.com NAPTR 1 1 {record}
        _srv SRV 0 0 5090 evil.example.com
        _sip._udp.example.com SRV 0 0 5070 host.example.com
        host.example.com A 192.0.2.1
        """
    assert locate("sip:example.com", zone) == ["udp 192.0.2.1 5070"]


@pytest.mark.conformance("RFC 3263 4.1")
def test_without_naptr_each_transport_is_asked_for() -> None:
    dns = ScriptedDns(EXAMPLE.replace(" NAPTR ", " TXT "))
    found = shown(located(Locator(dns, ALL), "sip:example.com"))
    assert found == ["udp 192.0.2.1 5080", "tcp 192.0.2.1 5070", "tcp 192.0.2.2 5070"]
    assert kinds(dns)[:4] == [
        "NAPTR example.com",
        "SRV _sip._udp.example.com",
        "SRV _sip._tcp.example.com",
        "SRV _sip._sctp.example.com",
    ]
    dns = ScriptedDns(dns.zone)
    assert shown(located(Locator(dns, ALL), "sips:example.com")) == ["tls 192.0.2.1 5061"]
    assert "SRV _sips._tcp.example.com" in kinds(dns)
    assert "SRV _sip._tcp.example.com" not in kinds(dns)


# -- port and address (section 4.2) -----------------------------------------------------------------------------------

HOST = "example.com A 192.0.2.7\nexample.com AAAA 2001:db8::7"


@pytest.mark.conformance("RFC 3263 4.2")
@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("sip:example.com", "udp 192.0.2.7 5060"),
        ("sip:example.com;transport=tcp", "tcp 192.0.2.7 5060"),
        ("sip:example.com;transport=tls", "tls 192.0.2.7 5061"),
        ("sip:example.com;transport=ws", "ws 192.0.2.7 80"),
        ("sips:example.com", "tls 192.0.2.7 5061"),
    ],
)
def test_without_srv_the_domain_itself_is_asked_for_at_the_default_port(uri: str, found: str) -> None:
    assert locate(uri, HOST, ALL)[0] == found


@pytest.mark.conformance("RFC 3263 4.2")
@pytest.mark.parametrize(
    ("uri", "transport"),
    [("sip:example.com:5060", "udp"), ("sip:example.com:5060;transport=tcp", "tcp"), ("sips:example.com:5060", "tls")],
)
def test_with_a_port_only_addresses_are_asked_for(uri: str, transport: str) -> None:
    dns = ScriptedDns(HOST + EXAMPLE)
    assert shown(located(Locator(dns, ALL), uri)) == [f"{transport} 192.0.2.7 5060", f"{transport} 2001:db8::7 5060"]
    assert {question.kind for question in dns.asked} == {"A", "AAAA"}


def test_a_naptr_record_whose_srv_is_missing_falls_back_to_addresses_with_its_transport() -> None:
    zone = HOST + '\nexample.com NAPTR 1 1 s SIP+D2T "" _none.example.com'
    assert locate("sip:example.com", zone)[0] == "tcp 192.0.2.7 5060"


@pytest.mark.conformance("RFC 3263 4.3")
def test_servers_come_by_priority() -> None:
    zone = """
        _sip._udp.example.com SRV 20 0 5063 c.example.com
        _sip._udp.example.com SRV 10 0 5062 b.example.com
        _sip._udp.example.com SRV 0 0 5061 a.example.com
        a.example.com A 192.0.2.1
        a.example.com A 192.0.2.11
        b.example.com A 192.0.2.2
        c.example.com A 192.0.2.3
        """
    assert locate("sip:example.com;transport=udp", zone) == [
        "udp 192.0.2.1 5061",
        "udp 192.0.2.11 5061",
        "udp 192.0.2.2 5062",
        "udp 192.0.2.3 5063",
    ]


@pytest.mark.conformance("RFC 3263 4.3")
def test_a_service_that_is_decidedly_not_available_is_not_looked_for_elsewhere() -> None:
    with pytest.raises(Unresolvable, match="the service is not offered"):
        locate("sip:example.com;transport=udp", HOST + "\n_sip._udp.example.com SRV 0 0 0 .")


@pytest.mark.row("C28")
@pytest.mark.parametrize("target", ["192.0.2.99", "a_b..c", "x" * 64, "\\032.example.com", "evil.example.com\\000"])
def test_an_srv_target_that_is_no_host_name_is_skipped(target: str) -> None:
    zone = f"""
        _sip._udp.example.com SRV 0 0 5061 {target}
        _sip._udp.example.com SRV 1 0 5062 a.example.com
        a.example.com A 192.0.2.1
        """
    assert locate("sip:example.com;transport=udp", zone) == ["udp 192.0.2.1 5062"]


def test_a_server_without_address_does_not_hide_the_others() -> None:
    zone = EXAMPLE.replace("server1.example.com A", "nobody.example.com A")
    assert locate("sip:example.com", zone) == ["tcp 192.0.2.2 5070"]


# -- both IP versions -------------------------------------------------------------------------------------------------

BOTH = """
_sip._udp.example.com SRV 0 0 5061 a.example.com
_sip._udp.example.com SRV 1 0 5062 b.example.com
a.example.com A 192.0.2.1
a.example.com AAAA 2001:db8::1
b.example.com A 192.0.2.2
b.example.com AAAA 2001:db8::2
"""


@pytest.mark.conformance("RFC 6157 5", "RFC 7984 3")
@pytest.mark.parametrize(
    ("versions", "hosts"),
    [
        ((4, 6), ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"]),
        ((6, 4), ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]),
        ((4,), ["192.0.2.1", "192.0.2.2"]),
        ((6,), ["2001:db8::1", "2001:db8::2"]),
    ],
)
def test_each_server_gives_its_addresses_of_all_versions_before_the_next(
    versions: tuple[int, ...], hosts: list[str]
) -> None:
    dns = ScriptedDns(BOTH)
    found = located(Locator(dns, {"udp": versions}), "sip:example.com;transport=udp")
    assert [target.host for target in found] == hosts
    assert {question.kind for question in dns.asked} == {"SRV", *("A" if one == 4 else "AAAA" for one in versions)}


def test_questions_that_can_be_asked_side_by_side_are() -> None:
    dns = ScriptedDns(BOTH, remote=True)
    located(Locator(dns, SERVED), "sip:example.com")
    assert dns.batches == [1, 2, 4]  # NAPTR; SRV for UDP and TCP; A and AAAA of both hosts


# -- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("C28")
def test_a_server_that_knows_no_naptr_does_not_end_the_search() -> None:
    dns = ScriptedDns(BOTH, silent={"example.com"})  # where only NAPTR is asked for
    assert shown(located(Locator(dns, SERVED), "sip:example.com"))[0] == "udp 192.0.2.1 5061"


@pytest.mark.row("C28")
def test_without_an_answer_for_srv_the_domain_itself_is_not_guessed() -> None:
    dns = ScriptedDns(HOST, silent={"_sip._udp.example.com"})
    with pytest.raises(Unavailable, match=r"no answer for SRV _sip\._udp\.example\.com: nobody there"):
        located(Locator(dns, SERVED), "sip:example.com")


@pytest.mark.row("C28")
def test_one_transport_or_server_that_nobody_answers_for_does_not_hide_the_others() -> None:
    dns = ScriptedDns(BOTH, silent={"_sip._tcp.example.com", "a.example.com"})
    found = located(Locator(dns, SERVED), "sip:example.com")
    assert [target.host for target in found] == ["192.0.2.2", "2001:db8::2"]


@pytest.mark.row("C28")
def test_nobody_answers_for_any_address() -> None:
    dns = ScriptedDns(BOTH, silent={"a.example.com", "b.example.com"})
    with pytest.raises(Unavailable, match=r"no answer for (A|AAAA) b\.example\.com"):
        located(Locator(dns, SERVED), "sip:example.com")


@pytest.mark.row("C28")
def test_five_hundred_records_are_cut() -> None:
    lines = [f"_sip._udp.example.com SRV {499 - number} 0 5060 n{number}.example.com" for number in range(500)]
    lines += [
        f"n{number}.example.com A 10.{number // 200}.{number % 200}.{last}"
        for number in range(500)
        for last in range(3)
    ]
    dns = ScriptedDns("\n".join(lines))
    found = located(Locator(dns, {"udp": (4,)}), "sip:example.com;transport=udp")
    assert len(found) == 64 * 3
    assert found[0].host == "10.2.99.0"  # the most wanted ones are kept
    assert len(dns.asked) == 1 + 64

    zone = "\n".join(f"big.example.com A 10.0.{number // 200}.{number % 200}" for number in range(500))
    assert len(locate("sip:big.example.com:5060", zone)) == 16

    zone = "\n".join(f'example.com NAPTR 1 {number} s SIP+D2U "" _{number}.example.com' for number in range(500))
    dns = ScriptedDns(zone)
    with pytest.raises(Unresolvable):
        located(Locator(dns, SERVED), "sip:example.com")
    assert len(dns.asked) == 1 + 64 + 2


@pytest.mark.row("C29")
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "224.0.1.75",
        "ff02::1",
        "::",
        "240.0.0.1",
        "169.254.169.254",
        "fe80::1",
    ],
)
def test_addresses_that_nobody_else_can_have_are_not_sent_to(address: str) -> None:
    kind = "AAAA" if ":" in address else "A"
    with pytest.raises(Unresolvable, match="an address of"):
        locate("sip:evil.example.com:25", f"evil.example.com {kind} {address}")


@pytest.mark.row("C29")
def test_loopback_is_for_servers_that_live_there_and_for_the_hosts_file() -> None:
    zone = "me.example.com A 127.0.0.1"
    assert locate("sip:me.example.com:5060", zone, loopback=True) == ["udp 127.0.0.1 5060"]
    dns = ScriptedDns(zone, local=True)
    assert shown(located(Locator(dns, SERVED), "sip:me.example.com:5060")) == ["udp 127.0.0.1 5060"]


@pytest.mark.row("C29")
def test_answers_of_another_kind_are_not_mistaken() -> None:
    class Confused(ScriptedDns):
        def answer(self, question: Question) -> Answer:
            return super().answer(Question("server1.example.com", "A"))

    dns = Confused(EXAMPLE)
    assert shown(located(Locator(dns, {"udp": (4,)}), "sip:example.com")) == ["udp 192.0.2.1 5060"]
