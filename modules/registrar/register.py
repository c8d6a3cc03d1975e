"""What a REGISTER does to the bindings of its address of record: RFC 3261 section 10.3, steps 6 and 7, as functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from modules.registrar.binding import NO_Q, Binding
from modules.registrar.settings import RegistrarSettings
from modules.registrar.source import Source, received_for
from sipcore.errors import Malformed, Refused
from sipcore.message import Request
from sipcore.message.contact import Contact, parse_contacts, parse_expires
from sipcore.message.parameters import unquote
from sipcore.uri import Uri, equivalent

_INSTANCE = re.compile(r"<[^<>\"\x00-\x20\x7f-\U0010ffff]{1,253}>")
_REG_ID = re.compile(r"[1-9][0-9]{0,8}")
_METHOD_NAMES = b"INVITE CANCEL ACK BYE INFO REGISTER SUBSCRIBE NOTIFY MESSAGE OPTIONS PRACK UPDATE REFER PUBLISH"
METHODS = {name: 1 << bit for bit, name in enumerate(_METHOD_NAMES.split(b" "))}
"""Kamailio's bits of the `methods` column."""


class Registration(NamedTuple):
    """What a REGISTER asks for, as far as it can be told without looking at the bindings.

    `wanted` holds bindings whose `expires` are seconds as asked and whose `ruid` is "". Without `wanted` and without
    `wildcard` it is a query.
    """

    call_id: str
    cseq: int
    wildcard: bool
    wanted: tuple[Binding, ...]


class Update(NamedTuple):
    """What a REGISTER does: all bindings afterwards, those of them to store, and those that are no more."""

    bindings: tuple[Binding, ...]
    stored: tuple[Binding, ...]
    removed: tuple[Binding, ...]


def read(request: Request, source: Source, settings: RegistrarSettings) -> Registration:
    """Read a REGISTER; Malformed or Refused when it can't be served whatever the bindings are.

    Whether a contact may be registered at all is not asked here.
    """
    call_id, cseq = text_of(request.call_id, 255, "Call-ID"), request.cseq.number
    expires_text = request.get("expires")
    expires = None if expires_text is None else parse_expires(expires_text)
    wildcard, contacts = parse_contacts(request)
    if wildcard:
        if expires != 0:
            raise Malformed("Contact * without Expires: 0")  # section 10.3 step 6
        return Registration(call_id, cseq, True, ())
    if not contacts:
        if "contact" in request.names:
            raise Malformed("Empty Contact")
        return Registration(call_id, cseq, False, ())
    default = settings.default_expires if expires is None else expires
    asked = [default if contact.expires is None else contact.expires for contact in contacts]
    if any(0 < seconds < settings.min_expires for seconds in asked):
        raise Refused(423, "", (b"Min-Expires: %d" % settings.min_expires,))
    user_agent = intern((request.get("user-agent") or b"").decode("utf-8", "replace")[:255])
    path, methods = _path(request), _methods(request)
    return Registration(
        call_id,
        cseq,
        False,
        tuple(
            Binding(
                contact.uri_text,
                seconds,
                contact.q if contact.parameter("q") is not None else NO_Q,
                call_id,
                cseq,
                user_agent,
                received_for(contact.uri, source),
                path,
                intern(source.socket),
                methods,
                *_instance(contact),
                "",
            )
            for contact, seconds in zip(contacts, asked, strict=True)
        ),
    )


def text_of(value: bytes, longest: int, name: str) -> str:
    """A value as text that the store can hold whole: it is never cut."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{name} is not UTF-8") from None
    if len(text) > longest:
        raise Malformed(f"{name} too long")
    return text


def _path(request: Request) -> str | None:
    """The Path of a binding (RFC 3327 section 5.3)."""
    if "path" not in request.names:
        return None
    if not any(value.lower() == b"path" for value in request.elements("supported")):
        # The recommended policy: the phone learns that somebody put himself into its way.
        raise Refused(420, "", (b"Unsupported: path",))
    return text_of(b",".join(request.elements("path")), 512, "Path")


def _methods(request: Request) -> int | None:
    return _bits(b",".join(request.all("allow"))) if "allow" in request.names else None


@lru_cache(maxsize=512)
def _bits(names: bytes) -> int:
    return sum(METHODS.get(name, 0) for name in {name.strip(b" \t") for name in names.split(b",")})


def _instance(contact: Contact) -> tuple[str | None, int]:
    """Instance and flow number, kept to be given back (RFC 5626 section 4.1); a broken one counts as none."""
    given = contact.parameter("+sip.instance")
    if given is None:
        return None, 0
    instance = unquote(given)
    if not _INSTANCE.fullmatch(instance):
        return None, 0
    reg_id = contact.parameter("reg-id") or ""
    return instance, int(reg_id) if _REG_ID.fullmatch(reg_id) else 0


def granted(asked: int, settings: RegistrarSettings, chance: float) -> int:
    """Seconds to grant: at most what was asked (section 10.3 step 7), and less by chance (0 to 1) of the jitter."""
    longest = min(asked, settings.max_expires)
    return max(longest - int(longest * settings.jitter * chance), min(longest, settings.min_expires))


def update(
    current: Sequence[Binding],
    registration: Registration,
    settings: RegistrarSettings,
    *,
    now: int,
    chance: float,
    new_ruid: Callable[[], str],
) -> Update:
    """Apply a registration to the current bindings; Refused, with nothing changed, when any part of it can't be."""
    if registration.wildcard:
        for binding in current:
            _check_order(binding, registration)
        return Update((), (), tuple(current))
    after = list(current)
    stored: dict[str, Binding] = {}
    removed: list[Binding] = []
    for wanted in registration.wanted:
        at = _find(after, wanted.uri)
        old = None if at is None else after[at]
        if old is not None:
            _check_order(old, registration)
        if wanted.expires == 0:
            if at is not None:
                removed.append(after.pop(at))
            continue
        # The row of a contact that is now written differently is replaced, since its name is in an index of the store.
        same_row = old is not None and old.contact == wanted.contact
        ruid = old.ruid if old is not None and same_row else new_ruid()
        expires = now + granted(wanted.expires, settings, chance)
        new = wanted._replace(expires=expires, ruid=ruid)
        stored[ruid] = new
        if at is None:
            after.append(new)
        else:
            after[at] = new
            if old is not None and not same_row:
                removed.append(old)
    if len(after) > settings.contacts and len(after) > len(current):
        raise Refused(403, "Too Many Contacts")
    return Update(tuple(after), tuple(stored.values()), tuple(removed))


def _find(bindings: Sequence[Binding], uri: Uri) -> int | None:
    for at, binding in enumerate(bindings):
        if binding.contact == uri.text or equivalent(_of_scheme(binding.uri, uri.scheme), uri):
            return at
    return None


def _of_scheme(uri: Uri, scheme: str) -> Uri:
    """The sip and the sips form of a contact are one binding, the later one (RFC 5630 section 5.1.1.1)."""
    return uri if uri.scheme == scheme or {uri.scheme, scheme} != {"sip", "sips"} else uri.replace(scheme=scheme)


def _check_order(binding: Binding, registration: Registration) -> None:
    """An older or repeated request of the same client changes nothing, and neither do its other contacts."""
    if binding.call_id == registration.call_id and registration.cseq <= binding.cseq:
        raise Refused(500, "CSeq Is Not Higher Than Before")
