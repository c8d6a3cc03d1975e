"""A route that authenticates, and phones that answer its challenges, rightly or wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modules.auth.module import Auth
from modules.auth.settings import AuthSettings
from modules.database.accounts import hashes
from routing.runtime import Context
from routing.runtime.stores import Account
from sipcore.digest import ALGORITHMS, expected_response, ha1, parse_credentials
from sipcore.facts import Rejected
from sipcore.message import Request
from tests.platforms import Bench, MemoryStore, Transaction, register

ALL = ("MD5", "SHA-256", "SHA-512-256")


def account(user: str = "alice", password: str = "secret", domain: str = "example.com") -> Account:
    columns = hashes(user, domain, password)
    del columns["password"]
    return Account(user, domain, **columns)


@dataclass
class Answer:
    """What a phone answers a challenge with; each part can be wrong."""

    user: str = "alice"
    password: str = "secret"
    realm: str = "example.com"
    nonce: str = ""
    uri: str = "sip:example.com"
    method: str = "REGISTER"
    algorithm: str = "MD5"
    count: int = 1
    tail: str = ""

    def __str__(self) -> str:
        algorithm = ALGORITHMS[self.algorithm.lower()]
        value = (
            f'Digest username="{self.user}", realm="{self.realm}", nonce="{self.nonce}", uri="{self.uri}", '
            f'response="HERE", algorithm={self.algorithm}, qop=auth, cnonce="c", nc={self.count:08x}{self.tail}'
        )
        credentials = parse_credentials(value.encode())
        assert credentials is not None
        secret = ha1(ALGORITHMS[algorithm.family.lower()], self.user, self.realm, self.password)
        return value.replace("HERE", expected_response(credentials, algorithm, secret, self.method))


class Gate:
    """A route that authenticates, then answers 200."""

    def __init__(self, *accounts: Account, **settings: Any) -> None:
        self.bench = Bench(auth=AuthSettings(**settings))
        self.store = self.bench.provide(MemoryStore(*(accounts or (account(),))))
        self.auth = Auth(self.bench.platform)
        self.auth.start()
        self.as_to = True

    async def route(self, context: Context) -> None:
        as_ = context.request.to if self.as_to else context.request.from_
        if not await self.auth.authenticate(context, as_=as_):
            context.reply(200)

    def send(self, *headers: str, **options: Any) -> Transaction:
        return self.bench.run(self.route, register(*headers, **options))

    def nonce(self, **options: Any) -> str:
        """The nonce of a new challenge."""
        return nonce_of(self.send(**options))

    def answer(self, answer: Answer | None = None, header: str = "Authorization", **options: Any) -> Transaction:
        """Take a challenge and answer it."""
        answer = answer or Answer()
        answer.nonce = answer.nonce or self.nonce(**options)
        return self.send(f"{header}: {answer}", **options)

    @property
    def request(self) -> Request:
        return self.bench.contexts[-1].request

    @property
    def why(self) -> str:
        """The reason of the latest refusal."""
        return str(self.bench.facts_of(Rejected)[-1].why)


def challenges(transaction: Transaction) -> list[str]:
    response = transaction.response
    return [value.decode() for value in response.all("www-authenticate") + response.all("proxy-authenticate")]


def nonce_of(transaction: Transaction) -> str:
    return challenges(transaction)[0].split('nonce="')[1].split('"')[0]
