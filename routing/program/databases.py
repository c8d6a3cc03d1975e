"""What `ringway db ...` does; the command line prints what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from modules.database.diagnosis import Finding, examine
from modules.database.engine import transaction
from routing.program.accounts import prepare_database
from routing.program.config import Config


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `db init` did: `added` is empty when the database was up to date."""

    url: str
    added: tuple[str, ...]


def initialise(config: Config) -> Initialised:
    """Make the database file and its tables, or add what an older or a Kamailio database lacks; removes nothing."""
    return Initialised(config.database_url, tuple(prepare_database(config)))


def check(config: Config) -> list[Finding]:
    """Every difference between the database and what is expected, each with its remedy; `Unavailable` without one."""
    with transaction(config.database_url) as connection:
        return examine(connection)
