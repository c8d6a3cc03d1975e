"""Opening an SQLite file, and what its errors mean to a person."""

from __future__ import annotations

import os
import sqlite3
from errno import ENOENT
from pathlib import Path
from urllib.parse import quote

from sipcore.errors import ConfigurationError

_PREFIX = "sqlite:///"
_MEANINGS = {
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_LOCKED: "is locked by another program",
    sqlite3.SQLITE_READONLY: "can't be written: the file, its folder or its disk is read-only",
    sqlite3.SQLITE_FULL: "can't grow: the disk is full",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore a copy, or move it away and run `ringway db init`",
    sqlite3.SQLITE_NOTADB: "is not an SQLite database",
    sqlite3.SQLITE_CANTOPEN: "can't be opened: check the permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "can't be read or written: the disk reports an error",
}
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def file_of(url: str) -> Path:
    """The file of a `sqlite:///` URL; ConfigurationError for any other."""
    if not url.startswith(_PREFIX) or len(url) == len(_PREFIX):
        raise ConfigurationError([f'database.url: expected "{_PREFIX}FILE", found "{url}"'])
    return Path(url.removeprefix(_PREFIX))


def _code(error: Exception) -> int:
    """The primary result code; the bytes above it are details."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_damage(error: Exception) -> bool:
    """Whether the file is no database, or a broken one."""
    return _code(error) in _DAMAGED


def meaning(error: Exception, file: Path) -> str:
    """One sentence about an error of SQLite or of the file system, with what to do."""
    if isinstance(error, FileNotFoundError):
        return f"the database {file} does not exist; make it with `ringway db init`"
    if isinstance(error, OSError):
        return f"the database {file} can't be opened: {error.strerror}"
    if "no such" in str(error):
        return f"the database {file} lacks a table or column ({error}); run `ringway db init`"
    return f"the database {file} {_MEANINGS.get(_code(error)) or f'gives an error: {error}'}"


def connect(file: Path, busy_timeout: float, *, read_only: bool = False) -> sqlite3.Connection:
    """Open an existing file for the calling thread; never makes one. Raises sqlite3.Error or OSError.

    WAL with synchronous=FULL: when COMMIT returns the change is on the disk, and readers never wait for the writer.
    """
    os.stat(file)  # says more than SQLite's error
    name = f"file:{quote(str(file.absolute()))}?mode=rw"
    connection = sqlite3.connect(name, uri=True, timeout=busy_timeout, isolation_level=None, cached_statements=128)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if read_only:
            connection.execute("PRAGMA query_only=1")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class Connection:
    """The connection of one thread, opened when needed."""

    def __init__(self, file: Path, busy_timeout: float, *, read_only: bool) -> None:
        self.file = file
        self._busy_timeout = busy_timeout
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)

    def get(self) -> sqlite3.Connection:
        """The open connection; sqlite3.Error or OSError when there can't be one."""
        if self._connection is None:
            self._connection = connect(self.file, self._busy_timeout, read_only=self._read_only)
            self._identity = self._look()
        return self._connection

    def confirm(self) -> None:
        """Raise OSError when the file under this name is no longer the one that is open.

        What was committed then went into a file that nobody will find again.
        """
        if self._look() != self._identity:
            self.close()
            raise FileNotFoundError(ENOENT, "it was replaced while in use")

    def _look(self) -> tuple[int, int]:
        found = os.stat(self.file)
        return found.st_dev, found.st_ino

    def close(self) -> None:
        """Close, so that the next use opens it anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
