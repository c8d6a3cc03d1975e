"""A checked test: who is in it, how the world around the server is, and what happens step by step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from routing.language.problem import Span

Pattern: TypeAlias = re.Pattern[str]


# -- who and what there is --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class User:
    """An account; `name` has a domain of its own when it holds an `@`. `password` is "" for one that nobody chose."""

    name: str
    phones: tuple[str, ...]
    password: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """Whoever sends and receives: a phone of a user, or a peer (`user` is "").

    `host` is the DNS name of a peer, `address` its IP address, `port` its port; what is empty or 0 is chosen. `q` is
    that of a phone's binding; one that is not `registered` has none.
    """

    name: str
    span: Span
    user: str = ""
    host: str = ""
    address: str = ""
    port: int = 0
    transport: str = "udp"
    q: float | None = None
    registered: bool = True


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record, or that a name `fails`; `values` as in a zone file, the address of an A record may be a phone's."""

    name: str
    kind: str
    values: tuple[str, ...]
    delay: float
    fails: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of the configuration that is another one in this test."""

    key: tuple[str, ...]
    values: tuple[object, ...]
    span: Span


@dataclass(slots=True)
class Given:
    """All that is so before anything happens. `time` is in Unix seconds; `failing` is what gives no answer."""

    users: dict[str, User] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    records: list[DnsRecord] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    time: float | None = None
    failing: set[str] = field(default_factory=set)


# -- what is sent -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody as written: the `name` of a user or phone, or a number, address or URI as text."""

    text: str
    is_name: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Extra:
    """What a message has beyond the usual. `lines` are header lines, which replace the usual ones of their name."""

    lines: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    body: tuple[str, ...] | None = None
    uri: Whom | None = None
    sender: Whom | None = None
    source: tuple[str, int] | None = None
    transport: str = ""
    password: str | None = None
    """What challenges are answered with: None for the user's own, "" for nothing."""
    times: int = 1


NOTHING_EXTRA = Extra()


# -- what happens -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes."""

    seconds: float
    span: Span


@dataclass(frozen=True, slots=True)
class Send:
    """A phone sends a request to somebody, or, without `to`, inside the call that it is in."""

    phone: str
    method: str
    to: Whom | None
    extra: Extra
    span: Span


@dataclass(frozen=True, slots=True)
class Register:
    """A phone sends a REGISTER.

    `contacts` are None for its own one, and empty for a question; `everything` stands for `Contact: *`.
    """

    phone: str
    contacts: tuple[Whom, ...] | None
    seconds: int
    q: float | None
    everything: bool
    extra: Extra
    span: Span


@dataclass(frozen=True, slots=True)
class Cancel:
    """A phone gives up the call that it began and that nobody has answered."""

    phone: str
    extra: Extra
    span: Span


@dataclass(frozen=True, slots=True)
class Reach:
    """A phone can be reached from now on, or can't."""

    phone: str
    up: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The connections of a phone end."""

    phone: str
    span: Span


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so long; None: for ever."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Send a response. `reason` is "" for the usual one; `contacts` are where a redirection leads."""

    status: int
    reason: str = ""
    contacts: tuple[Whom, ...] = ()
    extra: Extra = NOTHING_EXTRA


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Move: TypeAlias = Pause | Answer | HangUp


@dataclass(frozen=True, slots=True)
class Behave:
    """What a phone does with the call that rings there, or with those that come."""

    phone: str
    moves: tuple[Move, ...]
    span: Span


# -- what is expected -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timing:
    """When, in seconds since the steps before the expectation; `at_least` belongs to it, `before` does not."""

    at_least: float = 0.0
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Has:
    """A message has a header; `value` is what it must be, when that is said."""

    header: str
    value: str | Pattern | None
    span: Span


@dataclass(frozen=True, slots=True)
class Lacks:
    """A message has no such header, or no body (`body`)."""

    header: str
    span: Span


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message, `uri`, `from`, `to`, `body` or `transport`, is or holds something."""

    name: str
    value: Whom | Pattern | str
    span: Span


Condition: TypeAlias = Has | Lacks | Part


@dataclass(frozen=True, slots=True)
class Message:
    """What is expected: a request, or (`method` is "") a response with a status from `low` to `high`."""

    method: str
    low: int
    high: int
    reason: str | None
    span: Span

    def __str__(self) -> str:
        if self.method:
            return self.method
        status = str(self.low) if self.low == self.high else f"{self.low}..{self.high}"
        return status if self.reason is None else f'{status} "{self.reason}"'


@dataclass(frozen=True, slots=True)
class ExpectGot:
    """Phones have got messages, one after the other; the conditions are about the last of them.

    `ordered` phones got them in this order. `never` turns it round; without messages it is nothing at all. `count` is
    how often, at least and at most.
    """

    phones: tuple[str, ...]
    ordered: bool
    never: bool
    messages: tuple[Message, ...]
    conditions: tuple[Condition, ...]
    count: tuple[int, int] | None
    timing: Timing
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectTalk:
    """Phones are in a call; without phones: nobody is."""

    phones: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectRegistered:
    """A user has bindings: exactly these, any (None), or none."""

    user: str
    at: tuple[Whom, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectLog:
    """A line stands in the log, or (`never`) does not."""

    text: str | Pattern
    never: bool
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectEvent:
    """Something was reported that the log calls so, with these fields."""

    name: str
    fields: tuple[tuple[str, str | int | Pattern], ...]
    never: bool
    span: Span


Expectation: TypeAlias = ExpectGot | ExpectTalk | ExpectRegistered | ExpectLog | ExpectEvent
Deed: TypeAlias = Send | Register | Cancel | Reach | Disconnect | Behave
Step: TypeAlias = Wait | Deed | Expectation


@dataclass(frozen=True, slots=True)
class Story:
    """One test; `span` is that of its name."""

    name: str
    given: Given
    steps: tuple[Step, ...]
    span: Span
