"""Domains that only the DNS knows, with bind9: found through NAPTR and SRV, called although a server is down."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sipp_runner.ports import LOOPBACK, free_port
from sipp_runner.server import Server

from tests import raw
from tests.loopback import Arrival, Datagrams, NextHop
from tests.servers.conftest import NewServer
from tests.servers.named import Named

pytestmark = pytest.mark.program("named")
ZONE = "carrier.example"
_numbers = itertools.count(1)


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with NextHop(LOOPBACK, status=b"200 OK") as made:
        yield made


@pytest.fixture
def caller() -> Iterator[Datagrams]:
    made = Datagrams(LOOPBACK)
    yield made
    made.close()


def request(method: str, caller: Datagrams, *headers: str, call: str = "", uri: str = f"sip:bob@{ZONE}") -> bytes:
    number = next(_numbers)
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {LOOPBACK}:{caller.port};branch=z9hG4bKnamed{number};rport",
        "Max-Forwards: 70",
        f"From: <sip:alice@example.com>;tag=alice{call}",
        f"To: <sip:bob@{ZONE}>{';tag=next-hop' if call else ''}",
        f"Call-ID: {call or f'named-{number}'}",
        f"CSeq: {number} {method}",
        f"Contact: <sip:alice@{LOOPBACK}:{caller.port}>",
        *headers,
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def relaying(
    new_server: NewServer, folder: Path, named: Named, text: str = "on request { relay() }", more: str = ""
) -> Server:
    """A server that relays everything to where its Request-URI leads, or what else its route says."""
    route = folder / "relay.route"
    route.write_text(text + "\n")
    made = new_server(route=route, configuration=f'[dns]\nservers = ["{named.address}"]\n{more}')
    made.add_users([])
    made.start()
    return made


def final(caller: Datagrams, wait: float = 5.0) -> raw.Raw:
    """The next final response."""
    deadline = time.monotonic() + wait
    while True:
        arrival: Arrival | None = caller.receive(deadline - time.monotonic())
        assert arrival is not None, f"no final response within {wait} s"
        if arrival.raw.status >= 200:
            return arrival.raw


@pytest.mark.conformance("RFC 3263 4.1", "RFC 3263 4.2", "RFC 3263 4.3")
@pytest.mark.row("C32")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_to_a_domain_whose_first_server_is_down(
    new_server: NewServer, tmp_path: Path, hop: NextHop, caller: Datagrams, transport: str
) -> None:
    service = {"udp": "SIP+D2U", "tcp": "SIP+D2T"}[transport]
    records = f"""
@ IN NAPTR 10 10 "s" "SIP+D2S" "" _sip._sctp
@ IN NAPTR 20 10 "s" "{service}" "" _sip._{transport}.servers
_sip._{transport}.servers IN SRV 1 0 {free_port()} first
_sip._{transport}.servers IN SRV 2 0 {hop.port} second
first  IN A {LOOPBACK}
second IN A {LOOPBACK}
"""
    with Named(tmp_path, ZONE, records) as named:
        server = relaying(new_server, tmp_path, named)
        us = (server.host, server.port)
        invite = request("INVITE", caller)
        caller.send(invite, us)
        answer = final(caller)
        assert answer.status == 200
        arrived = raw.read(hop.requests[0])
        assert arrived.method == b"INVITE"
        assert arrived.first(b"via").startswith(f"SIP/2.0/{transport.upper()} ".encode())

        call = raw.read(invite).first(b"call-id").decode()
        routes = [f"Route: {value.decode()}" for value in arrived.all(b"record-route")[::-1]]
        caller.send(request("ACK", caller, *routes, call=call), us)
        caller.send(request("BYE", caller, *routes, call=call), us)
        assert final(caller).status == 200
        assert [raw.read(data).method for data in hop.requests] == [b"INVITE", b"ACK", b"BYE"]


def test_a_server_that_is_overloaded_is_left_alone_by_the_next_call(
    new_server: NewServer, tmp_path: Path, hop: NextHop, caller: Datagrams
) -> None:
    with NextHop(LOOPBACK, status=b"503 Overloaded\r\nRetry-After: 60") as busy:
        records = f"""
_sip._udp IN SRV 1 0 {busy.port} first
_sip._udp IN SRV 2 0 {hop.port} second
first  IN A {LOOPBACK}
second IN A {LOOPBACK}
"""
        with Named(tmp_path, ZONE, records) as named:
            server = relaying(new_server, tmp_path, named)
            for _ in range(3):
                caller.send(request("OPTIONS", caller), (server.host, server.port))
                assert final(caller).status == 200
        assert len(busy.requests) == 1
        assert len(hop.requests) == 3


@pytest.mark.row("C28")
def test_what_is_not_there_and_a_name_server_that_is_gone_are_answered_in_time(
    new_server: NewServer, tmp_path: Path, caller: Datagrams
) -> None:
    with Named(tmp_path, ZONE, f"text IN TXT nothing\nhere IN A {LOOPBACK}") as named:
        server = relaying(new_server, tmp_path, named, more='timeout = "1.5s"')
        us = (server.host, server.port)
        for name in (ZONE, f"text.{ZONE}", f"none.{ZONE}"):
            caller.send(request("INVITE", caller, uri=f"sip:bob@{name}"), us)
            assert final(caller, 2.0).status == 500
        named.stop()
        caller.send(request("INVITE", caller, uri=f"sip:bob@later.{ZONE}"), us)
        assert final(caller, 4.0).status == 500


@pytest.mark.row("C28")
def test_many_servers_come_over_tcp_and_are_shown_by_resolve(new_server: NewServer, tmp_path: Path) -> None:
    hosts = [f"a-server-with-quite-a-long-name-{number:02}" for number in range(60)]
    records = [f"_sip._udp IN SRV {number} 0 5060 {host}" for number, host in enumerate(hosts)]
    records += [f"{host} IN A 192.0.2.{number}" for number, host in enumerate(hosts)]
    with Named(tmp_path, ZONE, "\n".join(records)) as named:
        server = new_server(configuration=f'[dns]\nservers = ["{named.address}"]')
        done = server.command("resolve", ZONE, "--json", "-f", str(server.file))
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert [one["address"] for one in found["candidates"]] == [f"192.0.2.{number}" for number in range(60)]
        assert found["candidates"][7]["found_by"].startswith(f"SRV _sip._udp.{ZONE} 7 0 5060, A a-server-with")

        done = server.command("resolve", f"none.{ZONE}", "-f", str(server.file))
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: can't reach none.{ZONE}: ")


@pytest.mark.conformance("RFC 6116 3.5")
@pytest.mark.row("C30")
def test_a_number_is_found_by_enum_and_another_one_is_not(
    new_server: NewServer, tmp_path: Path, hop: NextHop, caller: Datagrams
) -> None:
    records = rf"""
8.4.3.0 IN NAPTR 10 10 "u" "E2U+sip" "!(.*)*x!sip:evil@{LOOPBACK}:{hop.port}!" .
8.4.3.0 IN NAPTR 20 10 "u" "E2U+sip" "!^\\+0(.*)$!sip:\\1@{LOOPBACK}:{hop.port}!" .
"""
    route = 'on request { for place in enum(request.uri.user) { ring(place) } reply(404, "No Such Number") }'
    with Named(tmp_path, ZONE, records) as named:
        server = relaying(new_server, tmp_path, named, route, more=f'[enum]\nsuffix = "{ZONE}"')
        for number, status in (("+0348", 200), ("+0349", 404), ("1001", 404)):
            caller.send(request("OPTIONS", caller, uri=f"sip:{number}@example.com"), (server.host, server.port))
            assert final(caller).status == status
    assert [raw.read(data).start for data in hop.requests] == [
        f"OPTIONS sip:348@{LOOPBACK}:{hop.port} SIP/2.0".encode()
    ]
