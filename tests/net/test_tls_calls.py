"""TLS to others: whose certificate is good enough, and which connection is used again."""

from __future__ import annotations

import contextlib
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
import trio

from sipcore.errors import Unresolvable
from sipcore.flow import Flow, Target
from sipcore.net.edge import Edge
from sipcore.net.settings import TlsSettings
from tests.authority import Authority
from tests.net.echo import TCP4, Echo, message, until
from tests.net.test_tcp import Peer
from tests.net.test_tls import DOMAIN, Trust, read, secured, serving, shaken


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path)


# -- calling ----------------------------------------------------------------------------------------------------------


class Called:
    """A TLS server of the test's; keeps which name it was asked for and what it was shown."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.asked: list[str | None] = []
        context.sni_callback = lambda tls, name, _: self.asked.append(name)
        self.peer = Peer()

    async def __aenter__(self) -> Called:
        await self.peer.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.peer.__aexit__()

    def target(self, domain: str = DOMAIN) -> Target:
        return Target("tls", *self.peer.target.address, domain)

    async def accept(self) -> trio.SSLStream[trio.SocketStream]:
        carrier = await self.peer.accept()
        return await shaken(trio.SSLStream(carrier, self.context, server_side=True, https_compatible=True))


def send(edge: Edge, stack: Echo, target: Target, data: bytes = message()) -> Flow:
    flow = edge.open_flow(target)
    stack.send(flow, data)
    edge.post(lambda: None)
    return flow


@pytest.mark.conformance("RFC 5922 7.3", "RFC 5923 8.1")
async def test_a_server_is_called_by_its_name_and_the_connection_is_used_again(trust: Trust) -> None:
    async with serving(trust) as (edge, stack), Called(trust.server(trust.own)) as called:
        flow = send(edge, stack, called.target(), message("one"))
        stack.send(flow, message("two"))
        edge.post(lambda: None)
        async with await called.accept() as bob:
            assert await read(bob, 2 * len(message("one"))) == message("one") + message("two")
            assert called.asked == [DOMAIN]
            assert flow.identities == (DOMAIN,)
            assert edge.open_flow(called.target()) is flow
            # With a certificate to show we let the other side use the connection too.
            assert b";alias;branch=" in flow.via_prefix
            await bob.send_all(message("back"))
            await until(lambda: stack.received)
            assert stack.flows == [flow]


async def test_no_listener_and_no_certificate_are_needed_to_call(trust: Trust) -> None:
    settings = TlsSettings(server_ca=trust.authority.file)
    async with serving(trust, TCP4, settings=settings) as (edge, stack), Called(trust.server(trust.own)) as called:
        flow = send(edge, stack, called.target())
        async with await called.accept() as bob:
            assert await read(bob, len(message())) == message()
            assert b"alias" not in flow.via_prefix


@pytest.mark.conformance("RFC 5922 7.3")
@pytest.mark.row("A26b")
@pytest.mark.parametrize("case", ["expired", "foreign", "mismatch", "wildcard", "CN beside a URI", "user", "nobody"])
async def test_nothing_is_sent_to_a_server_with_another_certificate(
    trust: Trust, tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    issue = trust.authority.issue
    domain = "sip.example.com"
    files = {
        "expired": lambda: issue(names=[domain], begins=timedelta(days=-9), lives=timedelta(days=8)),
        "foreign": lambda: Authority(tmp_path, "stranger").issue(names=[domain], name="foreign"),
        "mismatch": lambda: issue(names=["example.com"], uris=["sip:example.com"]),
        "wildcard": lambda: issue(names=["*.example.com"]),
        "CN beside a URI": lambda: issue(uris=["sip:example.net"], common_name=domain),
        "user": lambda: issue(uris=[f"sip:bob@{domain}"]),
        "nobody": lambda: issue(addresses=["127.0.0.1"]),
    }[case]()
    async with serving(trust) as (edge, stack), Called(trust.server(files)) as called:
        flow = send(edge, stack, called.target(domain))
        heard = b""
        with contextlib.suppress(trio.BrokenResourceError):
            async with await called.accept() as bob:
                heard = await bob.receive_some()
        await until(lambda: stack.lost == [flow])
        assert heard == b""
        assert flow.identities == ()
        assert edge.open_flow(called.target(domain)) is not flow
        assert f"no TLS with {domain} at 127.0.0.1:" in caplog.text


async def test_a_common_name_counts_when_there_is_nothing_better(trust: Trust) -> None:
    files = trust.authority.issue(common_name="old.example.com")
    async with serving(trust) as (edge, stack), Called(trust.server(files)) as called:
        send(edge, stack, called.target("old.example.com"))
        async with await called.accept() as bob:
            assert await read(bob, len(message())) == message()


async def test_a_server_that_speaks_no_tls_is_lost(trust: Trust) -> None:
    async with serving(trust) as (edge, stack), Peer() as peer:
        flow = send(edge, stack, Target("tls", *peer.target.address, DOMAIN))
        async with await peer.accept() as bob:
            await bob.send_all(b"SIP/2.0 400 What\r\n\r\n")
            await until(lambda: stack.lost == [flow])


@pytest.mark.conformance("RFC 5923 9.3", "RFC 5923 9.1")
@pytest.mark.row("A27")
async def test_a_connection_is_not_used_for_another_domain(trust: Trust) -> None:
    async with serving(trust) as (edge, stack), Called(trust.server(trust.own)) as called:
        first = send(edge, stack, called.target(DOMAIN))
        async with await called.accept():
            await until(lambda: first.identities)
            second = send(edge, stack, called.target("example.net"))
            assert second is not first
            with contextlib.suppress(trio.BrokenResourceError):
                await trio.aclose_forcefully(await called.accept())
            await until(lambda: stack.lost == [second])  # the certificate is not for example.net
            assert edge.open_flow(called.target(DOMAIN)) is first


async def test_a_connection_is_used_for_every_domain_its_certificate_names(trust: Trust) -> None:
    files = trust.authority.issue(uris=["sip:example.com", "sip:example.net"])
    async with serving(trust) as (edge, stack), Called(trust.server(files)) as called:
        first = send(edge, stack, called.target("example.com"))
        async with await called.accept() as bob:
            await read(bob, len(message()))
            assert edge.open_flow(called.target("example.net")) is first
        await until(lambda: stack.lost == [first])
        assert edge.open_flow(called.target("example.net")) is not first


async def test_an_address_needs_a_domain_to_be_called_by_tls(trust: Trust) -> None:
    async with serving(trust) as (edge, _):
        with pytest.raises(Unresolvable, match="nobody can be called by tls"):
            edge.open_flow(Target("tls", "127.0.0.1", 5061))


async def test_we_show_our_certificate_when_asked(trust: Trust) -> None:
    context = trust.server(trust.own)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trust.authority.file)
    async with serving(trust) as (edge, stack), Called(context) as called:
        send(edge, stack, called.target())
        async with await called.accept() as bob:
            assert await read(bob, len(message())) == message()
            shown = bob.getpeercert()
            assert shown is not None
            assert shown["subjectAltName"] == (("URI", f"sip:{DOMAIN}"),)


async def test_the_second_call_to_a_server_resumes_the_session(trust: Trust) -> None:
    async with serving(trust) as (edge, stack), Called(trust.server(trust.own)) as called:
        for resumed in (False, True):
            flow = send(edge, stack, called.target())
            async with await called.accept() as bob:
                assert await read(bob, len(message())) == message()
                await bob.send_all(message())
                await until(lambda flow=flow: flow in stack.flows)  # type: ignore[misc]
                assert bob._ssl_object.session_reused is resumed  # type: ignore[attr-defined]
                assert flow.identities == (DOMAIN,)
                stack.send(flow, b"")
                edge.post(lambda: None)
                assert await bob.receive_some() in (b"", message())
            await until(lambda: edge.statistics().streams.connections == 0)
            stack.received.clear()


# -- connections that others made -------------------------------------------------------------------------------------


async def test_a_connection_that_a_phone_made_is_not_found_by_its_address(trust: Trust) -> None:
    async with serving(trust) as (edge, stack), await secured(edge.addresses()[0], trust.client()) as alice:
        await alice.send_all(message())
        await read(alice, len(message()))
        host, port = stack.flows[0].remote
        assert edge.open_flow(Target("tls", host, port, host)) is not stack.flows[0]


@pytest.mark.conformance("RFC 5923 8.2", "RFC 5923 9.2")
@pytest.mark.row("A27")
@pytest.mark.parametrize("mutual", [True, False])
async def test_an_alias_needs_a_certificate(trust: Trust, mutual: bool) -> None:
    shown = trust.authority.issue(uris=["sip:peer.example"]) if mutual else None
    async with (
        serving(trust, settings=trust.settings("optional")) as (edge, stack),
        await secured(edge.addresses()[0], trust.client(shown)) as peer,
    ):
        await peer.send_all(message())
        await read(peer, len(message()))
        (flow,) = stack.flows
        edge.alias(flow, 5071)
        edge.alias(flow, 0)
        for port in (5071, 5061):
            assert (edge.open_flow(Target("tls", "127.0.0.1", port, "peer.example")) is flow) is mutual
            assert edge.open_flow(Target("tls", "127.0.0.1", port, "other.example")) is not flow
            assert edge.open_flow(Target("tls", "127.0.0.2", port, "peer.example")) is not flow


async def test_an_alias_ends_with_its_connection_and_takes_nothing_from_others(trust: Trust) -> None:
    shown = trust.authority.issue(uris=["sip:peer.example"])
    async with (
        serving(trust, settings=trust.settings("require")) as (edge, stack),
        await secured(edge.addresses()[0], trust.client(shown)) as first,
        await secured(edge.addresses()[0], trust.client(shown)) as second,
    ):
        for peer in (first, second):
            await peer.send_all(message())
            await read(peer, len(message()))
        target = Target("tls", "127.0.0.1", 5061, "peer.example")
        edge.alias(stack.flows[0], 0)
        edge.alias(stack.flows[1], 0)
        assert edge.open_flow(target) is stack.flows[0]
        await first.aclose()
        await until(lambda: stack.lost)
        assert edge.open_flow(target) not in stack.flows
        edge.alias(stack.flows[0], 0)  # too late
        assert edge.open_flow(target) not in stack.flows


# -- new certificates -------------------------------------------------------------------------------------------------


async def test_new_certificates_are_for_new_connections_and_the_old_ones_stay(trust: Trust) -> None:
    def name(stream: trio.SSLStream[trio.SocketStream]) -> object:
        certificate = stream.getpeercert()
        assert certificate is not None
        return certificate["subjectAltName"]

    async with serving(trust) as (edge, stack), await secured(edge.addresses()[0], trust.client()) as alice:
        trust.authority.issue(names=["new.example"], name="own")
        edge.tls.load()
        async with await secured(edge.addresses()[0], trust.client()) as bob:
            assert name(bob) == (("DNS", "new.example"),)
            assert name(alice) == (("URI", f"sip:{DOMAIN}"),)
            for stream in (alice, bob):
                await stream.send_all(message())
                assert await read(stream, len(message())) == message()
        assert stack.lost in ([], [stack.flows[1]])
