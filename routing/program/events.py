"""What happens, for log files and the programs that read them: each fact as one record with a stable event name.

Refusals are warnings, with the source first, for fail2ban. Registrations and calls are written at level debug: at
thousands a second a line each would cost more than the call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sipcore.facts import CallEnded, CallProgress, Challenged, Dropped, Fact, Observer, Registered, Rejected
from sipcore.flow import Flow, host_port

_log = logging.getLogger("ringway")
_AUTHENTICATION = {401, 403, 407}

Fields = dict[str, object]


def write_event(fact: Fact) -> None:
    """The observer."""
    if isinstance(fact, Rejected):
        _log.warning("", extra={"fields": _rejected(fact)})
    elif _log.isEnabledFor(logging.DEBUG):
        _log.debug("", extra={"fields": _fields(fact)})


def described(fact: Fact) -> Fields:
    """A fact as the log has it: its name is `event`, the other fields say what it is about."""
    return _rejected(fact) if isinstance(fact, Rejected) else _fields(fact)


def guarded(observer: Observer, remove: Callable[[], None]) -> Observer:
    """An observer that can't break a call: when it fails that is logged, and `remove()` takes it out."""

    def observe(fact: Fact) -> None:
        try:
            observer(fact)
        except Exception:
            remove()
            _log.exception("an observer failed at %r and was removed", type(fact).__name__)

    return observe


def _rejected(fact: Rejected) -> Fields:
    event = "auth_failed" if fact.status in _AUTHENTICATION else "rejected"
    return {
        "event": event, **_source(fact.flow), "user": fact.user, "method": fact.method, "target": fact.target,
        "code": fact.status, "why": fact.why,
    }  # fmt: skip


def _fields(fact: Fact) -> Fields:
    if isinstance(fact, Registered):
        return {
            "event": "registered" if fact.expires else "unregistered", **_source(fact.flow),
            "user": fact.address_of_record, "contact": fact.contact, "expires": fact.expires,
            "user_agent": fact.user_agent,
        }  # fmt: skip
    if isinstance(fact, Challenged):
        return {"event": "challenged", **_source(fact.flow), "user": fact.user, "method": fact.method}
    if isinstance(fact, CallProgress):
        return {
            "event": "call", **_source(fact.flow), "call_id": fact.call_id, "caller": fact.caller,
            "callee": fact.callee, "code": fact.status, "reason": fact.reason,
        }  # fmt: skip
    if isinstance(fact, CallEnded):
        return {"event": "call_ended", "call_id": fact.call_id, "by": fact.by}
    assert isinstance(fact, Dropped)
    return {"event": "dropped", **_source(fact.flow), "size": fact.size, "why": fact.why}


def _source(flow: Flow) -> Fields:
    return {"src": host_port(*flow.remote), "transport": flow.transport}
