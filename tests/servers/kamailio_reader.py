"""What Debian's Kamailio read of what it was sent: an independent opinion (kamailio/reader.cfg)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sipp_runner.kamailio import Kamailio
from sipp_runner.ports import free_port

HERE = Path(__file__).resolve().parent


@dataclass
class Read:
    """One message as Kamailio understood it; header names as they were written."""

    method: str
    uri: bytes
    call_id: bytes
    length: bytes
    transport: str
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def all(self, name: bytes) -> list[bytes]:
        """The values of the headers of one name, whatever the case."""
        return [value for other, value in self.headers if other.lower() == name.lower()]


class Reader:
    """A Kamailio that reads and answers 200, over UDP and TCP."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._kamailio = Kamailio(folder, HERE / "kamailio" / "reader.cfg", self.port, {"PORT": str(self.port)})
        self._kamailio.start()
        self._position = 0
        self.new()

    def stop(self) -> None:
        """End it."""
        self._kamailio.stop()

    def new(self) -> list[Read]:
        """What was read since the last time."""
        with self._kamailio.log.open("rb") as log:
            log.seek(self._position)
            data = log.read()
        self._position += len(data)
        messages: list[Read] = []
        for line in data.decode("ascii", "replace").splitlines():
            kind, _, words = line.partition("read ")[2].partition(" ")
            if kind == "message":
                method, *values, transport = words.split(" ")
                uri, call_id, length = map(bytes.fromhex, values)
                messages.append(Read(method, uri, call_id, length, transport))
            elif kind == "header":
                name, value = map(bytes.fromhex, words.split(" "))
                messages[-1].headers.append((name, value))
            elif kind == "body":
                messages[-1].body = bytes.fromhex(words)
        return messages
