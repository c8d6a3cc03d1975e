"""Who registers and calls: users, passwords, and the list that SIPp reads them from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the server and the password it knows."""

    user: str
    password: str


def parse_account(text: str) -> Account:
    """USER:PASSWORD, as the command line takes it."""
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise ValueError(f"{text!r} is not USER:PASSWORD")
    return Account(user, password)


def read_accounts(file: Path) -> list[Account]:
    """One account a line: user;password. Empty lines and lines that begin with # say nothing."""
    accounts = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            user, semicolon, password = line.partition(";")
            if not user or not semicolon:
                raise ValueError(f"{file}:{number}: expected user;password")
            accounts.append(Account(user, password.rstrip(";")))
    return accounts


def write_user_list(accounts: Sequence[Account], file: Path) -> None:
    """The list in SIPp's own form: the whole digest keyword is a field, since SIPp has no field within a keyword."""
    lines = [f"{each.user};[authentication username={each.user} password={each.password}];" for each in accounts]
    file.write_text("\n".join(["SEQUENTIAL", *lines, ""]), "utf-8")
