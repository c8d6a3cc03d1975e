"""What modules are given: the stack, settings, time, and each other through contracts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from routing.runtime.dialogs import Dialogs
from sipcore.facts import Fact, Observer
from sipcore.need import Runner
from sipcore.tokens import Tokens

if TYPE_CHECKING:
    from routing.runtime.context import RouteSet
    from sipcore.stack import Stack

T = TypeVar("T")


class Domains:
    """The domains this server is responsible for.

    `canonical(host)` maps a name or address to the domain whose users are meant: a served domain to itself, and one of
    the server's own addresses to the first served domain, so that phones may use the address as their domain.
    """

    def __init__(self, names: tuple[str, ...], own_addresses: Callable[[str], bool] = lambda host: False) -> None:
        self.names = tuple(name.lower().rstrip(".") for name in names)
        self._own = frozenset(self.names)
        self.is_own_address = own_addresses

    def canonical(self, host: str) -> str | None:
        """The served domain that `host` (lower case) stands for, or None when it is foreign."""
        host = host.rstrip(".")
        if host in self._own:
            return host
        return self.names[0] if self.names and self.is_own_address(host) else None

    def __contains__(self, host: object) -> bool:
        # Asked several times by every request: a served domain in its usual spelling takes one look.
        return host in self._own or (isinstance(host, str) and self.canonical(host.lower()) is not None)


class Platform:
    """The composition root fills this in and hands it to every module.

    `post(call)` is the one thread-safe entry: it runs `call()` soon in the stack's thread. `wall_clock()` is Unix
    time in seconds; `now()` is the stack's own monotonic time. `is_own_endpoint(host, port)` says whether a URI with
    this host (address without brackets, or name) and port (0: the default) leads to a listener of ours. `settings`
    maps a section name of the configuration to its frozen, typed object.
    """

    def __init__(
        self,
        *,
        stack: Stack,
        runner: Runner,
        tokens: Tokens,
        domains: Domains,
        post: Callable[[Callable[[], None]], None],
        wall_clock: Callable[[], float],
        is_own_endpoint: Callable[[str, int], bool] = lambda host, port: False,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.stack = stack
        self.runner = runner
        self.tokens = tokens
        self.domains = domains
        self.post = post
        self.wall_clock = wall_clock
        self.is_own_endpoint = is_own_endpoint
        self.settings = settings or {}
        self.observe: Observer | None = None
        """Hears what happens all day: calls, registrations, challenges. None unless somebody really looks."""
        self.observe_refusals: Observer | None = None
        """Hears of each refusal (`Rejected`): that is worth a line in any log."""
        self.routes: RouteSet | None = None
        """The routes in force, for what has not begun in a route: requests inside a dialog."""
        self.dialogs = Dialogs(self.now)
        """What routes keep with calls."""
        self._contracts: dict[type, object] = {}
        self._unix_offset: float | None = None

    def now(self) -> float:
        """The stack's time in seconds."""
        return self.stack.timers.now

    def steady_time(self) -> float:
        """Unix time that never jumps: the wall clock when first asked, and from then on the stack's own time.

        Not for `Module.start`: the stack may not have been told the time yet.
        """
        if self._unix_offset is None:
            self._unix_offset = self.wall_clock() - self.stack.timers.now
        return self._unix_offset + self.stack.timers.now

    def provide(self, contract: type[T], implementation: T) -> None:
        """Offer an implementation of a contract (a Protocol or base class) to other modules."""
        self._contracts[contract] = implementation

    def get(self, contract: type[T]) -> T:
        """The implementation of a contract; KeyError with its name when no loaded module provides it."""
        return self._contracts[contract]  # type: ignore[return-value]

    def report(self, fact: Fact) -> None:
        """Tell the observer; callers on the path of every message ask `if platform.observe is not None` first."""
        if self.observe is not None:
            self.observe(fact)
