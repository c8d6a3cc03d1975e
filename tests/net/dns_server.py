"""A small DNS server on loopback that answers, stays silent, fails or lies as it is told, over UDP and TCP."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import trio


@dataclass
class DnsServer:
    """`records` maps (name, kind) to (time to live, records as text); a name without any does not exist."""

    port: int = 0
    records: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    questions: list[tuple[str, str]] = field(default_factory=list)
    lose: int = 0
    """So many of the next questions are not heard."""
    delay: float = 0.0
    streams: int = 0
    """How many questions came over TCP."""
    alter: Callable[[dns.message.Message], None] = lambda response: None
    """Changes each answer before it is sent."""
    before: Callable[[dns.message.Message], list[dns.message.Message]] = lambda response: []
    """Datagrams of a forger that come before the answer, from another port when `elsewhere`."""
    elsewhere: bool = False
    edns: list[int] = field(default_factory=list)
    """What each question said of the size of answers over UDP; -1 without EDNS."""

    async def answer(self, wire: bytes, udp: trio.socket.SocketType, peer: object) -> None:
        """Answer a question over UDP."""
        question = dns.message.from_wire(wire)
        response = self.respond(question)
        await trio.sleep(self.delay)
        if response is None:
            return
        with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            for forged in self.before(response):
                await (other if self.elsewhere else udp).sendto(forged.to_wire(), peer)
        await udp.sendto(_fitting(response, question.payload if question.edns >= 0 else 512), peer)

    def respond(self, question: dns.message.Message) -> dns.message.Message | None:
        """The response to a question, whatever it goes by; None for silence."""
        name = question.question[0].name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        self.questions.append((name, kind))
        self.edns.append(question.payload if question.edns >= 0 else -1)
        if self.lose:
            self.lose -= 1
            return None
        if name in self.silent:
            return None
        response = dns.message.make_response(question)
        response.flags |= dns.flags.RA
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        for _ in range(2):
            if name in self.aliases:
                target = self.aliases[name]
                response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "CNAME", target + "."))
                name = target
        if (name, kind) in self.records:
            life, rows = self.records[name, kind]
            if rows:
                response.answer.append(dns.rrset.from_text(name + ".", life, "IN", kind, *rows))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self.alter(response)
        return response

    async def talk(self, stream: trio.SocketStream) -> None:
        """Answer the questions of one TCP connection (RFC 7766 section 8: two bytes of length before each)."""
        with contextlib.suppress(trio.BrokenResourceError):
            async with stream:
                size = int.from_bytes(await _exactly(stream, 2), "big")
                self.streams += 1
                response = self.respond(dns.message.from_wire(await _exactly(stream, size)))
                if response is not None:
                    wire = response.to_wire(max_size=65_535)
                    await stream.send_all(len(wire).to_bytes(2, "big") + wire)


async def _exactly(stream: trio.SocketStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await stream.receive_some(size - len(data))
        if not more:
            raise trio.BrokenResourceError
        data += more
    return data


def _fitting(response: dns.message.Message, size: int) -> bytes:
    """An answer over UDP, cut when it is too long."""
    try:
        return response.to_wire(max_size=size)
    except dns.exception.TooBig:
        cut = dns.message.Message(id=response.id)
        cut.flags = response.flags | dns.flags.TC
        cut.question = response.question
        return cut.to_wire()


async def serve(server: DnsServer, udp: trio.socket.SocketType) -> None:
    while True:
        wire, peer = await udp.recvfrom(65_535)
        await server.answer(wire, udp, peer)


@contextlib.asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    """A DNS server that runs."""
    udp, listener = await _sockets()
    with udp:
        server = DnsServer(udp.getsockname()[1])
        async with listener, trio.open_nursery() as nursery:
            nursery.start_soon(serve, server, udp)
            nursery.start_soon(trio.serve_listeners, server.talk, [listener])
            yield server
            nursery.cancel_scope.cancel()


async def _sockets() -> tuple[trio.socket.SocketType, trio.SocketListener]:
    """One port for UDP and TCP; what is free for one may be taken for the other."""
    for _ in range(50):
        udp = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        await udp.bind(("127.0.0.1", 0))
        try:
            (listener,) = await trio.open_tcp_listeners(udp.getsockname()[1], host="127.0.0.1")
        except OSError:
            udp.close()
        else:
            return udp, listener
    raise AssertionError("no port is free for UDP and TCP")
