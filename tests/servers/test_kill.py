"""SIGKILL at any moment: what was answered with 200 is there after the restart, and nothing is there by half."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

import pytest
from sipp_runner.server import Server

from tests.servers.conftest import PASSWORD, NewServer, add_many_users
from tests.servers.phone import Message, NoAnswer, Phone

KILLS = 22
WRITERS = 4
USERS_PER_WRITER = 6


@dataclass
class Writer:
    """Phones of some users that move from one contact to the next as fast as the server lets them.

    Each REGISTER adds the new contact and removes the old one, so that a request done by half would show.
    """

    phones: list[Phone]
    promised: dict[str, str | None] = field(default_factory=dict)
    """The contact of each user in its last 200."""
    open: dict[str, str] = field(default_factory=dict)
    """The contact of a REGISTER that got no final response: it may be there or not (RFC 3261 has no rule here)."""
    answered: int = 0
    refused: list[Message] = field(default_factory=list)
    _generation: int = 0

    def write(self, stop: threading.Event) -> None:
        while not stop.is_set():
            for phone in self.phones:
                if stop.is_set():
                    return
                self._move(phone)

    def _move(self, phone: Phone) -> None:
        self._generation += 1
        new = f"{phone.contact};generation={self._generation}"
        old = self.promised.get(phone.user)
        self.open[phone.user] = new
        try:
            response = phone.register(f"<{new}>;expires=3600", *([f"<{old}>;expires=0"] if old else []))
        except NoAnswer:
            return
        if response.status == 200:
            self.promised[phone.user] = new
            self.answered += 1
        else:
            self.refused.append(response)
        del self.open[phone.user]

    def check(self) -> None:
        """Compare with what the server holds now, and go on from there."""
        for phone in self.phones:
            held = phone.bindings()
            promised = self.promised.get(phone.user)
            right = [{promised} if promised else set()]
            if phone.user in self.open:
                right.append({self.open.pop(phone.user)})
            assert held in right, f"{phone.user}: holds {held}, promised was {promised}, possible is {right}"
            self.promised[phone.user] = next(iter(held), None)


def write_until_killed(server: Server, writers: list[Writer], after: float) -> None:
    """Let all writers write for `after` seconds, kill the server, and start it again."""
    stop = threading.Event()
    threads = [threading.Thread(target=writer.write, args=(stop,)) for writer in writers]
    for thread in threads:
        thread.start()
    time.sleep(after)
    server.kill()
    stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    server.start()


@pytest.mark.row("E13")
@pytest.mark.conformance("RFC 3261 10.3")
def test_no_binding_that_was_answered_with_200_is_lost(new_server: NewServer) -> None:
    server = new_server()
    users = [f"u{number}" for number in range(WRITERS * USERS_PER_WRITER)]
    add_many_users(server, users)
    server.start()
    address = (server.host, server.port)
    writers = [
        Writer([Phone(user, PASSWORD, address, wait=0.6) for user in users[first::WRITERS]]) for first in range(WRITERS)
    ]
    moments = random.Random(3261)
    try:
        for _ in range(KILLS):
            write_until_killed(server, writers, moments.uniform(0.02, 0.4))
            for writer in writers:
                writer.check()
    finally:
        for writer in writers:
            for phone in writer.phones:
                phone.close()
    refused = [response for writer in writers for response in writer.refused]
    assert not refused
    assert sum(writer.answered for writer in writers) > KILLS * 10
