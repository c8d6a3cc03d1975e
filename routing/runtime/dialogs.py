"""What routes keep with a call, for as long as its dialog lives: `call.x` (RFC 3261 section 12).

Only a dialog for which something was stored has an entry; it is found by Call-ID and both tags, whichever side asks.
It goes when the dialog ends, when nothing was heard of it for half a day, or, the one that was heard of longest ago,
when there are too many.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sipcore.message import Message, Request

log = logging.getLogger("ringway.route")

Key = tuple[bytes, str, str]
"""Call-ID and both tags, the lesser one first."""
LONGEST_SILENCE = 12 * 3600.0
"""Seconds without a request after which a dialog is taken for dead: its end was not seen."""
_BETWEEN_WARNINGS = 60.0


@dataclass(slots=True)
class DialogCounters:
    """What is counted; plain integers."""

    open: int = 0
    driven_out: int = 0
    """Dialogs that lost what was kept for them, since there were too many."""


class Dialog:
    """What is kept for one dialog; `is_call` tells an INVITE's from a subscription's."""

    __slots__ = ("heard", "is_call", "key", "variables")

    def __init__(self, key: Key, variables: dict[str, Any], is_call: bool, heard: float) -> None:
        self.key = key
        self.variables = variables
        self.is_call = is_call
        self.heard = heard


class Dialogs:
    """The dialogs for which something is kept, the one heard of longest ago first; at most `most` of them.

    `now()` is the stack's time. Whoever asks on the path of every message looks whether `entries` is empty first.
    """

    def __init__(self, now: Callable[[], float], most: int = 100_000) -> None:
        # A plain dict finds its first entry slowly when many before it have gone.
        self.entries: OrderedDict[Key, Dialog] = OrderedDict()
        self.most = most
        self.driven_out = 0
        self._now = now
        self._warn_after = float("-inf")
        self._unsaid = 0

    def counters(self) -> DialogCounters:
        """Counters."""
        return DialogCounters(len(self.entries), self.driven_out)

    def find(self, message: Message) -> Dialog | None:
        """The dialog of a request inside it, or of a response that makes it; it has been heard of then."""
        return self.of(key_of(message))

    def of(self, key: Key) -> Dialog | None:
        """The same for whoever has the key."""
        dialog = self.entries.get(key)
        if dialog is None:
            return None
        now = self._now()
        if dialog.heard + LONGEST_SILENCE <= now:
            self.end(key)
            return None
        dialog.heard = now
        self.entries.move_to_end(key)
        return dialog

    def begin(self, message: Message, variables: dict[str, Any]) -> Dialog:
        """Keep these variables from now on for the dialog of a request inside it, or of a response that makes it."""
        key = key_of(message)
        now = self._now()
        self.end(key)
        dialog = self.entries[key] = Dialog(key, variables, not _is_subscription(message), now)
        self._make_room(now)
        return dialog

    def end(self, key: Key) -> None:
        """Forget a dialog."""
        self.entries.pop(key, None)

    def answered(self, dialog: Dialog, request: Request, status: int) -> None:
        """A request inside the dialog got its final answer, which may end it."""
        if _ends(dialog, request, status):
            self.end(dialog.key)

    def bound(self, most: int) -> None:
        """Keep so many dialogs."""
        self.most = most
        self._make_room(self._now())

    def _make_room(self, now: float) -> None:
        entries = self.entries
        while entries:
            key = next(iter(entries))
            if entries[key].heard + LONGEST_SILENCE > now:
                if len(entries) <= self.most:
                    break
                self.driven_out += 1
                self._unsaid += 1
            del entries[key]
        if self._unsaid and now >= self._warn_after:
            log.warning(
                "%d calls have lost what routes kept with them: there are more than [limits] dialogs = %d",
                self._unsaid,
                self.most,
            )
            self._unsaid, self._warn_after = 0, now + _BETWEEN_WARNINGS


def key_of(message: Message) -> Key:
    """The dialog that a message belongs to, the same from both sides."""
    sender, recipient = message.from_.tag, message.to.tag
    return (message.call_id, sender, recipient) if sender < recipient else (message.call_id, recipient, sender)


def _is_subscription(message: Message) -> bool:
    method = message.cseq.method
    # A REFER inside a call uses the call's dialog, and one outside makes a dialog of its own (RFC 3515, RFC 5057).
    return method in ("SUBSCRIBE", "NOTIFY") or (method == "REFER" and not isinstance(message, Request))


def _ends(dialog: Dialog, request: Request, status: int) -> bool:
    method = request.method
    if method == "BYE":
        # RFC 3261 section 15.1.1: whoever sent it takes the dialog for ended by any of these.
        return status < 300 or status in (408, 481)
    if dialog.is_call:
        return False
    if method == "NOTIFY":
        state = request.get("subscription-state") or b""
        # RFC 6665 section 4.4.1: by whatever answer; only one that was challenged comes again.
        return status not in (401, 407) and state.partition(b";")[0].strip().lower() == b"terminated"
    return method == "SUBSCRIBE" and status == 481
