"""Listeners that come and go while the edge runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import trio

from sipcore.errors import ConfigurationError
from sipcore.net.driver import Driver
from sipcore.net.settings import EdgeSettings, Listen
from sipcore.net.sockets import why_not
from sipcore.net.udp import UdpSocket
from sipcore.timers import T1

AFTERLIFE = 64 * T1
"""Seconds that a UDP listener goes on after it was taken out: what it began ends within timers B and F."""


class StreamListening(Protocol):
    """What is needed of a listener for connections."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...
    def change(self, listen: Listen, settings: EdgeSettings) -> None: ...


Place = tuple[str, str, int]


class ListenerChanges:
    """Changes the two lists of the edge's listeners in place; `bind` opens one and appends it to its list."""

    def __init__(
        self, udp: list[UdpSocket], streams: list[Any], driver: Driver, bind: Callable[[Listen], None]
    ) -> None:
        self._udp = udp
        self._streams: list[StreamListening] = streams
        self._driver = driver
        self._bind = bind
        self._places: dict[Place, UdpSocket | StreamListening] = {}
        self._leaving: dict[UdpSocket, float] = {}  # until when

    def open(self, listens: Iterable[Listen]) -> dict[Place, UdpSocket | StreamListening]:
        """Open these; ConfigurationError that says why for each one that can't be opened, and none is open then."""
        problems: list[str] = []
        opened: dict[Place, UdpSocket | StreamListening] = {}
        before = len(self._udp), len(self._streams)
        for listen in listens:
            datagrams = len(self._udp)
            try:
                self._bind(listen)
            except OSError as error:
                problems.append(why_not(listen, error))
            except ConfigurationError as error:
                problems += error.problems
            else:
                opened[_place(listen)] = self._udp[-1] if len(self._udp) > datagrams else self._streams[-1]
        if problems:
            for udp in self._udp[before[0] :]:
                udp.close()
            for stream in self._streams[before[1] :]:
                stream.close()
            del self._udp[before[0] :], self._streams[before[1] :]
            raise ConfigurationError(problems)
        self._places.update(opened)
        return opened

    def apply(self, settings: EdgeSettings) -> None:
        """Listen where `settings` say; ConfigurationError, and no change, when a socket can't be opened."""
        wanted = {_place(listen): listen for listen in settings.listen}
        kept = dict(self._places)
        for listener in self.open(listen for place, listen in wanted.items() if place not in kept).values():
            self._driver.spawn(listener.run)
        for place, listener in kept.items():
            if place not in wanted:
                self._take_out(place, listener)
            else:
                if isinstance(listener, UdpSocket) and self._leaving.pop(listener, None) is not None:
                    self._udp.append(listener)
                listener.change(wanted[place], settings)

    def _take_out(self, place: Place, listener: UdpSocket | StreamListening) -> None:
        if not isinstance(listener, UdpSocket):
            self._streams.remove(listener)
            del self._places[place]
            listener.stop()
        elif listener not in self._leaving:
            self._udp.remove(listener)
            self._leaving[listener] = trio.current_time() + AFTERLIFE
            self._driver.spawn(self._end_later, place, listener)

    async def _end_later(self, place: Place, udp: UdpSocket) -> None:
        await trio.sleep(AFTERLIFE)
        if self._leaving.get(udp, math.inf) <= trio.current_time():  # it may have been wanted again
            del self._leaving[udp], self._places[place]
            udp.stop()

    def close(self) -> None:
        """Close what is leaving."""
        for udp in self._leaving:
            udp.close()
        self._leaving.clear()
        self._places.clear()


def _place(listen: Listen) -> Place:
    """What makes two listeners one socket."""
    return listen.transport, listen.host, listen.port
