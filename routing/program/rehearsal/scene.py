"""What an expectation looks at: all that came since the first of the deeds before it, behind the one before."""

from __future__ import annotations

from collections.abc import Sequence

from routing.program.rehearsal.heard import Entry, Reported
from routing.program.rehearsal.phone import Received
from routing.program.rehearsal.stage import Stage


class Scene:
    """Begins with the first deed behind an expectation; `time` is that of the last deed."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.time = 0.0
        self._over = False
        self._inboxes: dict[str, int] = {}
        self._entries = self._reported = 0

    def begins(self) -> None:
        """Somebody does something."""
        self.time = self.stage.network.now
        if self._over:
            self._over = False
            self._inboxes = {name: len(phone.inbox) for name, phone in self.stage.phones.items()}
            self._entries, self._reported = len(self.stage.heard.entries), len(self.stage.heard.reported)

    def ends(self) -> None:
        """Something is expected: the next deed begins another scene."""
        self._over = True

    def received(self, phone: str) -> Sequence[Received]:
        """What a phone got."""
        return self.stage.phones[phone].inbox[self._inboxes.get(phone, 0) :]

    def earlier(self, phone: str) -> Sequence[Received]:
        """What a phone got before."""
        return self.stage.phones[phone].inbox[: self._inboxes.get(phone, 0)]

    def entries(self) -> Sequence[Entry]:
        """What was written to the log."""
        return self.stage.heard.entries[self._entries :]

    def reported(self) -> Sequence[Reported]:
        """What was reported."""
        return self.stage.heard.reported[self._reported :]
