"""Finds where the name in a Via leads, for responses whose connection is gone (RFC 3263 section 5)."""

from __future__ import annotations

from collections.abc import Callable

from sipcore.errors import Unavailable, Unresolvable
from sipcore.flow import Target
from sipcore.locate import Locator
from sipcore.need import Runner
from sipcore.uri import Uri

Found = Callable[[tuple[Target, ...]], None]


class SentBy:
    """Locates in a handler of its own; for the transaction layer."""

    def __init__(self, locator: Locator, runner: Runner) -> None:
        self._locator = locator
        self._runner = runner

    def locate(self, uri: Uri, found: Found) -> None:
        """Call `found` with the targets, or with none."""
        self._runner.run(self._find(uri, found))

    async def _find(self, uri: Uri, found: Found) -> None:
        try:
            targets = self._locator.immediately(uri)
            if targets is None:
                targets = await self._locator.need(uri)
        except (Unresolvable, Unavailable):
            return  # the client's own timer ends its transaction
        found(targets)
