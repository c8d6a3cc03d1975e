"""What `ringway user ...` does; the command line prints what comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from modules.database.accounts import add_account, change_password, list_accounts, remove_account
from modules.database.engine import make_file, transaction
from modules.database.migrations import migrate
from routing.language.problem import nearest
from routing.program.config import Config
from routing.program.passwords import generate
from sipcore.errors import RingwayError

_LONGEST = 64
"""Characters of a user name; the width of the column."""
# What needs no escape in the user part of a SIP URI (RFC 3261 section 25.1): no person types %2F into a phone.
_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]+")


class NotDone(RingwayError):
    """A command can't do what was asked; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """One account. `address` is user@domain; `algorithms` are those there is a hash for."""

    address: str
    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that was set; `generated` when nobody knows it yet and it must be shown, once."""

    address: str
    password: str
    generated: bool


def add_user(config: Config, address: str, password: str | None = None) -> NewPassword:
    """Add a user; without a password one is generated. A running server lets him in at once."""
    return _set_password(config, address, password, new=True)


def set_password(config: Config, address: str, password: str | None = None) -> NewPassword:
    """Give a user another password; a running server takes the new one at once, and the old one no more in a second."""
    return _set_password(config, address, password, new=False)


def remove_user(config: Config, address: str) -> User:
    """Remove a user; his registrations stay until they expire or are removed too."""
    user, domain = split_address(config, address)
    with transaction(config.database_url) as connection:
        known = {(listed.username, listed.domain): listed for listed in list_accounts(connection)}
        if not remove_account(connection, user, domain):
            raise _unknown(f"{user}@{domain}", [f"{name}@{place}" for name, place in known])
    return User(f"{user}@{domain}", known[user, domain].algorithms)


def list_users(config: Config) -> list[User]:
    """All users, by domain and name."""
    with transaction(config.database_url) as connection:
        return [User(f"{found.username}@{found.domain}", found.algorithms) for found in list_accounts(connection)]


def prepare_database(config: Config) -> list[str]:
    """Make the database, or bring an older one up to date; returns what was added, none when nothing was missing."""
    make_file(config.database_url)
    with transaction(config.database_url) as connection:
        return migrate(connection)


def split_address(config: Config, address: str) -> tuple[str, str]:
    """User and domain of what somebody typed; without a domain it is the first one of the configuration."""
    text = re.sub(r"^sips?:", "", address.strip(), flags=re.IGNORECASE)
    user, _, domain = text.rpartition("@") if "@" in text else (text, "", config.domains[0])
    domain = domain.lower().rstrip(".")
    if not _USER.fullmatch(user):
        raise NotDone(f'"{address}" is no address: expected USER or USER@DOMAIN')
    if len(user) > _LONGEST:
        raise NotDone(f"a user name has at most {_LONGEST} characters, and this one has {len(user)}")
    domains = [name.lower().rstrip(".") for name in config.domains]
    if domain not in domains:
        hint = nearest(domain, domains) or f"served are {', '.join(domains)}"
        raise NotDone(f'"{domain}" is not a domain of this server ({hint}); domains stand in {config.file}')
    return user, domain


def _set_password(config: Config, address: str, password: str | None, *, new: bool) -> NewPassword:
    user, domain = split_address(config, address)
    secret = generate() if password is None else password
    if not secret or any(character < " " for character in secret):
        raise NotDone("a password has at least one character, and no line ends or other control characters")
    with transaction(config.database_url) as connection:
        if new:
            if not add_account(connection, user, domain, secret):
                raise NotDone(
                    f"{user}@{domain} exists already; `ringway user passwd {user}@{domain}` changes its password"
                )
        elif not change_password(connection, user, domain, secret):
            raise _unknown(f"{user}@{domain}", [f"{one.username}@{one.domain}" for one in list_accounts(connection)])
    return NewPassword(f"{user}@{domain}", secret, password is None)


def _unknown(address: str, known: list[str]) -> NotDone:
    hint = nearest(address, known)
    return NotDone(f"there is no user {address}" + (f": {hint}" if hint else ""))
