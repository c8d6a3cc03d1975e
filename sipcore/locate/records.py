"""What the DNS is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias


class Question(NamedTuple):
    """One question: a name in lower case without a final dot, and A, AAAA, SRV or NAPTR."""

    name: str
    kind: str


class Naptr(NamedTuple):
    """A NAPTR record (RFC 3403 section 4.1); `flags` and `service` in upper case, `replacement` "" for the root."""

    order: int
    preference: int
    flags: str
    service: str
    regexp: str
    replacement: str


class Srv(NamedTuple):
    """An SRV record (RFC 2782); `target` in lower case without a final dot, "" when the service is not offered."""

    priority: int
    weight: int
    port: int
    target: str


Record: TypeAlias = str | Naptr | Srv
"""An address is a text without brackets."""


class Answer(NamedTuple):
    """What came of one question; no records and no `failed` mean that there are none.

    `expires` is a time of the stack. `failed` says why nobody answered; records are then those of before, if any.
    `local` records stand in a file of this machine.
    """

    records: tuple[Record, ...]
    expires: float
    failed: str = ""
    local: bool = False


class Resolver(Protocol):
    """Asks the DNS, and remembers."""

    def known(self, question: Question) -> Answer | None:
        """The answer when nobody must be asked, else None."""

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """The answers in the order of the questions, which are asked side by side; a failure is an answer too."""
