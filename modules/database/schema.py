"""The one schema, with Kamailio's table, column and index names; every backend and command is compiled from it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, UniqueConstraint, func, literal_column
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.types import UserDefinedType

_UNIX_EPOCH: ColumnElement[float] = literal_column("2440587.5")
"""1970-01-01 00:00 UTC as a Julian day."""
_DAY: ColumnElement[float] = literal_column("86400.0")


class Moment(UserDefinedType[float]):
    """A time: Unix seconds here, and in SQLite a Julian day as REAL, because that is what Kamailio writes there.

    The conversion is part of the SQL. Reading also understands a time written as text; 0 (never) stays 0.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in CREATE TABLE."""
        return "TIMESTAMP WITHOUT TIME ZONE"

    def bind_expression(self, bindvalue: BindParameter[float]) -> ColumnElement[float]:
        """Seconds to days, on the way in."""
        # `op`, because `/` would guard against whole-number division, which two REALs can't have
        return bindvalue.op("/", return_type=Float())(_DAY) + _UNIX_EPOCH

    def column_expression(self, column: ColumnElement[float]) -> ColumnElement[float]:
        """Days to seconds, on the way out."""
        return func.iif(
            column == literal_column("0"), literal_column("0.0"), (func.julianday(column) - _UNIX_EPOCH) * _DAY
        )


metadata = MetaData()


def _text(name: str, length: int, default: str | None = "") -> Column[str]:
    """A text column: NOT NULL with a default, or nullable when the default is None."""
    return Column(name, String(length), nullable=default is None, server_default=default)


def _number(name: str, default: int | None = 0) -> Column[int]:
    return Column(name, Integer, nullable=default is None, server_default=None if default is None else str(default))


def _key() -> Column[int]:
    return Column("id", Integer, primary_key=True, nullable=False)


version = Table(
    "version",
    metadata,
    _key(),
    Column("table_name", String(32), nullable=False),
    _number("table_version"),
    UniqueConstraint("table_name", name="version_table_name_idx"),
)

subscriber = Table(
    "subscriber",
    metadata,
    _key(),
    _text("username", 64),
    _text("domain", 64),
    _text("password", 64),
    _text("ha1", 128),
    _text("ha1b", 128),
    # Ours, in the names OpenSIPS gives them; Kamailio ignores columns it doesn't know.
    _text("ha1_sha256", 64, None),
    _text("ha1_sha512t256", 64, None),
    UniqueConstraint("username", "domain", name="subscriber_account_idx"),
    Index("subscriber_username_idx", "username"),
)

location = Table(
    "location",
    metadata,
    _key(),
    _text("ruid", 64),
    _text("username", 64),
    _text("domain", 64, None),
    _text("contact", 512),
    _text("received", 128, None),
    _text("path", 512, None),
    Column("expires", Moment, nullable=False, server_default="2030-05-28 21:32:15"),
    Column("q", Float, nullable=False, server_default="1.0"),
    _text("callid", 255, "Default-Call-ID"),
    _number("cseq", 1),
    Column("last_modified", Moment, nullable=False, server_default="2000-01-01 00:00:01"),
    _number("flags"),
    _number("cflags"),
    _text("user_agent", 255),
    _text("socket", 64, None),
    _number("methods", None),
    _text("instance", 255, None),
    _number("reg_id"),
    _number("server_id"),
    _number("connection_id"),
    _number("keepalive"),
    _number("partition"),
    UniqueConstraint("ruid", name="location_ruid_idx"),
    Index("location_account_contact_idx", "username", "domain", "contact"),
    Index("location_expires_idx", "expires"),
    Index("location_tcpcon_idx", "connection_id"),
    Index("location_connection_idx", "server_id", "connection_id"),
)

changes = Table(
    "ringway_changes",
    metadata,
    _key(),
    _text("username", 64),
    _text("domain", 64),
    Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
"""Addresses of record whose bindings another program changed; a running server reads what was added since it looked."""

KAMAILIO_VERSIONS = {"subscriber": 7, "location": 9}
"""The rows of `version` without which Kamailio's modules refuse to start."""
SCHEMA_ROW = "ringway"
"""The row of `version` that holds the number of the last migration."""
