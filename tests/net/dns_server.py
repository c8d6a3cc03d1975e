"""A small DNS server on loopback that answers, stays silent, or fails as it is told."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import trio


@dataclass
class DnsServer:
    """`records` maps (name, "A" or "AAAA") to (time to live, addresses); a name without any does not exist."""

    port: int = 0
    records: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    questions: list[tuple[str, str]] = field(default_factory=list)
    lose: int = 0
    """So many of the next questions are not heard."""
    delay: float = 0.0

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to a question, or None for silence."""
        question = dns.message.from_wire(wire)
        name = question.question[0].name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        self.questions.append((name, kind))
        if self.lose:
            self.lose -= 1
            return None
        if name in self.silent:
            return None
        response = dns.message.make_response(question)
        response.flags |= dns.flags.RA
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        for _ in range(2):
            if name in self.aliases:
                target = self.aliases[name]
                response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "CNAME", target + "."))
                name = target
        if (name, kind) in self.records:
            life, addresses = self.records[name, kind]
            if addresses:
                response.answer.append(dns.rrset.from_text(name + ".", life, "IN", kind, *addresses))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=65_535)


async def serve(server: DnsServer, udp: trio.socket.SocketType) -> None:
    while True:
        wire, peer = await udp.recvfrom(65_535)
        answer = server.answer(wire)
        await trio.sleep(server.delay)
        if answer is not None:
            await udp.sendto(answer, peer)


@contextlib.asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    """A DNS server that runs."""
    with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        await udp.bind(("127.0.0.1", 0))
        server = DnsServer(udp.getsockname()[1])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, server, udp)
            yield server
            nursery.cancel_scope.cancel()
