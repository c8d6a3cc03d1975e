"""What happens, for somebody who watches a terminal: each registration, call and rejection in one readable line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from routing.program.logs import escape
from routing.runtime.platform import Domains
from sipcore.errors import Malformed
from sipcore.facts import CallEnded, CallProgress, Challenged, Dropped, Fact, Registered, Rejected
from sipcore.flow import Flow, host_port
from sipcore.uri import parse_uri

MOST_CALLS = 10_000
LONGEST_NAME = 60
_QUIET = 1.0
"""Seconds between two lines about dropped bytes: a flood must not drown the rest."""


@dataclass(slots=True)
class _Call:
    caller: str
    callee: str
    rang: bool = False
    answered_at: float | None = None
    over: bool = False


class Console:
    """An observer that says facts in words; `say` gets each line and must not block."""

    def __init__(
        self, say: Callable[[str], None], domains: Domains, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._domains = domains
        self._clock = clock
        self._calls: dict[str, _Call] = {}
        self._last_drop = -_QUIET
        self._unsaid_drops = 0
        self._tell: dict[type, Callable[..., None]] = {
            Registered: self._registered,
            Challenged: lambda fact: None,
            Rejected: self._rejected,
            CallProgress: self._progress,
            CallEnded: self._ended,
            Dropped: self._dropped,
        }

    def __call__(self, fact: Fact) -> None:
        """Say one fact."""
        self._tell[type(fact)](fact)

    # -- names ------------------------------------------------------------------------------------------------------

    def name(self, address: str) -> str:
        """A user of ours by the user part alone, anybody else as `user@host`."""
        try:
            uri = parse_uri(address if ":" in address.partition("@")[0] else f"sip:{address}")
        except Malformed:
            return _short(address)
        if not uri.host:
            return _short(uri.rest or address)
        if uri.user and uri.host in self._domains:
            return _short(uri.user)
        return _short(f"{uri.user}@{host_port(uri.host, uri.port) if uri.port else uri.host}".removeprefix("@"))

    # -- facts ------------------------------------------------------------------------------------------------------

    def _registered(self, fact: Registered) -> None:
        who = self.name(fact.address_of_record)
        if fact.expires:
            agent = f" ({_short(fact.user_agent)})" if fact.user_agent else ""
            self._say(f"{who} registered from {_peer(fact.flow)}{agent}, {fact.expires} s")
        else:
            self._say(f"{who} unregistered from {_peer(fact.flow)}")

    def _rejected(self, fact: Rejected) -> None:
        who = self.name(fact.user) if fact.user else "somebody"
        to = f" to {self.name(fact.target)}" if fact.method != "REGISTER" and fact.target else ""
        self._say(
            f"{who} rejected: {escape(fact.why)} ({escape(fact.method)}{to} from {_peer(fact.flow)}, {fact.status})"
        )

    def _progress(self, fact: CallProgress) -> None:
        call = self._calls.get(fact.call_id)
        if call is None or (call.over and fact.status == 0):
            call = self._begin(fact)
        if call.over:
            return  # a cancelled call is told twice: by the CANCEL and by its 487
        if 180 <= fact.status < 200 and not call.rang:
            call.rang = True
            self._say(f"{call.callee} rings")
        elif 200 <= fact.status < 300 and call.answered_at is None:
            call.answered_at = self._clock()
            self._say(f"{call.caller} and {call.callee} talk")
        elif fact.status >= 300 and call.answered_at is None:
            call.over = True
            if fact.status == 487:
                self._say(f"{call.caller} gave up calling {call.callee}")
            else:
                self._say(f"{call.caller} did not reach {call.callee}: {fact.status} {_short(fact.reason)}")

    def _begin(self, fact: CallProgress) -> _Call:
        if len(self._calls) >= MOST_CALLS:
            del self._calls[next(iter(self._calls))]
        call = self._calls[fact.call_id] = _Call(self.name(fact.caller), self.name(fact.callee))
        if fact.status == 0:
            self._say(f"{call.caller} calls {call.callee}")
        return call

    def _ended(self, fact: CallEnded) -> None:
        call = self._calls.get(fact.call_id)
        who = self.name(fact.by)
        if call is None:
            self._say(f"a call from before was ended by {who}")
            return
        if call.over:
            return
        call.over = True
        if call.answered_at is None:
            self._say(f"{who} gave up calling {call.callee}")
        else:
            seconds = self._clock() - call.answered_at
            self._say(f"{call.caller} and {call.callee}: ended by {who} after {seconds:.0f} s")

    def _dropped(self, fact: Dropped) -> None:
        now = self._clock()
        if now - self._last_drop < _QUIET:
            self._unsaid_drops += 1
            return
        more = f" (and {self._unsaid_drops} more since)" if self._unsaid_drops else ""
        self._last_drop, self._unsaid_drops = now, 0
        self._say(f"dropped {fact.size} bytes from {_peer(fact.flow)}: {escape(fact.why)}{more}")


def _peer(flow: Flow) -> str:
    return f"{host_port(*flow.remote)} {flow.transport}"


def _short(text: str) -> str:
    text = escape(text)
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."
