"""Which port a response over UDP goes to (RFC 3261 section 18.2.2, RFC 3581 section 4)."""

from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.flow import Flow
from sipcore.message import Request, parse_via
from sipcore.message.source import way_back
from sipcore.timers import T1
from sipcore.transaction.user import ServerTransaction
from tests.wire import Node, Wire, request

US = ("192.0.2.1", 5060)
PHONE = "198.51.100.7"
SOURCE = 33_000


class Busy:
    """Answers every request with 486."""

    def request(self, request: Request, transaction: ServerTransaction) -> None:
        transaction.respond(request.response(486, to_tag="t"))

    def ack(self, request: Request, flow: Flow) -> None:
        raise AssertionError("nothing was accepted")

    stray_response = ack


def asked(via: str, **options: int) -> tuple[Wire, Node]:
    """A wire on which `PHONE` has sent an INVITE with this Via from port `SOURCE`; that node, and the wire."""
    wire = Wire()
    wire.stack(US[0], Busy(), **options)
    source = wire.peer(PHONE, SOURCE)
    invite = request("INVITE", "sip:bob@example.com", source=(PHONE, SOURCE), branch="1")
    invite.set("via", via.encode())
    for port in (5060, 5070):
        wire.peer(PHONE, port)
    source.send(invite, US)
    wire.run(0.1)
    return wire, source


def answered_at(wire: Wire) -> list[int]:
    """The ports of the phone that got an answer."""
    return [port for (host, port), node in wire.nodes.items() if host == PHONE and node.received]


@pytest.mark.conformance("RFC 3261 18.2.2")
@pytest.mark.parametrize(
    ("via", "port"),
    [
        (f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1", 5070),
        (f"SIP/2.0/UDP {PHONE};branch=z9hG4bK1", 5060),
        ("SIP/2.0/UDP phone.example.com:5070;branch=z9hG4bK1", 5070),
        (f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1;rport", SOURCE),
        (f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1;rport=5060", SOURCE),
        (f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1;maddr=192.0.2.66;received=192.0.2.66", 5070),
        ("SIP/2.0/UDP 192.168.1.7:5070;branch=z9hG4bK1", SOURCE),
    ],
)
def test_the_answer_goes_to_the_port_of_the_via_or_of_rport(via: str, port: int) -> None:
    wire, _ = asked(via)
    assert answered_at(wire) == [port]


@pytest.mark.conformance("RFC 3261 17.2.1")
def test_retransmissions_go_there_too() -> None:
    wire, _ = asked(f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1")
    wire.run(T1)
    assert len(wire.nodes[PHONE, 5070].responses(486)) == 2
    assert answered_at(wire) == [5070]


def test_so_does_an_answer_to_what_is_malformed() -> None:
    wire, source = asked(f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1;rport")
    broken = request("OPTIONS", "sip:bob@example.com", source=(PHONE, 5070), branch="2").write()
    source.send(broken.replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"), US)
    wire.run(0.1)
    assert [response.status for response in wire.nodes[PHONE, 5070].responses()] == [400]


def test_what_has_too_many_hops_is_answered_all_the_same() -> None:
    wire, source = asked(f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1;rport")
    many = request("OPTIONS", "sip:bob@example.com", source=(PHONE, 5070), branch="2").write()
    source.send(many.replace(b"From:", b"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n" * 500 + b"From:"), US)
    with pytest.raises(Malformed):  # the answer has them all too, and a phone of ours does not read that many
        wire.run(0.1)
    _, _, remote, answer = wire.carried[-1]
    assert remote == (PHONE, 5070) and answer.startswith(b"SIP/2.0 513 ")


def test_so_does_a_503_of_a_server_that_is_full() -> None:
    wire, _ = asked(f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1", most_transactions=0)
    assert [response.status for response in wire.nodes[PHONE, 5070].responses()] == [503]


def test_a_stream_is_answered_on_itself() -> None:
    flow = Flow("tcp", US, (PHONE, SOURCE))
    assert way_back(parse_via(f"SIP/2.0/TCP {PHONE}:5070;branch=z9hG4bK1".encode()), flow) is flow


def test_the_other_port_is_reached_by_the_same_socket() -> None:
    flow = Flow("udp", US, (PHONE, SOURCE), "sip.example.com", edge := object())
    other = way_back(parse_via(f"SIP/2.0/UDP {PHONE}:5070;branch=z9hG4bK1".encode()), flow)
    assert (other.local, other.remote, other.sent_by, other.edge) == (US, (PHONE, 5070), "sip.example.com", edge)
