"""The real stack on the edge: the contract between the two, over loopback sockets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
import trio.testing

from sipcore.flow import Flow, Target
from sipcore.message import Request, Response
from sipcore.net.edge import Edge
from sipcore.net.settings import EdgeSettings, TlsSettings
from sipcore.stack import Stack
from sipcore.transaction.user import ClientTransaction, ServerTransaction
from tests.net.echo import LIMIT, TCP4, UDP4, Listen, until
from tests.net.test_tcp import Peer, connected, received
from tests.net.test_tls import TLS4, Trust, read, secured
from tests.net.test_tls_calls import Called
from tests.net.test_udp import phone, refused_port
from tests.wire import new_tokens, request


@dataclass
class Answering:
    """Answers each request with 200, and keeps what it hears of its own requests."""

    failed_flows: list[bool] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def request(self, request: Request, transaction: ServerTransaction) -> None:
        transaction.respond(request.response(200, to_tag="b1"))

    def ack(self, request: Request, flow: Flow) -> None:
        raise AssertionError("no ACK was sent")

    def stray_response(self, response: Response, flow: Flow) -> None:
        raise AssertionError("no stray response was sent")

    def response(self, response: Response, transaction: ClientTransaction) -> None:
        self.responses.append(response)

    def failed(self, lost: bool, transaction: ClientTransaction) -> None:
        self.failed_flows.append(lost)

    def ended(self) -> None:
        pass


@contextlib.asynccontextmanager
async def serving(
    limit: float = LIMIT, *listens: Listen, tls: TlsSettings | None = None
) -> AsyncIterator[tuple[Edge, Stack, Answering]]:
    faults: list[Exception] = []
    settings = EdgeSettings(listens or (UDP4, TCP4), tls=tls or TlsSettings())
    edge = Edge(settings, on_error=lambda failure, doing: faults.append(failure))
    user = Answering()
    stack = Stack(user=user, open_flow=edge.open_flow, tokens=new_tokens(), alias=edge.alias)
    with trio.fail_after(limit):
        async with trio.open_nursery() as nursery:
            await nursery.start(edge.run, stack)
            yield edge, stack, user
            edge.close()
    assert faults == []


def options(source: tuple[str, int], transport: str = "UDP", body: bytes = b"") -> bytes:
    return request("OPTIONS", "sip:127.0.0.1", source=source, branch="1", transport=transport, body=body).write()


def send(edge: Edge, stack: Stack, user: Answering, target: Target, body: bytes = b"") -> None:
    """Send a request of our own."""
    own = request("OPTIONS", "sip:127.0.0.1", source=("127.0.0.1", 1), branch="own", body=body)
    own.pop_via()
    edge.post(lambda: stack.transactions.send_request(own, edge.open_flow(target), user))


@pytest.mark.row("C01")
@pytest.mark.conformance("RFC 3261 17.2.2")
async def test_a_request_by_udp_is_answered_once_and_its_retransmission_again() -> None:
    async with serving() as (edge, stack, _), phone(edge.addresses()[0]) as alice:
        for _ in range(2):
            await alice.send(options(alice.getsockname()))
            assert (await alice.recv(2_000)).startswith(b"SIP/2.0 200 OK\r\n")
        assert stack.transactions.counters.retransmissions_received == 1


@pytest.mark.row("A12")
@pytest.mark.conformance("RFC 3261 18.3")
async def test_requests_by_tcp_are_answered_however_they_are_cut() -> None:
    async with serving() as (edge, _, _), await connected(edge.addresses()[1]) as alice:
        data = options(alice.socket.getsockname(), "TCP", b"body")
        for byte in data:
            await alice.send_all(bytes([byte]))
        assert (await received(alice, 15)) == b"SIP/2.0 200 OK\r"


@pytest.mark.row("A06")
@pytest.mark.conformance("RFC 3261 18.3")
async def test_an_uncertain_end_is_answered_and_the_connection_closed() -> None:
    async with serving() as (edge, _, _), await connected(edge.addresses()[1]) as alice:
        whole = options(alice.socket.getsockname(), "TCP")
        await alice.send_all(whole.replace(b"Content-Length: 0", b"Content-Length: five") + whole)
        answer = await received(alice, 100_000)  # until the end
        assert answer.startswith(b"SIP/2.0 400 ")
        assert answer.count(b"SIP/2.0 ") == 1  # what follows an uncertain end is never parsed


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 18.4")
async def test_a_refused_target_fails_at_once_by_udp_and_by_tcp() -> None:
    """Row by row: ICMP port unreachable, and TCP reset; without this a caller would wait 32 s."""
    async with serving() as (edge, stack, user):
        send(edge, stack, user, Target("udp", "127.0.0.1", refused_port()))
        await until(lambda: user.failed_flows == [True])
        async with Peer() as peer:
            refused = peer.target
        send(edge, stack, user, refused)
        await until(lambda: user.failed_flows == [True, True])


@pytest.mark.conformance("RFC 3261 17.1.2.2")
async def test_a_silent_target_gets_retransmissions_until_timer_f_ends_them(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with serving(limit=100) as (edge, stack, user), phone(edge.addresses()[0]) as silent:
        send(edge, stack, user, Target("udp", *silent.getsockname()))
        await until(lambda: user.failed_flows, 0.1)
        assert user.failed_flows == [False]
        assert trio.current_time() == pytest.approx(32.0, abs=0.2)
        heard = 0
        with trio.move_on_after(1):
            while await silent.recv(2_000):
                heard += 1
        assert heard == 11  # at 0, 0.5, 1.5, 3.5, then each 4 s (RFC 3261 section 17.1.2.2)


@pytest.mark.row("A23")
@pytest.mark.conformance("RFC 3261 18.1.1")
async def test_a_large_request_goes_by_tcp_with_the_port_we_listen_at_in_its_via() -> None:
    async with serving() as (edge, stack, user), Peer() as peer:
        send(edge, stack, user, peer.target._replace(transport="udp"), body=bytes(2_000))
        async with await peer.accept() as bob:
            head = await received(bob, 90)
            assert b"Via: SIP/2.0/TCP 127.0.0.1:%d;branch=" % edge.addresses()[1].port in head


@pytest.mark.conformance("RFC 5923 8.2")
@pytest.mark.parametrize(
    ("via", "port"),
    [("peer.example;alias", 5061), ("peer.example:5077;alias", 5077), ("peer.example", 0), ("peer.example;alia", 0)],
)
async def test_a_neighbour_is_called_by_the_connection_that_it_offers(tmp_path: Path, via: str, port: int) -> None:
    trust = Trust(tmp_path)
    shown = trust.authority.issue(uris=["sip:peer.example"])
    async with (
        serving(LIMIT, TLS4, tls=trust.settings("require")) as (edge, _, _),
        await secured(edge.addresses()[0], trust.client(shown)) as peer,
    ):
        await peer.send_all(options(("127.0.0.1", 1), "TLS").replace(b"127.0.0.1:1;", via.encode() + b";", 1))
        assert (await read(peer, 14)) == b"SIP/2.0 200 OK"
        found = edge.open_flow(Target("tls", "127.0.0.1", port or 5061, "peer.example"))
        assert (found.remote == peer.transport_stream.socket.getsockname()) is bool(port)


@pytest.mark.row("A18")
@pytest.mark.conformance("RFC 3261 18.2.2")
async def test_a_response_whose_connection_is_gone_goes_to_whom_the_via_names(tmp_path: Path) -> None:
    trust = Trust(tmp_path)
    files = trust.authority.issue(uris=["sip:phone.example"])
    async with serving(LIMIT, TLS4, tls=trust.settings()) as (edge, _, user), Called(trust.server(files)) as called:
        held: list[ServerTransaction] = []
        user.request = lambda request, transaction: held.append(transaction)  # type: ignore[method-assign]
        phone = await secured(edge.addresses()[0], trust.client())
        sent_by = f"phone.example:{called.peer.target.port};".encode()
        await phone.send_all(options(("127.0.0.1", 1), "TLS").replace(b"127.0.0.1:1;", sent_by, 1))
        await until(lambda: held)
        await phone.aclose()
        await until(lambda: held[0].flow.closed)
        edge.post(lambda: held[0].respond(held[0].request.response(200, to_tag="b1")))
        async with await called.accept() as again:
            assert (await read(again, 14)) == b"SIP/2.0 200 OK"
            assert called.asked == ["phone.example"]
