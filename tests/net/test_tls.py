"""TLS over loopback: handshakes, whose certificate is accepted, and which connection is used."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import trio
import trio.testing

from sipcore.flow import Flow, Target
from sipcore.net.edge import Edge
from sipcore.net.settings import StreamSettings, TlsSettings, TlsSite
from tests.authority import Authority, Files
from tests.net.echo import Echo, Listen, message, running, until
from tests.net.test_tcp import connected, received, reset

TLS4, TLS6 = Listen("tls", "127.0.0.1"), Listen("tls", "::1")
DOMAIN = "example.com"


class Trust:
    """An authority, our certificate, and settings that name them."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.own = self.authority.issue(uris=[f"sip:{DOMAIN}"], name="own")

    def settings(self, verify: str = "none", *sites: TlsSite) -> TlsSettings:
        file = self.authority.file
        return TlsSettings(self.own.certificate, self.own.key, file, file, verify, sites)

    def client(self, shown: Files | None = None) -> ssl.SSLContext:
        """What a phone or a neighbour has, that perhaps shows a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.authority.file)
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        return context

    def server(self, files: Files) -> ssl.SSLContext:
        """What somebody whom we call has."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        return context


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path)


async def secured(
    target: Target, context: ssl.SSLContext, name: str | None = None
) -> trio.SSLStream[trio.SocketStream]:
    """A TLS connection whose handshake is over."""
    return await shaken(trio.SSLStream(await connected(target), context, server_hostname=name, https_compatible=True))


async def shaken(stream: trio.SSLStream[trio.SocketStream]) -> trio.SSLStream[trio.SocketStream]:
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError:
        await trio.aclose_forcefully(stream)
        raise
    return stream


async def read(stream: trio.SSLStream[trio.SocketStream], size: int) -> bytes:
    data = b""
    while len(data) < size and (more := await stream.receive_some(size - len(data))):
        data += more
    return data


@contextlib.asynccontextmanager
async def serving(
    trust: Trust, *listens: Listen, settings: TlsSettings | None = None, **others: object
) -> AsyncIterator[tuple[Edge, Echo]]:
    tls = settings or trust.settings()
    async with running(*(listens or (TLS4,)), tls=tls, **others) as (edge, stack):  # type: ignore[arg-type]
        yield edge, stack


# -- being called -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("listen", [TLS4, TLS6], ids=["v4", "v6"])
async def test_a_message_is_answered_on_its_connection(trust: Trust, listen: Listen, version: ssl.TLSVersion) -> None:
    context = trust.client()
    context.maximum_version = context.minimum_version = version
    async with serving(trust, listen) as (edge, stack), await secured(edge.addresses()[0], context) as alice:
        await alice.send_all(message())
        assert await read(alice, len(message())) == message()
        (flow,) = stack.flows
        assert (flow.transport, flow.reliable) == ("tls", True)
        assert flow.sent_by.endswith(f":{edge.addresses()[0].port}")
        assert flow.via_prefix.startswith(b"Via: SIP/2.0/TLS ")
        assert flow.identities == ()


async def test_messages_are_found_however_records_and_segments_are_cut(trust: Trust) -> None:
    async with serving(trust) as (edge, stack), await secured(edge.addresses()[0], trust.client()) as alice:
        data = message("split", body=b"v=0\r\n")
        for cut in range(1, len(data), 7):
            await alice.send_all(data[:cut])
            await alice.send_all(data[cut:] + data)
            assert await read(alice, 2 * len(data)) == 2 * data
        large = message(body=bytes(60_000))  # several records
        await alice.send_all(large + data)
        assert await read(alice, len(large + data)) == large + data
        assert len(stack.received) == 2 * len(range(1, len(data), 7)) + 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_what_comes_together_with_the_end_of_the_handshake_is_not_left_lying(
    trust: Trust, version: ssl.TLSVersion
) -> None:
    context = trust.client()
    context.maximum_version = context.minimum_version = version
    async with serving(trust) as (edge, _), await connected(edge.addresses()[0]) as carrier:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await carrier.send_all(outgoing.read())
                incoming.write(await carrier.receive_some())
        tls.write(message())
        await carrier.send_all(outgoing.read())
        answer = b""
        while len(answer) < len(message()):
            incoming.write(await carrier.receive_some())
            with contextlib.suppress(ssl.SSLWantReadError):
                answer += tls.read(10_000)
        assert answer == message()


async def test_a_ping_is_answered(trust: Trust) -> None:
    async with serving(trust) as (edge, _), await secured(edge.addresses()[0], trust.client()) as alice:
        await alice.send_all(b"\r\n\r\n")
        assert await alice.receive_some() == b"\r\n"


async def test_a_peer_that_reads_late_gets_everything_in_order(trust: Trust) -> None:
    async with serving(trust, stream=StreamSettings(send_queue=20_000_000)) as (edge, stack):
        parts = [bytes([number]) * 50_000 for number in range(200)]

        def answer(data: bytes, flow: Flow) -> None:
            for part in parts:
                stack.send(flow, part)

        stack.on_message = answer
        async with await secured(edge.addresses()[0], trust.client()) as alice:
            await alice.send_all(message())
            await until(lambda: stack.received and not stack.outbox)
            assert await read(alice, 10_000_000) == b"".join(parts)
            assert stack.lost == []


async def test_a_peer_that_does_not_read_is_lost(trust: Trust) -> None:
    async with serving(trust, stream=StreamSettings(send_queue=100_000)) as (edge, stack):
        stack.on_message = lambda data, flow: [stack.send(flow, bytes(60_000)) for _ in range(200)]
        deaf = await secured(edge.addresses()[0], trust.client())
        await deaf.send_all(message())
        await until(lambda: stack.lost)
        assert edge.statistics().streams.overflowed == 1
        await trio.aclose_forcefully(deaf)


@pytest.mark.conformance("RFC 5923 8.3")
async def test_either_side_says_farewell(trust: Trust) -> None:
    async with serving(trust) as (edge, stack):
        alice = await secured(edge.addresses()[0], trust.client())
        await alice.send_all(message())
        await read(alice, len(message()))
        await alice.aclose()
        await until(lambda: stack.lost == stack.flows)
        stack.on_message = lambda data, flow: [stack.send(flow, part) for part in (b"last", b"")]
        bob = await secured(edge.addresses()[0], trust.client())
        await bob.send_all(message())
        assert await read(bob, 100) == b"last"  # and then the farewell: a cut would have raised
        await bob.aclose()


async def test_a_reset_loses_the_flow_once(trust: Trust) -> None:
    async with serving(trust) as (edge, stack):
        alice = await secured(edge.addresses()[0], trust.client())
        await alice.send_all(message())
        await read(alice, len(message()))
        reset(alice.transport_stream)
        await until(lambda: edge.statistics().streams.connections == 0)
        assert stack.lost == stack.flows


@pytest.mark.conformance("RFC 5922 7.8")
async def test_a_peer_gets_the_certificate_of_the_name_it_asks_for(trust: Trust) -> None:
    other = trust.authority.issue(names=["other.example"])
    settings = trust.settings("none", TlsSite("Other.example", other.certificate, other.key))
    async with serving(trust, settings=settings) as (edge, _):
        for asked, shown in (("other.example", "other.example"), ("OTHER.example", "other.example"), ("x.example", "")):
            async with await secured(edge.addresses()[0], trust.client(), asked) as alice:
                certificate = alice.getpeercert()
                assert certificate is not None
                (name,) = certificate["subjectAltName"]
                assert name == (("DNS", shown) if shown else ("URI", f"sip:{DOMAIN}"))


async def test_a_session_shortens_the_next_handshake(trust: Trust) -> None:
    context = trust.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(trust) as (edge, _):
        first = await secured(edge.addresses()[0], context)
        session = first.session
        await first.aclose()
        carrier = await connected(edge.addresses()[0])
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        again = context.wrap_bio(incoming, outgoing, session=session)
        while True:
            try:
                again.do_handshake()
                break
            except ssl.SSLWantReadError:
                await carrier.send_all(outgoing.read())
                incoming.write(await carrier.receive_some())
        assert again.session_reused
        await carrier.aclose()


# -- bad handshakes ---------------------------------------------------------------------------------------------------


@pytest.mark.row("A19", "A26")
@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", message(), bytes(100), b"\x16\x03\x01\x40\x00" + b"x" * 200]
)
async def test_what_is_no_handshake_is_closed_and_others_are_served(trust: Trust, data: bytes) -> None:
    async with serving(trust, stream=StreamSettings(connect_timeout=0.5)) as (edge, stack):
        stranger = await connected(edge.addresses()[0])
        await stranger.send_all(data)
        answer = await received(stranger, 1_000)
        assert answer == b"" or answer[0] == 0x15  # an alert
        await stranger.aclose()
        async with await secured(edge.addresses()[0], trust.client()) as alice:
            await alice.send_all(message())
            assert await read(alice, len(message())) == message()
        assert stack.opened == stack.flows
        assert len(stack.flows) == 1


@pytest.mark.row("A15", "A26")
async def test_a_stalled_handshake_is_closed_in_time(trust: Trust, autojump_clock: trio.testing.MockClock) -> None:
    autojump_clock.autojump_threshold = 0.005
    async with serving(trust, limit=60.0) as (edge, _):
        started = trio.current_time()
        stalled = await connected(edge.addresses()[0])
        await stalled.send_all(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a ClientHello
        assert await stalled.receive_some() == b""
        assert 5.0 <= trio.current_time() - started < 7.0
        await until(lambda: edge.statistics().streams.connections == 0, 0.1)
        await stalled.aclose()


@pytest.mark.conformance("RFC 8996 5", "RFC 8996 4")
@pytest.mark.row("A26")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
async def test_old_versions_get_an_alert(trust: Trust, version: ssl.TLSVersion) -> None:
    context = trust.client()
    context.minimum_version = version
    context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(trust) as (edge, _):
        with pytest.raises(trio.BrokenResourceError) as raised:
            await secured(edge.addresses()[0], context)
        assert "PROTOCOL_VERSION" in str(raised.value.__cause__)


@pytest.mark.conformance("RFC 5922 7.4")
@pytest.mark.row("A26")
@pytest.mark.parametrize("case", ["none", "expired", "foreign", "good"])
@pytest.mark.parametrize("verify", ["optional", "require"])
async def test_clients_are_verified(trust: Trust, tmp_path: Path, verify: str, case: str) -> None:
    uris = ["sip:peer.example"]
    stranger = Authority(tmp_path, "stranger")
    shown = {
        "none": None,
        "expired": trust.authority.issue(uris=uris, begins=timedelta(days=-9), lives=timedelta(days=8)),
        "foreign": stranger.issue(uris=uris, name="foreign"),
        "good": trust.authority.issue(uris=uris),
    }[case]
    accepted = case == "good" or (case == "none" and verify == "optional")
    async with serving(trust, settings=trust.settings(verify)) as (edge, stack):
        try:
            async with await secured(edge.addresses()[0], trust.client(shown)) as alice:
                await alice.send_all(message())
                assert await read(alice, len(message())) == message()
            assert accepted
            assert stack.flows[0].identities == (("peer.example",) if case == "good" else ())
        except trio.BrokenResourceError as error:  # with TLS 1.3 the client hears of it behind its own handshake
            assert not accepted, error.__cause__
            assert "ALERT" in str(error.__cause__).upper()
            assert stack.flows == []
