"""What layers report to the one observer: small tuples, made only when somebody looks.

An observer is a function of one fact. Whoever reports asks `if observe is not None` first, so that nothing is built
when nobody looks. An observer that fails is logged and removed; it never breaks a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from sipcore.flow import Flow


class Registered(NamedTuple):
    """Bindings of an address of record were stored (`expires` > 0) or removed (`expires` = 0)."""

    address_of_record: str
    contact: str
    expires: int
    flow: Flow
    user_agent: str


class Challenged(NamedTuple):
    """A request without credentials was asked for them: the normal first step."""

    method: str
    user: str
    flow: Flow


class Rejected(NamedTuple):
    """A request was refused; `why` is for the operator (wrong password, unknown user, ...), never sent."""

    method: str
    user: str
    target: str
    status: int
    why: str
    flow: Flow


class CallProgress(NamedTuple):
    """An INVITE was tried (0), is ringing (18x), was answered (200) or failed (300-699); `call_id` joins the facts."""

    call_id: str
    caller: str
    callee: str
    status: int
    reason: str
    flow: Flow


class CallEnded(NamedTuple):
    """A BYE was answered or a ringing call was cancelled; `by` is the address of who ended it."""

    call_id: str
    by: str


class Dropped(NamedTuple):
    """Bytes were thrown away without an answer, or answered statelessly because they were malformed."""

    why: str
    size: int
    flow: Flow


Fact: TypeAlias = Registered | Challenged | Rejected | CallProgress | CallEnded | Dropped
Observer: TypeAlias = Callable[[Fact], None]
