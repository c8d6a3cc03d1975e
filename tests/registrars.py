"""A registrar with a store in memory, for tests."""

from __future__ import annotations

from typing import Any

from modules.registrar.module import Registrar
from modules.registrar.settings import RegistrarSettings
from routing.runtime import Context
from sipcore.flow import Flow
from sipcore.uri import parse_uri
from tests.platforms import Bench, MemoryStore, Transaction, register

A, B = "Contact: <sip:alice@10.0.0.2>", "Contact: <sip:alice@10.0.0.3>"
SETTINGS = RegistrarSettings(jitter=0.0)


class Office:
    """A registrar with a store in memory."""

    def __init__(self, settings: RegistrarSettings = SETTINGS, store: MemoryStore | None = None) -> None:
        self.bench = Bench(registrar=settings)
        self.store = self.bench.provide(store or MemoryStore())
        self.registrar = Registrar(self.bench.platform)
        self.registrar.start()

    async def route(self, context: Context) -> None:
        await self.registrar.save(context)

    def register(self, *headers: str, flow: Flow | None = None, **options: Any) -> Transaction:
        return self.bench.run(self.route, register(*headers, **options), flow)

    def contacts(self, user: str = "alice") -> list[str]:
        found = self.registrar.lookup(self.bench.contexts[-1], parse_uri(f"sip:{user}@example.com"))
        return [destination.uri.text for destination in found]

    def rows(self) -> list[str]:
        return sorted(row.contact for row in self.store.rows.values())
