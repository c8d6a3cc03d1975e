"""The locator: from URIs to targets, at once when everything is known and nobody must be asked."""

from __future__ import annotations

from collections.abc import Mapping

from sipcore.errors import Unresolvable
from sipcore.flow import Flow, Target
from sipcore.locate.address import canonical_address, host_name
from sipcore.locate.asking import Asking, found_at_once, found_by_asking
from sipcore.locate.greylist import Greylist
from sipcore.locate.plan import Candidate, Explanation, Plan, Skipped
from sipcore.locate.records import Resolver
from sipcore.locate.resolution import Resolution
from sipcore.locate.srv import RandomBytes
from sipcore.locate.transport import DEFAULT_PORTS, SECURE, Hop, hop_of
from sipcore.need import Need
from sipcore.timers import Timers
from sipcore.uri import Uri

_REMEMBERED = 8_192


class Locator:
    """Turns URIs into targets, and remembers which of them failed lately.

    `transports` maps each transport that can be used to the IP versions it can be used on, preferred first:
    `{"udp": (4, 6), "tcp": (4,)}`. `timers` tell the time and `random_bytes` draws among weights; without them time
    stands still and the weightiest server is always first. `longest` bounds one location, in seconds. With `loopback`
    the DNS may lead to this machine itself. A URI's `maddr` is the caller's affair.
    """

    def __init__(
        self,
        resolver: Resolver,
        transports: Mapping[str, tuple[int, ...]],
        timers: Timers | None = None,
        random_bytes: RandomBytes = lambda size: b"\xff" * size,
        *,
        longest: float = 5.0,
        loopback: bool = False,
    ) -> None:
        self._resolver = resolver
        self._transports = transports
        self._timers = timers or Timers()
        self._random_bytes = random_bytes
        self._longest = longest
        self._loopback = loopback
        self._literals: dict[str, tuple[Target, ...]] = {}
        self._plans: dict[Hop, Plan] = {}
        self._greylist = Greylist()

    def forget(self) -> None:
        """Find the targets of all addresses anew: other transports or IP versions can be used now."""
        self._literals.clear()
        self._plans.clear()

    def immediately(self, uri: Uri) -> tuple[Target, ...] | None:
        """The targets when nobody must be asked, else None; raises `Unresolvable` or `Unavailable`."""
        return self._literals.get(uri.text) or self._look_up(uri)

    def need(self, uri: Uri) -> Need[tuple[Target, ...]]:
        """What a handler awaits to get the targets; raises `Unresolvable` or `Unavailable` there."""
        return Need(self._locate, uri, timeout=self._longest)

    # -- what failed ------------------------------------------------------------------------------------------------

    def failed(self, flow: Flow) -> None:
        """Nothing came from this peer in time, or it was lost: for a while others go before it (section 4.3)."""
        self._greylist.failed(flow, self._timers.now)

    def overloaded(self, flow: Flow, retry_after: bytes | None) -> None:
        """This peer answered 503: for as long as its Retry-After says nothing is sent to it that can go elsewhere."""
        self._greylist.overloaded(flow, retry_after or b"", self._timers.now)

    # -- locating ---------------------------------------------------------------------------------------------------

    def _look_up(self, uri: Uri) -> tuple[Target, ...] | None:
        address = canonical_address(uri.host)
        if address is not None:
            found = (self._literal(uri, address),)
            if len(self._literals) >= _REMEMBERED:
                self._literals.clear()
            self._literals[uri.text] = found
            return found
        plan = self._known_plan(self._hop(uri))
        return None if plan is None else self._targets(plan)

    def _literal(self, uri: Uri, address: str) -> Target:
        hop = hop_of(uri, True, self._transports)
        if (6 if ":" in address else 4) not in self._transports[hop.transport]:
            why = "its addresses are of an IP version that is not served"
            raise Unresolvable(f"can't reach {uri.host} by {hop.transport}: {why}")
        domain = uri.host if hop.transport in SECURE else ""
        return Target(hop.transport, address, hop.port or DEFAULT_PORTS[hop.transport], domain)

    def _hop(self, uri: Uri) -> Hop:
        hop = hop_of(uri, False, self._transports)
        return hop._replace(host=host_name(hop.host))

    def _targets(self, plan: Plan) -> tuple[Target, ...]:
        targets = plan.targets(self._random_bytes)
        return self._greylist.arranged(targets, self._timers.now) if self._greylist else targets

    def _known_plan(self, hop: Hop) -> Plan | None:
        plan = self._plans.get(hop)
        if plan is not None and plan.expires > self._timers.now:
            return plan
        found = found_at_once(self._steps(hop), self._resolver)
        return None if found is None else self._remember(hop, found)

    async def _plan(self, hop: Hop) -> Plan:
        plan = self._known_plan(hop)
        if plan is not None:
            return plan
        return self._remember(hop, await found_by_asking(self._steps(hop), self._resolver))

    def _steps(self, hop: Hop) -> Asking[Plan]:
        return Resolution(hop, self._transports, self._loopback).steps()

    def _remember(self, hop: Hop, plan: Plan) -> Plan:
        if len(self._plans) >= _REMEMBERED:
            self._plans.clear()
        self._plans[hop] = plan
        return plan

    async def _locate(self, uri: Uri) -> tuple[Target, ...]:
        found = self.immediately(uri)
        return found if found is not None else self._targets(await self._plan(self._hop(uri)))

    # -- telling people ---------------------------------------------------------------------------------------------

    async def explain(self, uri: Uri) -> Explanation:
        """Everything that was found for a URI, and why some of it is not used; raises as `need` does."""
        address = canonical_address(uri.host)
        if address is not None:
            return Explanation((Candidate(self._literal(uri, address), "the URI"),), ())
        plan = await self._plan(self._hop(uri))
        by_target: dict[Target, Candidate] = {}
        for candidate in plan.drawn(self._random_bytes):
            by_target.setdefault(candidate.target, candidate)
        order = self._greylist.arranged(tuple(by_target), self._timers.now)
        left_out = [
            Skipped(by_target[target].origin, self._greylist.why(target, self._timers.now))
            for target in by_target
            if target not in order
        ]
        return Explanation(tuple(by_target[target] for target in order), (*plan.skipped, *left_out))
