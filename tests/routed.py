"""A server whose route is given as a text of the routing language, for calls on the fake network."""

from __future__ import annotations

from collections.abc import Callable

from routing.runtime import Context, Destination, Module, Platform, function
from routing.runtime.builtins import Builtins
from routing.runtime.loader import load_routes
from routing.runtime.texts import Texts
from sipcore.uri import Uri
from tests.calls import destinations
from tests.serving import Route, Server


class Phones(Module):
    """What the routes below call besides the proxy."""

    name = "phones"

    def __init__(self, platform: Platform, found: list[Destination]) -> None:
        super().__init__(platform)
        self.found = found
        self.failure: Exception | None = None

    @function()
    def lookup(self, context: Context, uri: Uri) -> list[Destination]:
        """The phones of the test."""
        if self.failure is not None:
            raise self.failure
        return list(self.found)


def routed(text: str, *phones: tuple[str, int], failure: Exception | None = None) -> Callable[[Server], Route]:
    """Make the route of a server from a text."""

    def make(server: Server) -> Route:
        found = Phones(server.platform, destinations(*phones))
        found.failure = failure
        modules = [Builtins(server.platform), Texts(server.platform), server.proxy, found]
        routes = load_routes(text, modules, {"domains": server.platform.domains})
        server.dispatcher.routes = server.platform.routes = routes
        return routes.run

    return make
