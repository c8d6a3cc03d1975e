"""Which NAPTR records of a domain lead on (RFC 3263 section 4.1, RFC 3403)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sipcore.locate.plan import Skipped
from sipcore.locate.records import Naptr
from sipcore.locate.transport import NAPTR_SERVICES, SRV_PREFIXES


class Service(NamedTuple):
    """Where to look next: the name of SRV records, or of a host when `is_host`; `origin` says how it was found."""

    transport: str
    name: str
    is_host: bool = False
    origin: str = ""


def services_of(
    domain: str, records: Sequence[Naptr], secure: bool, served: Mapping[str, tuple[int, ...]], skipped: list[Skipped]
) -> list[Service]:
    """The services to use, in order; what is left out, and why, goes to `skipped`.

    Only the lowest order with a record that we can use counts (RFC 3403 section 4.1): a domain that puts TLS there
    does not want us to fall back to UDP. The records of that order follow one another by preference.
    """
    found: list[Service] = []
    chosen: int | None = None
    for record in sorted(records):
        why = _unusable(record, secure, served)
        if not why and chosen is not None and record.order > chosen:
            why = f"order {chosen} goes before"
        what = f"NAPTR {domain} {record.order} {record.preference} {record.service}"
        if why:
            skipped.append(Skipped(what, why))
            continue
        chosen = record.order
        found.append(Service(NAPTR_SERVICES[record.service], record.replacement, record.flags == "A", what))
    return found


def _unusable(record: Naptr, secure: bool, served: Mapping[str, tuple[int, ...]]) -> str:
    transport = NAPTR_SERVICES.get(record.service)
    if transport is None:
        return "not a service of SIP that is known here"
    if secure and not record.service.startswith("SIPS"):
        return "sips needs SIPS"  # MUST be discarded (section 4.1)
    if not served.get(transport):
        return f"no {transport} here"
    # Records that point to further NAPTR records could do so for ever; section 4.1 knows terminal ones alone.
    if record.flags not in ("S", "A"):
        return f'flags "{record.flags}": neither "s" nor "a"'
    if record.regexp or not record.replacement:
        return "its replacement is empty"
    return ""


def services_to_guess(domain: str, transports: Iterable[str]) -> list[Service]:
    """The SRV names to ask for when the domain has no NAPTR records, or the transport is known already."""
    return [Service(transport, SRV_PREFIXES[transport] + domain) for transport in transports]
