"""What routes call: `limit`, `ban`, `unban`, and the table `banned`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from modules.limits.bans import Bans
from modules.limits.rates import Rates
from modules.limits.settings import CountingSettings
from routing.runtime import CallSite, Context, Duration, Module, Place, Platform, Rate, function


@dataclass(frozen=True, slots=True)
class LimitsStatistics:
    """What is remembered, and how often it mattered."""

    rates: int
    bans: int
    refused: int
    banned: int


class Limits(Module):
    """Rates and bans."""

    name = "rates"
    tables: Mapping[str, Container[object] | type] = MappingProxyType({"banned": Bans})

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        settings: CountingSettings = platform.settings.get("rates", CountingSettings())
        self._rates = Rates(settings.rates)
        self._bans = Bans(settings.bans, platform.now)
        self.tables = {"banned": self._bans}
        self._refused = self._banned = 0

    def adapt(self, settings: CountingSettings) -> None:
        """Remember so many from now on."""
        self._rates.most, self._bans.most = settings.rates, settings.bans

    def statistics(self) -> LimitsStatistics:
        """Counters."""
        return LimitsStatistics(len(self._rates), len(self._bans), self._refused, self._banned)

    @function(places=Place.REQUEST | Place.DIALOG)
    def limit(self, context: Context, rate: Rate, *, per: str, site: CallSite) -> bool:
        """Whether one more is within the rate, counted for each `per:` alone and for each line that asks.

        A rate may be used at once and then comes back evenly: of `20/m` one every 3 s.

        Arguments:
            rate: so many in a second, minute or hour: `20/s`, `100/m`
            per: what is counted: an address, a user, or one text for all
        Result: true when it is within the rate; what comes too much is not counted
        Example:
            limit(20/m, per: from.user) else { reply(503, retry_after: 30s) }
            authenticate(as: from)
            relay()
        See: ban, chance
        """
        within = self._rates.take((site, per), rate, self.platform.now())
        self._refused += not within
        return within

    @function(places=Place.REQUEST | Place.DIALOG)
    def ban(self, context: Context, address: str, duration: Duration) -> None:
        """Put an IP address into the table `banned` for a time.

        A ban that is in force is never shortened. Nothing is refused by itself: the route asks `source.ip in banned`.

        Arguments:
            address: an IP address as text, `source.ip` for example
            duration: for how long
        Fails: 500 when the text is no IP address
        Example:
            if source.ip in banned { drop() }
            limit(100/s, per: source.ip) else {
                ban(source.ip, 10m)
                drop()
            }
            authenticate(as: from)
            relay()
        See: unban, limit, drop
        """
        self._bans.add(address, duration)
        self._banned += 1

    @function(places=Place.REQUEST | Place.DIALOG)
    def unban(self, context: Context, address: str) -> None:
        """Take an IP address out of the table `banned`.

        Arguments:
            address: an IP address as text; one that is not banned does no harm
        Example:
            unban(source.ip)
            authenticate(as: from)
            relay()
        See: ban
        """
        self._bans.remove(address)
