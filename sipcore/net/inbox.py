"""What other threads want done in the stack's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from sipcore.net.driver import Driver


class Inbox:
    """Calls posted by any thread, run in order in the loop's thread; what is posted after the end is dropped.

    Many calls posted together are run by one waking and end in one flush of the outbox.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._calls: deque[Callable[[], object]] = deque()
        self._token: trio.lowlevel.TrioToken | None = None

    def begin(self) -> None:
        """Run from now on; what was posted before runs first."""
        self._token = trio.lowlevel.current_trio_token()
        self._run()

    def post(self, call: Callable[[], object]) -> None:
        """Run `call()` soon in the loop's thread; may be called by any thread at any time."""
        self._calls.append(call)
        token = self._token  # set before what waits is run, so that no call is left lying
        if token is None:
            return
        try:
            token.run_sync_soon(self._run, idempotent=True)
        except trio.RunFinishedError:
            self._calls.clear()

    def _run(self) -> None:
        if not self._driver.running:
            self._calls.clear()
        elif self._calls:
            self._driver.enter(self._run_waiting)

    def _run_waiting(self) -> None:
        for _ in range(len(self._calls)):  # what these calls post has its turn later
            call = self._calls.popleft()
            try:
                call()
            except Exception as failure:
                self._driver.on_error(failure, f"running {call!r}")
