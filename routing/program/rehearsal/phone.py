"""A phone or peer of a story: it has an address, sends and receives, and remembers what came."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from routing.language.stories.story import Extra
from routing.language.stories.story import Phone as Introduced
from routing.program.rehearsal.answering import Answering
from routing.program.rehearsal.calling import Calling
from routing.program.rehearsal.dialog import Dialog, Way
from routing.program.rehearsal.directory import Directory
from routing.program.rehearsal.edge import RehearsalEdge
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.network import Network
from sipcore.errors import Malformed
from sipcore.flow import RELIABLE, Flow, Target
from sipcore.message import Request, Response, parse
from sipcore.uri import parse_uri

_EPHEMERAL = 50_000
"""The port that the first connection of a phone comes from."""


@dataclass(slots=True)
class Received:
    """A message that came; `order` counts through the whole story."""

    order: int
    time: float
    message: Request | Response
    transport: str
    went_on: bool = False
    """It was a challenge, and was answered with a password."""


class Phone:
    """Sends for `calling`, which makes requests, and for `answering`, which is asked about those that come."""

    def __init__(
        self, introduced: Introduced, directory: Directory, network: Network, edge: RehearsalEdge, password: str
    ) -> None:
        self.name = introduced.name
        self.introduced = introduced
        self.directory = directory
        self.network = network
        self.password = password
        self.up = True
        self.address = directory.address(self.name)
        self.inbox: list[Received] = []
        self.dialogs: list[Dialog] = []
        self._edge = edge
        self._connections: dict[Way, Flow] = {}
        self._ports = count(_EPHEMERAL)
        self._seen: set[tuple[object, ...]] = set()
        self._number = 0
        self.calling = Calling(self)
        self.answering = Answering(self)
        network.parties[self.address] = self

    def token(self) -> str:
        """A name for a call, a tag or a branch that nobody else has."""
        self._number += 1
        return f"{self.name}-{self._number}"

    # -- sending ----------------------------------------------------------------------------------------------------

    def way(self, extra: Extra) -> Way:
        """How a request leaves: its transport, and the address it comes from."""
        transport = extra.transport or self.introduced.transport
        if extra.source is None:
            return Way(transport, self.address)
        address = extra.source[0], extra.source[1] or self.address[1]
        self.network.parties.setdefault(address, self)
        return Way(transport, address)

    def flow(self, way: Way) -> Flow:
        """The server's flow for what we send this way."""
        listener = self._edge.listener(way.transport, way.address[0])
        if listener is None or (":" in listener.host) != (":" in way.address[0]):
            version = "IPv6" if ":" in way.address[0] else "IPv4"
            raise StoryFailed(
                self.introduced.span,
                f"the server does not listen by {way.transport} on {version}, which `{self.name}` uses",
                "`listen` in ringway.toml says where it does",
            )
        if way.transport not in RELIABLE:
            return self._edge.flow(Target(way.transport, *way.address))
        flow = self._connections.get(way)
        if flow is None or flow.closed:
            flow = self._edge.connection_of(self, way.transport, (way.address[0], next(self._ports)))
            if self.introduced.host and way.transport == "tls":
                flow.identities = (self.introduced.host,)
            self._connections[way] = flow
        return flow

    def send(self, data: bytes, way: Way, hop: str = "") -> None:
        """Send a request to the server, or past it when its next `hop` is another phone."""
        past = self._past(hop) if hop else None
        if past is None:
            self.network.send(self, data, self.flow(way))
        else:
            self.network.send_past(self, data, past)

    def _past(self, hop: str) -> tuple[str, int] | None:
        try:
            uri = parse_uri(hop)
        except Malformed:
            return None  # the server may say what it makes of it
        address = uri.host, uri.port or self.address[1]
        return address if address in self.network.parties else None

    def disconnect(self) -> None:
        """End all our connections."""
        for flow in self._connections.values():
            if not flow.closed:
                self.network.note(f"{self.name} loses its connection")
                self.network.end(flow)

    # -- receiving --------------------------------------------------------------------------------------------------

    def take(self, data: bytes, flow: Flow | None) -> None:
        """Bytes have come; what can't be parsed is thrown away, as a phone would."""
        try:
            message = parse(data)
        except Malformed as malformed:
            self.network.note(f"{self.name} can't understand it: {malformed.reason}")
            return
        try:
            again, noise = self._is_again(message), _is_noise(message)
        except Malformed:  # it answers what was malformed itself, and can't be brought to any request
            self._keep(message, flow)
            return
        if not again and not noise:
            self._keep(message, flow)
        if isinstance(message, Request):
            self.answering.request(message, flow)
        elif self.calling.response(message) and not again:
            self.inbox[-1].went_on = True

    def _is_again(self, message: Request | Response) -> bool:
        """Whether the same came before: a retransmission."""
        if isinstance(message, Request):
            key: tuple[object, ...] = (message.method, message.via.branch)
        else:
            key = message.status, message.via.branch, message.cseq.method, message.to.tag
            if message.status < 200:
                return False
        again = key in self._seen
        self._seen.add(key)
        return again

    def _keep(self, message: Request | Response, flow: Flow | None) -> None:
        transport = flow.transport if flow is not None else self.introduced.transport
        self.inbox.append(Received(len(self.network.ladder.rungs), self.network.now, message, transport))


def _is_noise(message: Request | Response) -> bool:
    """The 200 to a CANCEL says only that the CANCEL has arrived."""
    return isinstance(message, Response) and message.cseq.method == "CANCEL" and message.status == 200
