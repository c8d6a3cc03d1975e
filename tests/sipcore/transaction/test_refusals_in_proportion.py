"""A refusal by UDP is not much larger than what it refuses: a forged source is no lever (row E14)."""

from __future__ import annotations

from collections import deque

import pytest

from sipcore.flow import Flow, Packet
from sipcore.message import Request, Response, mark_source, parse
from sipcore.transaction.layer import TransactionLayer, server_key
from tests.sipcore.transaction.machines import SOURCE, US, new_layer

pytestmark = pytest.mark.row("E14")
TINY = "{method} sip:b@a SIP/2.0\r\nv:SIP/2.0/UDP a{rport}\r\nf:sip:a@b\r\nt:sip:b\r\ni:1\r\nCSeq:1 {method}\r\n"


def refused(
    method: str, *, transport: str = "udp", rport: str = "", padding: int = 0, challenge: int = 100
) -> tuple[int, bytes, TransactionLayer]:
    """Refuse a tiny request with a challenge of some size: its size, the packet sent if any, the layer."""
    layer, _, outbox = new_layer()
    text = TINY.format(method=method, rport=rport) + (f"x:{'p' * padding}\r\n" if padding else "") + "\r\n"
    message = parse(text.encode())
    assert isinstance(message, Request)
    flow = Flow(transport, US, SOURCE)
    key = server_key(message, method)
    mark_source(message, SOURCE)
    transaction = layer.new_server(message, flow, key)
    transaction.refuse(challenged(message, challenge))
    return len(text), sent(outbox), layer


def challenged(message: Request, size: int) -> Response:
    response = message.response(401, to_tag="t")
    response.append("www-authenticate", b"Digest " + b"c" * size)
    return response


def sent(outbox: deque[Packet]) -> bytes:
    return b"".join(data for _, data in outbox)


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize("rport", ["", ";rport"])
def test_what_would_be_more_than_three_times_as_large_is_not_sent(method: str, rport: str) -> None:
    for challenge in range(0, 300, 7):
        size, data, layer = refused(method, rport=rport, challenge=challenge)
        assert len(data) <= 3 * size
        assert layer.counters.out_of_proportion == (not data)
        assert layer.servers == {} and layer.timers.pending() == 0
    assert not data


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_request_of_ordinary_size_is_answered(method: str) -> None:
    _, data, layer = refused(method, padding=100, challenge=300)
    assert data.startswith(b"SIP/2.0 401 ") and layer.counters.out_of_proportion == 0


def test_on_a_connection_nobody_can_forge_the_source() -> None:
    size, data, _ = refused("MESSAGE", transport="tcp", challenge=1000)
    assert len(data) > 3 * size
