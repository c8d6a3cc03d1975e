"""`authenticate`: asks for credentials until they are right."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

from modules.auth.cache import AccountCache
from modules.auth.settings import AuthSettings
from modules.auth.verdict import Form, credentials_for, form_of, is_for_this_request, proves, stored_ha1
from routing.runtime import Context, Effect, Ends, Module, Platform, function
from routing.runtime.stores import Account, Credentials
from sipcore import digest
from sipcore.digest import MD5, Algorithm, algorithms_named, challenge
from sipcore.digest_nonces import Age, Nonces
from sipcore.errors import Malformed
from sipcore.facts import Challenged, Rejected
from sipcore.message import NameAddr, Request
from sipcore.uri import unescape

_LONGEST_USER = 64
"""Longer names can't be in the database and are not looked for."""


class Side(NamedTuple):
    """In which role we ask: a server that is addressed (RFC 3261 section 22.2), or a proxy on the way (22.3)."""

    status: int
    credentials: str
    challenge: str


_SERVER = Side(401, "authorization", "www-authenticate")
_PROXY = Side(407, "proxy-authorization", "proxy-authenticate")


class Identity(NamedTuple):
    """Who a request must prove to come from; the realm is the domain."""

    user: str
    domain: str

    def __str__(self) -> str:
        return f"{self.user}@{self.domain}"


@dataclass(frozen=True, slots=True)
class AuthStatistics:
    """How often requests were let through, asked for credentials, and found wrong."""

    accepted: int
    challenged: int
    rejected: int
    remembered: int


class Auth(Module):
    """Lets only users of the served domains through."""

    name = "auth"
    adaptable = frozenset(field.name for field in fields(AuthSettings))

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        settings: AuthSettings = platform.settings.get("auth", AuthSettings())
        self._offer(settings)
        self._cache = AccountCache(settings.cache_seconds, settings.cache_entries)
        random_bytes = platform.tokens.random_bytes
        self._nonces = Nonces(
            platform.tokens.secret,
            now=platform.wall_clock(),
            lifetime=settings.nonce_lifetime,
            limit=settings.nonces,
            first=int.from_bytes(random_bytes(4), "big"),
        )
        # Stands in for the secret of a user that is unknown, so that his answer is checked like any other.
        self._dummy = random_bytes(16).hex()
        self._accepted = self._challenged = self._rejected = 0

    def start(self) -> None:
        """Find where accounts come from."""
        self._accounts = self.platform.get(Credentials)  # type: ignore[type-abstract]
        self._accounts.watch_accounts(self._cache.clear)

    def _offer(self, settings: AuthSettings) -> None:
        self._offered = algorithms_named(settings.algorithms)
        self._families = frozenset(algorithm.family for algorithm in self._offered)

    def adapt(self, settings: AuthSettings) -> None:
        """Ask with these from now on; an answer to an earlier challenge counts as long as they allow it."""
        self._offer(settings)
        self._nonces.resize(settings.nonce_lifetime, settings.nonces)
        self._cache.resize(settings.cache_seconds, settings.cache_entries)

    def statistics(self) -> AuthStatistics:
        """Counters."""
        return AuthStatistics(self._accepted, self._challenged, self._rejected, len(self._cache))

    @function(ends=Ends.MAY, effect=Effect.VOUCHES)
    async def authenticate(self, context: Context, *, as_: NameAddr) -> bool:
        """Let the request on only when it proves to come from this user; else challenge it, and end the route.

        The challenge is a 401 for a REGISTER and for what is addressed to the server itself, else a 407; the phone asks
        again with its credentials, and the route begins anew. Whoever proves to be the user goes on with the next line,
        where `user` is the address of record and the credentials are off the request. ACK and CANCEL go on unasked,
        since they can't be sent again (RFC 3261 section 22.1).

        Arguments:
            as: who it must be: `from`, `to` of a REGISTER, or an address that is written out
        Result: true when the route has ended
        Fails: 401 or 407 for wrong credentials, 403 for somebody who is no user of a served domain or proves to be
            another user, 400 when the credentials are for another request, 503 when the database gives no answer
        Example:
            if request.method == "REGISTER" {
                authenticate(as: to)
                save()
            }
            authenticate(as: from)
            relay()
        See: save, exists, ban
        """
        request = context.request
        if request.method == "ACK" or request.method == "CANCEL":
            return False  # can't be sent again with credentials (RFC 3261 section 22.1)
        uri = as_.uri
        domain = self.platform.domains.canonical(uri.host) if uri.host else None
        user = unescape(uri.user)
        if domain is None or not user:
            return self._refuse(context, as_.uri_text, "not a user of a served domain")
        identity = Identity(user, domain)
        side = _SERVER if request.method == "REGISTER" or self._is_for_us(request) else _PROXY
        given = credentials_for(request, side.credentials, domain)
        if not given:
            if self.platform.observe is not None:
                self.platform.report(Challenged(request.method, str(identity), context.flow))
            return self._challenge(context, side, domain, self._offered)
        credentials, age = self._best(given.values(), domain)
        if await self._examine(context, side, identity, credentials, age):
            return True
        self._accepted += 1
        _remove(request, given)
        context.user = str(identity)
        return False

    def _is_for_us(self, request: Request) -> bool:
        """Whether the request is addressed to this server itself and not to a user."""
        uri = request.uri
        return not uri.user and self.platform.domains.canonical(uri.host) is not None

    def _best(self, given: Collection[digest.Credentials], realm: str) -> tuple[digest.Credentials, Age]:
        """The first credentials with a fresh nonce, or the last: a client may send old ones along."""
        now = self.platform.steady_time()
        for credentials in given:
            age = self._nonces.examine(credentials.nonce, realm, now)
            if age is Age.FRESH:
                break
        return credentials, age

    async def _examine(
        self, context: Context, side: Side, identity: Identity, credentials: digest.Credentials, age: Age
    ) -> bool:
        """Answer, and return True, unless the credentials prove the identity."""
        request = context.request
        if not is_for_this_request(credentials, request, self.platform.domains):
            raise Malformed("Digest URI Is Not the Request-URI")
        form = form_of(credentials.username, *identity)
        if form is Form.OTHER:
            return self._refuse(context, str(identity), f"authenticated as {credentials.username!r}")
        algorithm = credentials.algorithm
        if age is Age.FORGED:
            return self._reject(context, side, identity, "the nonce is not ours")
        if algorithm is None or algorithm.family not in self._families or credentials.qop != "auth":
            return self._reject(context, side, identity, "algorithm or qop was not offered")
        if form is Form.ADDRESS and algorithm.family != "MD5":
            # The only hash we keep over the whole address is an MD5; this says nothing about who exists.
            return self._reject(context, side, identity, "user@domain goes with MD5 only", only={"MD5"})
        account, secret, right = await self._check(identity, form, credentials, algorithm, request.method)
        if account is not None and not secret:
            have = {one.family for one in self._offered if stored_ha1(account, one, form)}
            return self._reject(context, side, identity, f"no {algorithm.family} hash is stored", only=have)
        if not right:
            why = "wrong password" if account is not None else "unknown user"
            return self._reject(context, side, identity, f"{why} (nonce {age.value})")
        if age is Age.STALE:
            return self._challenge(context, side, identity.domain, self._offered, stale=True)
        if not self._nonces.spend(credentials.nonce, credentials.nonce_count, self.platform.steady_time()):
            return self._reject(context, side, identity, "nonce count was used before", stale=True)
        return False

    async def _check(
        self, identity: Identity, form: Form, credentials: digest.Credentials, algorithm: Algorithm, method: str
    ) -> tuple[Account | None, str, bool]:
        """The account, the secret it has for this algorithm, and whether the response was made with it."""
        entry = self._cache.get(identity, self.platform.steady_time())
        account = entry[1] if entry is not None else await self._fetch(identity)
        secret = stored_ha1(account, algorithm, form) if account is not None else ""
        right = proves(credentials, algorithm, secret, self._dummy, method)
        if not right and entry is not None:
            # The password may have been changed since: look once more, also for a user that was unknown.
            account = await self._fetch(identity)
            secret = stored_ha1(account, algorithm, form) if account is not None else ""
            right = proves(credentials, algorithm, secret, self._dummy, method)
        return account, secret, right

    async def _fetch(self, identity: Identity) -> Account | None:
        if len(identity.user) > _LONGEST_USER:
            return None
        account = await self._accounts.fetch_credentials(identity.user, identity.domain)
        self._cache.put(identity, account, self.platform.steady_time())
        return account

    # -- answers ----------------------------------------------------------------------------------------------------

    def _challenge(
        self, context: Context, side: Side, realm: str, algorithms: Iterable[Algorithm], *, stale: bool = False
    ) -> bool:
        """Answer 401 or 407 with one challenge for each algorithm (RFC 8760 section 2.3)."""
        self._challenged += 1
        nonce = self._nonces.make(realm, self.platform.steady_time())
        headers = [(side.challenge, challenge(realm, nonce, algorithm, stale)) for algorithm in algorithms]
        context.reply(side.status, "", *headers)
        return True

    def _reject(
        self,
        context: Context,
        side: Side,
        identity: Identity,
        why: str,
        *,
        only: set[str] | None = None,
        stale: bool = False,
    ) -> bool:
        """Challenge again, and tell the operator why. `only` names the algorithms that are of use."""
        self._rejected += 1
        self._report(context, str(identity), side.status, why)
        useful = [algorithm for algorithm in self._offered if only is None or algorithm.family in only]
        return self._challenge(context, side, identity.domain, useful or [MD5], stale=stale)

    def _refuse(self, context: Context, user: str, why: str) -> bool:
        """403: other credentials would not help."""
        self._rejected += 1
        self._report(context, user, 403, why)
        context.reply(403)
        return True

    def _report(self, context: Context, user: str, status: int, why: str) -> None:
        observe = self.platform.observe_refusals
        if observe is not None:
            request = context.request
            observe(Rejected(request.method, user, request.uri_text, status, why, context.flow))


def _remove(request: Request, places: Iterable[int]) -> None:
    """Take our realm's credentials off the request: nobody behind us needs them (RFC 3261 section 22.3)."""
    for at in sorted(places, reverse=True):
        del request.names[at], request.lines[at]
