"""SQLAlchemy connections for commands and migrations: not for the path of a request."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from modules.database.sqlite_connection import connect, file_of, meaning
from sipcore.errors import Unavailable

_BUSY_TIMEOUT = 5.0


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """Everything in the block happens or nothing; `Unavailable` with a clear sentence when the database can't do it."""
    file = file_of(url)
    try:
        with _engine(file).begin() as connection:
            yield connection
    except DBAPIError as error:
        raise Unavailable(meaning(error.orig if isinstance(error.orig, Exception) else error, file)) from error
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(meaning(error, file)) from error


def make_file(url: str) -> bool:
    """Make an empty database file that only its owner and group may read; False when there is a file already."""
    file = file_of(url)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o640))
    except FileExistsError:
        return False
    except OSError as error:
        raise Unavailable(f"the database {file} can't be made: {error.strerror}") from error
    return True


def _engine(file: Path) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: connect(file, _BUSY_TIMEOUT), poolclass=NullPool)
    # The driver would begin late and never before DDL; here a transaction holds what is in it, whatever it is.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
