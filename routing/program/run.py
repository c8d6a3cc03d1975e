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

from routing.program.config import Config
from routing.program.console import Console
from routing.program.control import Control
from routing.program.events import write_event
from routing.program.exit_codes import FAILURE, OK
from routing.program.logs import PLAIN, Logs
from routing.program.notify import notify, watchdog_interval
from routing.program.reload import Reloader
from routing.program.secret import secret_of
from routing.program.server import Server
from routing.program.tidying import tidy
from sipcore.flow import Target, host_port
from sipcore.net.http_server import HttpServer

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_SIGNALS = (*_STOP, signal.SIGHUP, signal.SIGUSR1)
_LOOK_AGAIN = 0.05
"""Seconds between two looks at whether draining is over."""
_DAY = 86_400
_log = logging.getLogger("ringway")
_people = logging.getLogger("ringway.console")

Announce = Callable[[tuple[Target, ...]], None]
"""Called when the server is ready, with the addresses it listens on."""
Adjust = Callable[[Config], Config]
"""What the command line wants otherwise than the file says."""


def run(
    config: Config,
    *,
    stream: IO[str] = sys.stderr,
    watched: bool = False,
    announce: Announce | None = None,
    adjust: Adjust = lambda config: config,
) -> int:
    """Run a server until it is told to stop; returns the exit code.

    `watched` shows each registration, call and rejection in words; `adjust` is applied to what a reload reads. Raises
    ConfigurationError for a wrong configuration or route file, CannotListen, and Unavailable: nothing is left running
    then.
    """
    server = Server(config, secret_of(config))
    logs = Logs(stream, level=config.log.level, format=config.log.format)
    logs.start()
    try:
        server.load_routes()
        server.load_certificates()
        server.start()
        try:
            return _run(server, logs, watched, announce or _announce, adjust)
        finally:
            server.stop()
    finally:
        logs.stop()


def _run(server: Server, logs: Logs, watched: bool, announce: Announce, adjust: Adjust) -> int:
    addresses = server.listen()

    def changed(config: Config) -> None:
        logs.change(config.log.level, config.log.format)
        _observe(server, watched)

    reloader = Reloader(server, os.environ, adjust=adjust, changed=changed)
    reloader.begin()
    _observe(server, watched)
    # What was loaded stays: the collector need not walk over it again and again.
    gc.collect()
    gc.freeze()
    # Calls leave no reference cycles, so counting references frees them. The collector looks at what is young only, in
    # steps of a few milliseconds: with a hundred thousand calls in memory a full round would take half a second. What
    # libraries leave behind is collected when little is going on (tidying.py).
    gc.set_threshold(20_000, 3, 1_000_000)
    try:
        trio.run(_Life(server, reloader).live, lambda: announce(addresses))
    except Exception:
        _log.critical("the server failed", exc_info=True)
        return FAILURE
    return OK


def _observe(server: Server, watched: bool) -> None:
    if watched:
        server.observe(Console(say, server.platform.domains), everything=True)
    elif _log.isEnabledFor(logging.WARNING):
        server.observe(write_event, everything=_log.isEnabledFor(logging.DEBUG))


def say(text: str) -> None:
    """Show a line to whoever watches."""
    _people.warning("%s", text, extra={PLAIN: True})


def _announce(addresses: tuple[Target, ...]) -> None:
    for address in addresses:
        _log.info("listening on %s:%s", address.transport, host_port(address.host, address.port))


class _Life:
    """What happens to a running server."""

    def __init__(self, server: Server, reloader: Reloader) -> None:
        self.server = server
        self.reloader = reloader
        self.stopping = False

    async def live(self, ready: Callable[[], None]) -> None:
        with trio.open_signal_receiver(*_SIGNALS) as signals:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.server.edge.run, self.server.stack)
                control = self._control()
                if control is not None:
                    nursery.start_soon(control.run)
                ready()
                notify(f"READY=1\nMAINPID={os.getpid()}")
                nursery.start_soon(self._watchdog)
                nursery.start_soon(self._watch_certificates)
                nursery.start_soon(tidy, self._open_transactions)
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
            if control is not None:
                control.close()

    def _open_transactions(self) -> int:
        layer = self.server.stack.transactions
        return len(layer.servers) + len(layer.clients)

    def _control(self) -> HttpServer | None:
        """The control socket; a server without one still serves calls."""
        control = HttpServer(self.server.config.control_socket, Control(self.server, self.reloader))
        try:
            control.bind()
        except OSError as error:
            _log.warning("no control socket at %s: %s; SIGHUP still reloads", control.path, error.strerror)
            return None
        return control

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
        """Take over configuration and routes as they are now; keep what is in force when something is wrong."""
        notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        await self.reloader.reload()
        notify("READY=1")

    def _dump(self) -> None:
        for name, counters in self.server.statistics().items():
            plain = dataclasses.asdict(counters) if dataclasses.is_dataclass(counters) else counters  # type: ignore[arg-type]
            _log.warning("", extra={"fields": {"event": "statistics", "of": name, "counters": plain}})

    async def _watch_certificates(self) -> None:
        while True:
            for warning in self.server.edge.tls.warnings():
                _log.warning("%s", warning)
            await trio.sleep(_DAY)

    async def _watchdog(self) -> None:
        interval = watchdog_interval()
        while interval is not None:
            notify("WATCHDOG=1")
            await trio.sleep(interval)
