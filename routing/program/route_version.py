"""The routes of one version, which leave nothing behind when the last request that runs through them has ended."""

from __future__ import annotations

from routing.runtime.loader import Routes


class RouteVersion:
    """Compiled routes, for the dispatcher; a request holds the version that it began with (`Context.routes`).

    Functions and their globals refer to each other, and the server never walks over all of its memory to find such
    circles. So this one is cut here, when nothing can run of it any more.
    """

    __slots__ = ("_names", "keeps_calls", "on_dialog", "on_reply", "run", "warnings")

    def __init__(self, routes: Routes) -> None:
        self.run = routes.run
        self.on_reply = routes.on_reply
        self.on_dialog = routes.on_dialog
        self.keeps_calls = routes.keeps_calls
        self.warnings = routes.warnings
        self._names = getattr(routes.run, "__globals__", {})

    def __del__(self) -> None:
        self._names.clear()
