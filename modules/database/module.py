"""The module: opens the database and offers its contracts to the others."""

from __future__ import annotations

from dataclasses import dataclass

from modules.database.settings import DatabaseSettings
from modules.database.sqlite import SqliteStore
from modules.database.worker import WorkerCounters
from routing.runtime import Module, Platform
from routing.runtime.stores import Credentials, Store


@dataclass(frozen=True, slots=True)
class DatabaseStatistics:
    """What the two threads did."""

    writer: WorkerCounters
    reader: WorkerCounters


class Database(Module):
    """Keeps accounts and bindings in a database."""

    name = "database"

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        settings = platform.settings.get("database", DatabaseSettings())
        self.store = SqliteStore(settings, platform.post, platform.wall_clock)
        platform.provide(Store, self.store)  # type: ignore[type-abstract]
        platform.provide(Credentials, self.store)  # type: ignore[type-abstract]

    def start(self) -> None:
        """Open the database; ConfigurationError when it is damaged or lacks a table."""
        self.store.start()

    def stop(self) -> None:
        """Commit what waits and close."""
        self.store.stop()

    def statistics(self) -> DatabaseStatistics:
        """Counters of the database's threads."""
        return DatabaseStatistics(*self.store.counters())
