"""WebSockets over loopback: messages, farewells, pings, limits, and what is left of a connection that has ended."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing
from wsproto.events import Pong, TextMessage

from sipcore.errors import ConfigurationError, Unresolvable
from sipcore.flow import Target
from sipcore.net.edge import Edge
from sipcore.net.settings import EdgeSettings, StreamSettings, WebSocketSettings
from tests.net.echo import TCP4, Echo, Listen, message, running, until
from tests.net.test_tcp import reset
from tests.net.test_tls import Trust
from tests.net.websocket_client import (
    CONTINUATION,
    PING,
    TEXT,
    Browser,
    answer_to,
    browser,
    close,
    connect,
    frame,
    frames_answered,
    handshake,
)  # fmt: skip

WS4, WS6, WSS4 = Listen("ws", "127.0.0.1"), Listen("ws", "::1"), Listen("wss", "127.0.0.1")
PAGE = "https://phone.example.com"


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path)


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Jumps ahead when nothing has happened for a while; real bytes on loopback are faster than that."""
    return trio.testing.MockClock(autojump_threshold=0.005)


@contextlib.asynccontextmanager
async def called(*listens: Listen, **settings: object) -> AsyncIterator[tuple[Edge, Echo, Browser]]:
    """An edge, its stack, and a browser that is connected to the first listener."""
    async with (
        running(*(listens or (WS4,)), **settings) as (edge, stack),  # type: ignore[arg-type]
        browser(edge.addresses()[0]) as alice,
    ):
        yield edge, stack, alice


# -- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 7118 4.2", "RFC 7118 5", "RFC 7118 5.1")
@pytest.mark.parametrize("listen", [WS4, WS6], ids=["v4", "v6"])
async def test_a_message_is_answered_on_its_connection(listen: Listen) -> None:
    async with called(listen) as (edge, stack, alice):
        await alice.send(message())
        assert await alice.receive_message() == message()
        await alice.send_bytes(message())
        assert await alice.receive_message() == message()
        flow = stack.flows[0]
        assert stack.flows == [flow, flow]
        assert (flow.transport, flow.reliable) == ("ws", True)
        assert flow.sent_by.endswith(f":{edge.addresses()[0].port}")
        assert flow.via_prefix.startswith(b"Via: SIP/2.0/WS ")
        assert stack.opened == [flow]


@pytest.mark.conformance("RFC 7118 5.1")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_secure_web_socket(trust: Trust, version: ssl.TLSVersion) -> None:
    context = trust.client()
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["http/1.1"])
    # A browser would ask the person for a certificate: it is not asked, whatever SIP clients are.
    async with running(WSS4, tls=trust.settings(verify="require")) as (edge, stack):
        async with browser(edge.addresses()[0], context) as alice:
            large = message(body=b"x" * 60_000)
            for data in (message(), large, message()):
                await alice.send(data)
                assert await alice.receive_message() == data
            await alice.ping(b"tls")
            assert await alice.event() == Pong(b"tls")
            flow = stack.flows[0]
            assert flow.via_prefix.startswith(b"Via: SIP/2.0/WSS ")
            assert (flow.identities, flow.transport) == ((), "wss")
            await alice.stream.send_all(close(1000))
            assert await alice.close_code() == 1000
        await until(lambda: stack.lost == [flow])


async def test_messages_are_found_however_segments_are_cut() -> None:
    async with called() as (_, stack, alice):
        data = frame(TEXT, message("cut"), final=False) + frame(PING, b"p") + frame(CONTINUATION, b"more")
        for byte in data:
            await alice.stream.send_all(bytes([byte]))
        await alice.stream.send_all(data * 3)
        await until(lambda: len(stack.received) == 4)
        assert {data for data, _ in stack.received} == {message("cut") + b"more"}


async def test_what_comes_together_with_the_handshake_is_not_lost() -> None:
    async with running(WS4) as (edge, stack):
        stream = await connect(edge.addresses()[0])
        await stream.send_all(handshake() + frame(TEXT, message()))
        await until(lambda: stack.received)
        assert stack.received[0][0] == message()
        await trio.aclose_forcefully(stream)


async def test_a_hundred_messages_are_answered_in_order() -> None:
    async with called() as (_, _, alice):
        sent = [message(f"number {number}") for number in range(100)]
        await alice.stream.send_all(b"".join(frame(TEXT, data) for data in sent))
        assert [await alice.receive_message() for _ in sent] == sent


async def test_a_message_of_ours_that_is_no_text_is_binary() -> None:
    async with called() as (_, stack, alice):
        stack.on_message = lambda data, flow: stack.send(flow, b"\xff\xfe")
        await alice.send(message())
        event = await alice.event()
        assert not isinstance(event, TextMessage)
        assert event is not None and bytes(event.data) == b"\xff\xfe"  # type: ignore[attr-defined]


async def test_a_fault_in_the_stack_concerns_its_message_alone() -> None:
    faults: list[tuple[Exception, str]] = []

    def fail(data: bytes, flow: object) -> None:
        raise ValueError("a fault")

    async with running(WS4, faults=faults) as (edge, stack), browser(edge.addresses()[0]) as alice:
        stack.on_message = fail
        await alice.send(message())
        await until(lambda: faults)
        stack.on_message = None
        await alice.send(message())
        assert await alice.receive_message() == message()
        assert [str(failure) for failure, _ in faults] == ["a fault"]


# -- who does not get one ---------------------------------------------------------------------------------------------


@pytest.mark.row("A24")
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (handshake(Sec_WebSocket_Protocol=None), 400),
        (handshake(Origin="https://evil.example.net"), 403),
        (handshake(Sec_WebSocket_Version="8"), 426),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426),
        (b"junk\r\n\r\n", 400),
    ],
)
async def test_a_bad_handshake_is_answered_and_the_connection_closed(request_: bytes, status: int) -> None:
    settings = WebSocketSettings(origins=(PAGE,))
    async with running(WS4, websocket=settings) as (edge, stack):
        found, text = await answer_to(edge.addresses()[0], request_)
        assert found == status
        assert b"Upgrade: websocket\r\nConnection: Upgrade" not in text
        await until(lambda: edge.statistics().streams.connections == 0)
        assert stack.opened == stack.received == []
        async with browser(edge.addresses()[0], origin=PAGE) as alice:
            await alice.send(message())
            assert await alice.receive_message() == message()


@pytest.mark.row("A24")
async def test_an_operator_hears_of_pages_that_are_not_in_the_list(caplog: pytest.LogCaptureFixture) -> None:
    async with running(WS4, websocket=WebSocketSettings(origins=(PAGE,))) as (edge, _):
        for _ in range(5):
            await answer_to(edge.addresses()[0], handshake(Origin="http://phone.example.com"))
        await answer_to(edge.addresses()[0], handshake(Sec_WebSocket_Protocol=None))
    assert [record.getMessage() for record in caplog.records] == [
        'no WebSocket for 127.0.0.1: its page is of "http://phone.example.com", which is not in websocket.origins'
    ]


@pytest.mark.row("A15", "A24")
async def test_a_handshake_has_little_time(clock: trio.testing.MockClock) -> None:
    async with running(WS4, stream=StreamSettings(connect_timeout=3.0), limit=100.0) as (edge, stack):
        stream = await connect(edge.addresses()[0])
        started = trio.current_time()
        with contextlib.suppress(trio.BrokenResourceError):
            for byte in handshake():
                await stream.send_all(bytes([byte]))
                await trio.sleep(0.2)
        assert 3.0 <= trio.current_time() - started < 6.0
        await until(lambda: edge.statistics().streams.connections == 0, 0.1)
        assert stack.opened == []
        await trio.aclose_forcefully(stream)


async def test_a_listener_with_tls_needs_a_certificate() -> None:
    edge = Edge(EdgeSettings((WSS4,)))
    with pytest.raises(ConfigurationError, match=r"wss needs a certificate, but tls\.certificate names none"):
        edge.bind()


async def test_nobody_is_called_by_web_socket() -> None:
    async with running(WS4) as (edge, _):
        with pytest.raises(Unresolvable, match="nobody can be called by ws from here"):
            edge.open_flow(Target("ws", "127.0.0.1", 80))
        assert "ws" not in edge.reachable()


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("A25")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"hello", mask=False), 1002),
        (frame(TEXT, b"hello", rsv=4), 1002),
        (frame(TEXT, declared=2**63), 1009),
        (frame(TEXT, declared=2**40), 1009),
        (frame(PING, b"*" * 126), 1002),
        (frame(PING, final=False), 1002),
        (frame(TEXT, final=False) + frame(CONTINUATION, final=False) * 1_000_000, 1009),
        (frame(TEXT, b"\xff\xfe"), 1007),
        (close(1005), 1002),
    ],
    ids=["unmasked", "RSV", "2^63", "2^40", "long control", "cut control", "empty frames", "no UTF-8", "1005"],
)
async def test_each_mistake_ends_its_connection_with_its_code(data: bytes, code: int) -> None:
    async with running(WS4) as (edge, stack), browser(edge.addresses()[0]) as other:
        answer = await frames_answered(edge.addresses()[0], data)
        # Whoever goes on sending megabytes meets a reset, which may overtake the farewell.
        assert answer == frame_closed(code) or (len(data) > 1_000_000 and answer == b"")
        await until(lambda: len(stack.lost) == 1)
        assert stack.received == []
        await other.send(message())
        assert await other.receive_message() == message()


def frame_closed(code: int) -> bytes:
    return b"\x88\x02" + code.to_bytes(2, "big")


@pytest.mark.row("A25")
async def test_a_message_is_bounded_as_the_settings_say() -> None:
    async with running(WS4, longest_message=1_000) as (edge, stack):
        async with browser(edge.addresses()[0]) as alice:
            await alice.send_bytes(b"*" * 1_000)
            assert await alice.receive_message() == b"*" * 1_000
            await alice.send_bytes(b"*" * 1_001)
            assert await alice.close_code() == 1009
        assert len(stack.received) == 1


async def test_messages_before_a_mistake_are_answered() -> None:
    async with called() as (_, stack, alice):
        await alice.stream.send_all(frame(TEXT, message()) + frame(TEXT, b"x", mask=False) + frame(TEXT, message()))
        assert await alice.receive_message() == message()
        assert await alice.close_code() == 1002
        assert len(stack.received) == 1


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 6455 5.5.1")
@pytest.mark.parametrize("code", [1000, 1001, 4000])
async def test_a_farewell_is_answered_and_the_flow_is_lost_at_once(code: int) -> None:
    async with called(stream=StreamSettings(half_close_grace=50.0)) as (_, stack, alice):
        await alice.send(message())
        await alice.receive_message()
        await alice.stream.send_all(close(code))
        assert await alice.close_code() == code
        await until(lambda: stack.lost == [stack.flows[0]])
        assert await alice.stream.receive_some() == b""


@pytest.mark.parametrize("how", ["FIN", "RST"])
async def test_a_browser_that_goes_without_a_word_is_lost_at_once(how: str) -> None:
    async with called(stream=StreamSettings(half_close_grace=50.0)) as (edge, stack, alice):
        assert isinstance(alice.stream, trio.SocketStream)
        await alice.send(message())
        await alice.receive_message()
        if how == "RST":
            reset(alice.stream)
        else:
            await alice.stream.aclose()
        await until(lambda: stack.lost == [stack.flows[0]])
        await until(lambda: edge.statistics().streams.connections == 0)


async def test_no_bytes_of_the_stack_close_behind_what_was_sent() -> None:
    async with called() as (_, stack, alice):
        stack.on_message = lambda data, flow: [stack.send(flow, part) for part in (b"one", b"two", b"", b"three")]
        await alice.send(message())
        assert [await alice.receive_message() for _ in range(2)] == [b"one", b"two"]
        assert await alice.close_code() == 1008
        assert len(stack.lost) == 1


@pytest.mark.conformance("RFC 6455 7.4.1")
@pytest.mark.parametrize("listen", [WS4, WSS4], ids=["ws", "wss"])
async def test_a_server_that_stops_says_so(trust: Trust, listen: Listen) -> None:
    context = trust.client() if listen is WSS4 else None
    async with (
        running(listen, tls=trust.settings()) as (edge, stack),
        browser(edge.addresses()[0], context) as alice,
        browser(edge.addresses()[0], context) as bob,
    ):
        await alice.send(message())
        await alice.receive_message()
        edge.close()
        assert await alice.close_code() == 1001
        assert await bob.close_code() == 1001
        assert stack.lost == []  # bindings are for the next run to judge


async def test_an_idle_connection_is_closed_with_a_word(clock: trio.testing.MockClock) -> None:
    websocket = WebSocketSettings(ping_interval=1_000.0)
    async with called(stream=StreamSettings(idle_timeout=60.0), websocket=websocket, limit=900.0) as (_, stack, alice):
        assert await alice.close_code() == 1001
        await until(lambda: len(stack.lost) == 1, 0.1)


# -- other settings while it runs -------------------------------------------------------------------------------------


async def test_origins_change_for_new_connections_and_a_listener_is_taken_out() -> None:
    async with running(WS4) as (edge, _):
        target = edge.addresses()[0]
        async with browser(target, origin="https://old.example.com") as alice:
            settings = EdgeSettings((WS4,), websocket=WebSocketSettings(origins=(PAGE,)))
            edge.change(settings)
            assert edge.addresses() == (target,)
            assert (await answer_to(target, handshake(Origin="https://old.example.com")))[0] == 403
            async with browser(target, origin=PAGE) as bob:
                await bob.send(message())
                assert await bob.receive_message() == message()
            edge.change(replace(settings, listen=(TCP4,)))
            with pytest.raises(OSError, match="all attempts to connect"):
                await connect(target)
            await alice.send(message())  # what is open stays
            assert await alice.receive_message() == message()


async def test_what_is_advertised_is_what_browsers_see() -> None:
    async with called(Listen("ws", "127.0.0.1", 0, "sip.example.com:80")) as (_, stack, alice):
        await alice.send(message())
        await alice.receive_message()
        assert stack.flows[0].sent_by == "sip.example.com:80"
        assert stack.flows[0].route_suffix == b"@sip.example.com:80;transport=ws;lr>"


async def test_a_client_that_asks_only_for_tls_of_sip_gets_no_web_socket(trust: Trust) -> None:
    """RFC 7301: what was meant for a listener of `tls:` is not taken by one of `wss:`."""
    context = trust.client()
    context.set_alpn_protocols(["sip/2"])
    async with running(WSS4, tls=trust.settings()) as (edge, stack):
        with contextlib.suppress(trio.BrokenResourceError, ssl.SSLError):
            stream = await connect(edge.addresses()[0], context)
            assert isinstance(stream, trio.SSLStream)
            assert stream.selected_alpn_protocol() is None
            await trio.aclose_forcefully(stream)
        assert stack.opened == []
