"""What routes call: `enum`."""

from __future__ import annotations

from modules.enum.number import application_unique_string, domain_of
from modules.enum.settings import EnumSettings
from modules.enum.walk import walk
from routing.runtime import Context, Destination, Module, Platform, function
from sipcore.locate import Resolver, found_at_once, found_by_asking
from sipcore.need import Need
from sipcore.uri import Uri


class Enum(Module):
    """Telephone numbers to SIP URIs, by the DNS."""

    name = "enum"

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self._settings: EnumSettings = platform.settings.get("enum") or EnumSettings()
        self._resolver = platform.get(Resolver)  # type: ignore[type-abstract]

    @function()
    async def enum(self, context: Context, number: str) -> list[Destination]:
        """The SIP URIs that the DNS holds for an E.164 number, most wanted first; none when there are none.

        Arguments:
            number: `+` and digits; spaces, dots, dashes and parentheses do no harm
        Result: a list of destinations, eight at most
        Fails: 503 when the DNS gives no answer in time
        Example:
            ring(enum(e164(request.uri.user, country: "GB")), for: 20s)
            relay("sip:" + request.uri.user + "@gw.example.net")
        See: e164, ring
        """
        unique = application_unique_string(number)
        if unique is None:
            return []
        domain = domain_of(unique, self._settings.suffix)
        found = found_at_once(walk(domain, unique), self._resolver)
        if found is None:
            found = await Need(self._ask, domain, unique, timeout=self._settings.timeout)
        return [Destination(uri) for uri in found]

    async def _ask(self, domain: str, unique: str) -> list[Uri]:
        return await found_by_asking(walk(domain, unique), self._resolver)
