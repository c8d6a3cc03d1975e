"""The life of a server: start, signals, reload, drain, stop."""

from __future__ import annotations

import dataclasses
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import IO

import trio

from routing.program.config import Config, examine
from routing.program.console import Console
from routing.program.events import write_event
from routing.program.exit_codes import FAILURE, OK
from routing.program.logs import PLAIN, Logs
from routing.program.notify import notify, watchdog_interval
from routing.program.secret import secret_of
from routing.program.server import Server
from sipcore.errors import ConfigurationError
from sipcore.flow import Target, host_port

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_SIGNALS = (*_STOP, signal.SIGHUP, signal.SIGUSR1)
_LOOK_AGAIN = 0.05
"""Seconds between two looks at whether draining is over."""
_log = logging.getLogger("ringway")
_people = logging.getLogger("ringway.console")

Announce = Callable[[tuple[Target, ...]], None]
"""Called when the server is ready, with the addresses it listens on."""


def run(
    config: Config, *, stream: IO[str] = sys.stderr, watched: bool = False, announce: Announce | None = None
) -> int:
    """Run a server until it is told to stop; returns the exit code.

    `watched` shows each registration, call and rejection in words. Raises ConfigurationError for a wrong configuration
    or route file, CannotListen, and Unavailable: nothing is left running then.
    """
    server = Server(config, secret_of(config))
    logs = Logs(stream, level=config.log.level, format=config.log.format)
    logs.start()
    try:
        server.load_routes()
        server.start()
        try:
            return _run(server, watched, announce or _announce)
        finally:
            server.stop()
    finally:
        logs.stop()


def _run(server: Server, watched: bool, announce: Announce) -> int:
    addresses = server.listen()
    if watched:
        server.observe(Console(say, server.platform.domains), everything=True)
    elif _log.isEnabledFor(logging.WARNING):
        server.observe(write_event, everything=_log.isEnabledFor(logging.DEBUG))
    # What was loaded stays: the collector need not walk over it again and again.
    gc.collect()
    gc.freeze()
    # Calls leave no reference cycles, so counting references frees them. The collector looks at what is young only, in
    # steps of a few milliseconds: with a hundred thousand calls in memory a full round would take half a second.
    gc.set_threshold(20_000, 3, 1_000_000)
    try:
        trio.run(_Life(server).live, lambda: announce(addresses))
    except Exception:
        _log.critical("the server failed", exc_info=True)
        return FAILURE
    return OK


def say(text: str) -> None:
    """Show a line to whoever watches."""
    _people.warning("%s", text, extra={PLAIN: True})


def _announce(addresses: tuple[Target, ...]) -> None:
    for address in addresses:
        _log.info("listening on %s:%s", address.transport, host_port(address.host, address.port))


class _Life:
    """What happens to a running server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stopping = False

    async def live(self, ready: Callable[[], None]) -> None:
        with trio.open_signal_receiver(*_SIGNALS) as signals:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.server.edge.run, self.server.stack)
                ready()
                notify(f"READY=1\nMAINPID={os.getpid()}")
                nursery.start_soon(self._watchdog)
                async for number in signals:
                    if number in _STOP:
                        if number == signal.SIGQUIT or self.stopping:
                            break
                        self.stopping = True
                        nursery.start_soon(self._drain, nursery.cancel_scope)
                    elif number == signal.SIGHUP:
                        await self._reload()
                    else:
                        self._dump()
                self._end(nursery.cancel_scope)

    async def _drain(self, whole: trio.CancelScope) -> None:
        """Let what is under way come to its end, then stop."""
        timeout = self.server.config.drain_timeout
        notify(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int((timeout + 5) * 1_000_000)}")
        _log.info("stopping; requests under way have %g s, a second signal stops at once", timeout)
        self.server.drain()
        with trio.move_on_after(timeout):
            while self.server.busy():  # noqa: ASYNC110 - the path of a message tells nobody that it was the last
                await trio.sleep(_LOOK_AGAIN)
        self._end(whole)

    def _end(self, whole: trio.CancelScope) -> None:
        self.server.edge.close()
        whole.cancel()

    async def _reload(self) -> None:
        """Use the route file as it is now; keep the routes in force when it is wrong."""
        notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            await trio.to_thread.run_sync(self.server.load_routes)
        except ConfigurationError as error:
            for problem in error.problems:
                _log.error("%s", problem)
            _log.error("not reloaded: the routes from before stay in force")
        else:
            _log.info("reloaded %s", self.server.config.route_file)
            self._report_changed_settings()
        notify("READY=1")

    def _report_changed_settings(self) -> None:
        before = self.server.config
        now = examine(before.file, os.environ).config
        fields = [field.name for field in dataclasses.fields(Config)]
        changed = [name for name in fields if now is not None and getattr(now, name) != getattr(before, name)]
        if now is None or changed:
            what = ", ".join(changed) or "which is wrong now"
            _log.warning("%s has changed (%s): that takes effect at the next start", before.file, what)

    def _dump(self) -> None:
        for name, counters in self.server.statistics().items():
            plain = dataclasses.asdict(counters) if dataclasses.is_dataclass(counters) else counters  # type: ignore[arg-type]
            _log.warning("", extra={"fields": {"event": "statistics", "of": name, "counters": plain}})

    async def _watchdog(self) -> None:
        interval = watchdog_interval()
        while interval is not None:
            notify("WATCHDOG=1")
            await trio.sleep(interval)
