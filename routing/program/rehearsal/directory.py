"""Where everybody in a story is: addresses and URIs by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from routing.language.stories.story import Given, User, Whom
from routing.language.stories.story import Phone as Introduced
from routing.program.rehearsal.failure import StoryFailed
from sipcore.flow import host_port

SERVER_4, SERVER_6 = "198.51.100.1", "2001:db8::1"
"""Where a server is that listens on every address: documentation addresses (RFC 5737, RFC 3849), as all others here."""
_PHONES, _PEERS = "198.51.100.{}", "203.0.113.{}"
_FIRST, _LAST = 11, 250
_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


class Directory:
    """Gives each phone and peer an address, unless the story gave one; `domain` is the server's first one."""

    def __init__(self, given: Given, domain: str, own: Iterable[str]) -> None:
        self.domain = domain
        self._given = given
        self._own = frozenset(own)
        self._addresses: dict[str, tuple[str, int]] = {}
        taken = {phone.address for phone in given.phones.values()} | self._own
        for phone in given.phones.values():
            self._addresses[phone.name] = self._address(phone, taken)

    def _address(self, phone: Introduced, taken: set[str]) -> tuple[str, int]:
        port = phone.port or _PORTS[phone.transport]
        if phone.address:
            if phone.address in self._own:
                raise StoryFailed(phone.span, f"{phone.address} is the address of the server itself")
            return phone.address, port
        pool = _PHONES if phone.user else _PEERS
        for number in range(_FIRST, _LAST):
            address = pool.format(number)
            if address not in taken:
                taken.add(address)
                return address, port
        raise StoryFailed(phone.span, f"a story has at most {_LAST - _FIRST} phones and as many peers")

    def address(self, phone: str) -> tuple[str, int]:
        """IP address and port of a phone or peer."""
        return self._addresses[phone]

    def address_of(self, value: str) -> str:
        """The IP address that a DNS record means: it names a phone, or is one."""
        return self._addresses[value][0] if value in self._addresses else value

    def hosts(self) -> Mapping[str, str]:
        """IP addresses by the DNS names of peers."""
        return {phone.host: self._addresses[name][0] for name, phone in self._given.phones.items() if phone.host}

    # -- URIs -------------------------------------------------------------------------------------------------------

    def user(self, phone: str) -> User | None:
        """Whose phone it is."""
        return self._given.users.get(self._given.phones[phone].user)

    def account(self, user: str) -> tuple[str, str]:
        """Name and domain of a user."""
        name, _, domain = user.partition("@")
        return name, domain.lower() or self.domain

    def address_of_record(self, phone: str) -> str:
        """Who a phone says it is."""
        introduced = self._given.phones[phone]
        if introduced.user:
            return "sip:" + "@".join(self.account(introduced.user))
        host, port = self._addresses[phone]
        if introduced.host:
            return f"sip:{phone}@{introduced.host}"
        return f"sip:{phone}@{host_port(host, port) if port != _PORTS['udp'] or ':' in host else host}"

    def contact(self, phone: str, transport: str = "", address: tuple[str, int] | None = None) -> str:
        """Where a phone can be reached."""
        introduced = self._given.phones[phone]
        transport = transport or introduced.transport
        name = introduced.user.partition("@")[0] or phone
        where = host_port(*(address or self._addresses[phone]))
        return f"sip:{name}@{where}" + ("" if transport == "udp" else f";transport={transport}")

    def uri(self, whom: Whom) -> str:
        """The URI of somebody: a user's address of record, a phone's contact, or what was written."""
        text = whom.text
        if whom.is_name:
            if text in self._given.users:
                return "sip:" + "@".join(self.account(text))
            return self.contact(text) if self._given.phones[text].user else self.address_of_record(text)
        if ":" in text:
            return text
        return f"sip:{text}" if "@" in text else f"sip:{text}@{self.domain}"
