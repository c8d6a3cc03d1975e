"""`given ...`: what is so before anything happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from routing.language import tree
from routing.language.problem import nearest
from routing.language.stories.cast import Cast, name_of
from routing.language.stories.cursor import BadStep, Cursor
from routing.language.stories.places import TRANSPORTS, address, is_address, moment, place
from routing.language.stories.story import DnsRecord, Phone, Setting, User

_FIELDS = {
    "A": ("an IP address or a phone",),
    "AAAA": ("an IP address or a phone",),
    "SRV": ("a priority", "a weight", "a port", "a host in quotes"),
    "NAPTR": ("an order", "a preference", "flags", "a service", "a regular expression", "a replacement"),
}
"""The values of a DNS record by its kind."""
_NUMBERS = {"SRV": 3, "NAPTR": 2}
"""So many of them are numbers, at the beginning."""
_RECORDS = {
    "A": 'dns "sip.example.net" A 192.0.2.7',
    "AAAA": 'dns "sip.example.net" AAAA 2001:db8::7',
    "SRV": 'dns "_sip._udp.example.net" SRV 10 60 5060 "sip1.example.net"',
    "NAPTR": 'dns "example.net" NAPTR 10 50 "s" "SIP+D2T" "" "_sip._tcp.example.net"',
}
_KEY = re.compile(r"[a-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*", re.ASCII)


def read_given(cursor: Cursor, cast: Cast) -> None:
    """What follows the word `given`."""
    word = cursor.word(*_KINDS)
    if word:
        _KINDS[word](cursor, cast)
    else:
        _setting(cursor, cast)
    cursor.end()


# -- who there is -----------------------------------------------------------------------------------------------------


def _users(cursor: Cursor, cast: Cast) -> None:
    """`users alice, bob`: each with a phone of its own name."""
    while True:
        written = cast.user(cursor)
        _add_user(cast, name_of(written), "", [_own_phone(written)])
        if not cursor.comma():
            return


def _user(cursor: Cursor, cast: Cast) -> None:
    """`user bob with password "x" at desk q 0.5, mobile by tcp`."""
    written = cast.user(cursor)
    password = ""
    phones: list[Phone] = []
    if cursor.words("with", "password"):
        password = cursor.need_text("a password")
    if cursor.word("at"):
        while True:
            phone = cast.new_name(cursor, "the name of a phone")
            phones.append(_phone_options(cursor, Phone(name_of(phone), phone.span)))
            if not cursor.comma():
                break
    else:
        phones.append(_phone_options(cursor, _own_phone(written)))
    _add_user(cast, name_of(written), password, phones)


def _own_phone(written: tree.Word | tree.Text) -> Phone:
    return Phone(name_of(written).partition("@")[0], written.span)


def _add_user(cast: Cast, name: str, password: str, phones: list[Phone]) -> None:
    cast.add_user(User(name, tuple(phone.name for phone in phones), password))
    for phone in phones:
        cast.add_phone(replace(phone, user=name))


def _phone_options(cursor: Cursor, phone: Phone) -> Phone:
    while True:
        option = cursor.word("q", "by", "from", "unregistered")
        if option == "q":
            phone = replace(phone, q=cursor.fraction("q"))
        elif option == "by":
            phone = replace(phone, transport=cursor.need(*TRANSPORTS))
        elif option == "from":
            host, port = address(cursor)
            phone = replace(phone, address=host, port=port)
        elif option == "unregistered":
            phone = replace(phone, registered=False)
        else:
            return phone


def _peer(cursor: Cursor, cast: Cast) -> None:
    """`peer carrier at "sip.example.net" by tls`."""
    written = cast.new_name(cursor, "the name of a peer")
    phone = Phone(name_of(written), written.span, registered=False)
    while True:
        option = cursor.word("at", "from", "by")
        if option in ("at", "from"):
            found = place(cursor, "an address or a host")
            if found is None:
                raise cursor.wrong()
            host, port = found
            phone = (
                replace(phone, address=host, port=port) if is_address(host) else replace(phone, host=host, port=port)
            )
        elif option == "by":
            phone = replace(phone, transport=cursor.need(*TRANSPORTS))
        else:
            break
    cast.add_phone(phone)


# -- the world around -------------------------------------------------------------------------------------------------


def _dns(cursor: Cursor, cast: Cast) -> None:
    """`dns "sip.example.net" A 192.0.2.7 after 2s`, or that a name `fails`."""
    start = cursor.span
    name = cursor.need_text("a name in quotes").lower().rstrip(".")
    if cursor.word("fails"):
        delay = cursor.need_duration() if cursor.word("after") else 0.0
        cast.given.records.append(DnsRecord(name, "", (), delay, True, start))
        return
    kind = cursor.need(*_FIELDS)
    values = [_dns_value(cursor, cast, kind, at) for at in range(len(_FIELDS[kind]))]
    while kind in ("A", "AAAA") and cursor.comma():
        values.append(_dns_value(cursor, cast, kind, 0))
    delay = cursor.need_duration() if cursor.word("after") else 0.0
    records = [(value,) for value in values] if kind in ("A", "AAAA") else [tuple(values)]
    cast.given.records += [DnsRecord(name, kind, record, delay, False, start) for record in records]


def _dns_value(cursor: Cursor, cast: Cast, kind: str, at: int) -> str:
    what, span, example = _FIELDS[kind][at], cursor.here, f"as in `given {_RECORDS[kind]}`"
    if kind in ("A", "AAAA"):
        if isinstance(cursor.next, tree.Word):
            return cast.phone(cursor, what)
        host, port = address(cursor, what)
        if port or (":" in host) != (kind == "AAAA"):
            raise BadStep(span, f"{host} is no address of an {kind} record", example)
        return host
    value = cursor.raw(what)
    if value is None:
        value = cursor.text(what)
    if value is None:
        wrong = cursor.wrong()
        raise BadStep(wrong.span, wrong.message, example)
    if at < _NUMBERS[kind] and (not value.isdecimal() or int(value) > 65535):
        raise BadStep(span, f"{what} is a number from 0 to 65535", example)
    return value


def _time(cursor: Cursor, cast: Cast) -> None:
    """`time "2026-12-24 23:00 Europe/London"`."""
    span = cursor.here
    cast.given.time = moment(cursor.need_text("a time in quotes"), span)


def _database(cursor: Cursor, cast: Cast) -> None:
    """`database fails`: it gives no answer."""
    cursor.need("fails")
    cast.given.failing.add("database")


def _setting(cursor: Cursor, cast: Cast) -> None:
    """`lists.trunks 192.0.2.0/28, 198.51.100.7`: a setting of ringway.toml has another value."""
    start = cursor.here
    part = cursor.next
    if not isinstance(part, tree.Word) or not _KEY.fullmatch(part.text):
        raise cursor.wrong("a setting of ringway.toml")
    cursor.need(part.text)
    if "." not in part.text and isinstance(cursor.next, tree.Word):
        hint = (
            nearest(part.text, _KINDS) or 'a setting of ringway.toml stands before its value: `domains "example.org"`'
        )
        raise BadStep(start, f"`given {part.text}` is not known", hint)
    values = [cursor.value()]
    while cursor.comma():
        values.append(cursor.value())
    cast.given.settings.append(Setting(tuple(part.text.split(".")), tuple(values), cursor.since(start)))


_KINDS: dict[str, Callable[[Cursor, Cast], None]] = {
    "user": _user, "users": _users, "peer": _peer, "dns": _dns, "time": _time, "database": _database,
}  # fmt: skip
