"""A registrar on a real database, registering as fast as it can; its parent kills it whenever it likes.

    python -m tests.servers.store_writer DATABASE_URL LOG RUN

Each line of LOG is JSON: `["begin", user, contacts]` before a REGISTER with what it would leave, `["done", user]` after
its 200, `["failed", user, status]` after another answer.
"""

from __future__ import annotations

import json
import os
import queue
import random
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from modules.database.module import Database
from modules.database.settings import DatabaseSettings
from modules.registrar.module import Registrar
from routing.runtime import Context
from sipcore.flow import Flow
from sipcore.tokens import Tokens
from tests.platforms import PHONE, SERVER, Bench, Transaction, register

USERS = 12
CONTACTS = [f"sip:phone{number}@10.0.0.2" for number in range(6)]


class Writer:
    """Keeps one REGISTER of each user on its way."""

    def __init__(self, url: str, log: str, run: str) -> None:
        self.random = random.Random(run)
        self.run = run
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        window = self.random.choice((0.0, 0.003, 0.02))  # the longer it is, the more is under way when the kill comes
        self.bench = Bench(database=DatabaseSettings(url=url, window=window))
        self.bench.platform.post = self.calls.put
        self.bench.platform.wall_clock = time.time
        self.bench.platform.tokens = Tokens("w0", b"secret of the tests", os.urandom)  # no run mints another's tokens
        database = Database(self.bench.platform)
        self.registrar = Registrar(self.bench.platform)
        database.start()
        self.registrar.start()
        self.cseq = 0
        self.flow = Flow("udp", SERVER, PHONE)

    def write(self, *line: object, durable: bool = False) -> None:
        os.write(self.log, json.dumps(line).encode() + b"\n")
        if durable:
            os.fsync(self.log)

    def contacts(self, user: str) -> list[str]:
        bindings = self.registrar.location.bindings(f"{user}@example.com", self.bench.platform.steady_time())
        return sorted(binding.contact for binding in bindings)

    def begin(self, user: str) -> None:
        """Start a REGISTER that adds, refreshes and removes some contacts at once."""
        self.cseq += 1
        present = set(self.contacts(user))
        if self.random.random() < 0.1:
            headers, after = ("Contact: *", "Expires: 0"), set[str]()
        else:
            chosen = self.random.sample(CONTACTS, self.random.randint(1, 3))
            expires = {contact: self.random.choice((0, 600, 600)) for contact in chosen}
            values = (f"<{contact}>;expires={seconds}" for contact, seconds in expires.items())
            headers = ("Contact: " + ", ".join(values),)
            after = present - set(chosen) | {contact for contact in chosen if expires[contact]}
        self.write("begin", user, sorted(after))
        request = register(*headers, user=user, cseq=self.cseq, call_id=f"{self.run}-{user}")
        self.bench.run(self.route(user), request, self.flow)

    def route(self, user: str) -> Callable[[Context], Coroutine[Any, Any, None]]:
        async def route(context: Context) -> None:
            await self.registrar.save(context)
            assert isinstance(context.transaction, Transaction)
            self.calls.put(lambda: self.finish(user, context.transaction))

        return route

    def finish(self, user: str, transaction: Any) -> None:
        if transaction.status == 200:
            self.write("done", user, durable=True)
        else:
            self.write("failed", user, transaction.status)
        self.begin(user)

    def work(self) -> None:
        for number in range(USERS):
            self.begin(f"u{number}")
        while True:
            self.calls.get()()


if __name__ == "__main__":
    Writer(*sys.argv[1:4]).work()
