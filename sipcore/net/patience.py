"""How long a stream connection is kept: the four limits of time, checked about once a second."""

from __future__ import annotations

import math

from sipcore.message.framing import StreamFraming
from sipcore.net.settings import StreamSettings
from sipcore.net.websocket_frames import WebSocketFrames

_FRAMINGS = (StreamFraming, WebSocketFrames)


class Patience:
    """The clock of one connection. The path of every message sets a flag; times are written when somebody checks."""

    __slots__ = ("_left_at", "_partial_bytes", "_partial_since", "_quiet_since", "_stuck_since", "active", "progress")

    def __init__(self, now: float, incoming: bool) -> None:
        self.active = False
        """Set whenever bytes come or go."""
        self.progress = False
        """Set whenever the peer took some of the bytes that wait for it."""
        self._quiet_since = self._stuck_since = now
        # Whoever connects is expected to say something; before that a message counts as begun.
        self._partial_since = now if incoming else math.inf
        self._partial_bytes = 0
        self._left_at = math.inf

    def heard(self, size: int, framing: object, now: float) -> None:
        """Note that bytes were given to the stack, which left `framing` behind."""
        self.active = True
        if not isinstance(framing, _FRAMINGS) or not framing.partial:
            self._partial_since = math.inf
            self._partial_bytes = 0
            return
        self._partial_bytes += size
        # With so many bytes a message must have ended in between: this one is another.
        if self._partial_bytes > framing.longest:
            self._partial_since = now
            self._partial_bytes = size
        elif self._partial_since == math.inf:
            self._partial_since = now

    def left(self, now: float) -> None:
        """Note that we sent our last byte."""
        self._left_at = now

    def ended(self, settings: StreamSettings, waiting: bool, now: float) -> str:
        """Why the connection must end now, or ""; `waiting` says whether bytes wait to be sent."""
        if self.active:
            self.active = False
            self._quiet_since = now
        if self.progress or not waiting:
            self.progress = False
            self._stuck_since = now
        if now - self._left_at > settings.linger:
            return "closed"
        if now - self._stuck_since > settings.send_timeout:
            return "the peer takes no bytes"
        if now - self._partial_since > settings.message_timeout:
            return "a message was not completed"
        if now - self._quiet_since > settings.idle_timeout:
            return "idle"
        return ""
