"""The types of the language, which value may stand where, and how literal text becomes a value."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from routing.language.hours import Hours
from routing.language.networks import Networks
from routing.language.problem import BadLiteral, nearest
from sipcore.message import NameAddr, parse_name_addr
from sipcore.uri import parse_uri


class Container(enum.Enum):
    """What holds elements."""

    LIST = "list"
    TABLE = "table"
    SHARED = "shared table"


@dataclass(frozen=True, slots=True)
class Type:
    """A type; two types are the same when their names are.

    `element` is what a `container` holds. A value may also stand where its `base` is wanted. `parse` turns literal
    text into a value at load and raises ValueError or `Malformed`. `converts` holds (type name, function): values of
    that type are taken too, through the function, at run time. `limits` bound a whole number that is written out;
    where they are given a value of the base is taken too, and whoever gets it checks it.
    """

    name: str
    element: Type | None = None
    container: Container | None = None
    alternatives: tuple[Type, ...] = ()
    base: Type | None = None
    parse: Callable[[str], object] | None = None
    converts: tuple[tuple[str, Callable[[Any], object]], ...] = ()
    limits: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    """The texts that it may be, when there are few."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def is_a(self, other: Type) -> bool:
        """Whether this is `other` or one of its kind."""
        return self == other or (self.base is not None and self.base.is_a(other))


def _domain(text: str) -> str:
    """A host name or address in lower case, an IPv6 address without brackets; `Malformed` when it is none."""
    return parse_uri(f"sip:[{text}]" if ":" in text else f"sip:{text}").host


DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
"""Which way media flows (RFC 8866 section 6.7)."""


def _direction(text: str) -> str:
    """A direction, or the empty text that stands where there is no session description."""
    if text and text not in DIRECTIONS:
        hint = nearest(text, DIRECTIONS) or f"known: {', '.join(DIRECTIONS)}"
        raise BadLiteral(f'"{text}" is no direction', 0, len(text), hint)
    return text


UNKNOWN = Type("unknown")
"""What a mistake was already reported about: fits everywhere, so that one mistake is reported once."""
ANYTHING = Type("any value")
NOTHING = Type("nothing")
TEXT = Type("text")
NUMBER = Type("number")
TRUTH = Type("truth")
DURATION = Type("duration")
RATE = Type("rate")
PATTERN = Type("pattern")
MOMENT = Type("moment")
"""A point in time, in Unix seconds: `in` asks whether it is in a time window."""
TIME_WINDOW = Type("time window", parse=Hours)
NETWORK = Type("network", parse=lambda text: Networks([text]))
URI = Type("uri", parse=parse_uri, converts=(("text", parse_uri),))
ADDRESS = Type(
    "address",
    parse=lambda text: parse_name_addr(text.encode()),
    converts=(
        ("uri", lambda uri: NameAddr("", uri.text, (), uri)),
        ("text", lambda text: parse_name_addr(text.encode())),
    ),
)
IP_ADDRESS = Type("ip address", base=TEXT)
MEDIA_ADDRESS = Type("media address", base=IP_ADDRESS)
"""An IP address; or the name of a host in lower case, or empty text."""
DOMAIN = Type("domain", base=TEXT, parse=_domain, converts=(("text", str.lower),))
CODEC = Type("codec", base=TEXT, parse=str.lower, converts=(("text", str.lower),))
"""The name of an encoding, in lower case; compared without regard to case."""
DIRECTION = Type("direction", base=TEXT, parse=_direction, converts=(("text", str),))
SDP = Type("session description")
MEDIUM = Type("medium")
HEADER = Type("header")
"""One header by name, where a function takes the header and not its text."""
ENTRY = Type("entry of a shared table")
"""One entry by its key, where a function takes the entry and not its value."""
CODE = Type("status code", base=NUMBER, limits=(100, 699))
FINAL_CODE = Type("final status code", base=CODE, limits=(200, 699))
REQUEST = Type("request")
HEADERS = Type("headers")
PARAMETERS = Type("uri parameters")
SOURCE = Type("source")
OUTCOME = Type("outcome")
ATTEMPT = Type("attempt")
ANSWER_HEADERS = Type("headers of an answer")
BRANCH = Type("branch")
BRANCH_FUNCTION = Type("branch function")
REPLY = Type("reply")
REPLY_FUNCTION = Type("reply function")


def list_of(element: Type) -> Type:
    """The type of a list."""
    return Type(f"list of {element}", element, Container.LIST)


def table_of(element: Type) -> Type:
    """The type of a configured table: `in` asks it, and it may be gone through."""
    return Type(f"table of {element}", element, Container.TABLE)


def shared_of(element: Type) -> Type:
    """The type of a table that all requests share: `[key]` reads and stores."""
    return Type(f"shared table of {element}", element, Container.SHARED)


def one_of(*types: Type) -> Type:
    """A type that is one of several; a nested choice is flattened."""
    flat = [one for type in types for one in (type.alternatives or (type,))]
    if len(set(flat)) == 1:
        return flat[0]
    return Type(" or ".join(dict.fromkeys(str(one) for one in flat)), alternatives=tuple(flat))


def fits(actual: Type, wanted: Type) -> bool:
    """Whether a value of one type may stand where another is wanted, as it is."""
    if actual in (wanted, UNKNOWN) or wanted in (UNKNOWN, ANYTHING):
        return actual != NOTHING
    if wanted.alternatives:
        return any(fits(actual, one) for one in wanted.alternatives)
    if actual.base is not None and fits(actual.base, wanted):
        return True
    if wanted.limits is not None and wanted.base is not None and fits(actual, wanted.base):
        return True
    return _holds_fitting(actual, wanted)


def _holds_fitting(actual: Type, wanted: Type) -> bool:
    if actual.element is None or wanted.element is None:
        return False
    return actual.container is wanted.container and fits(actual.element, wanted.element)


def conversion(actual: Type, wanted: Type) -> Callable[[Any], object] | None:
    """The function that turns a value of one type into the wanted one, when there is one."""
    for one in wanted.alternatives or (wanted,):
        for name, function in one.converts:
            if actual.is_a(Type(name)):
                return function
    return None
