"""What an operator may set about the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Times in seconds."""

    url: str = "sqlite:///ringway.db"
    """Where the database is; for SQLite the file name behind three slashes (four: an absolute one)."""
    window: float = 0.003
    """How long the first change of a group waits for others to share its commit."""
    queue: int = 10_000
    """Changes that may wait; the next one is refused with 503. Reads have a queue of the same length."""
    busy_timeout: float = 5.0
    """How long to wait for another program that holds the database."""
    poll: float = 1.0
    """How often to look for changes made by other programs, and for a database that is missing."""
