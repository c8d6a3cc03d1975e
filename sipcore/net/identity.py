"""Which SIP domains a certificate speaks for (RFC 5922 section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sipcore.errors import Malformed
from sipcore.host import parse_host
from sipcore.uri import parse_uri

Certificate = Mapping[str, Any]
"""What `ssl.SSLObject.getpeercert()` gives for a certificate whose chain was verified."""
_MOST = 64


def identities(certificate: Certificate) -> tuple[str, ...]:
    """The domains of a verified certificate, in lower case (section 7.1).

    Those of `sip:` URIs; only without one of these the DNS names; only without any alternative name the common name.
    """
    names = certificate.get("subjectAltName")
    if names is None:
        return tuple(_common_names(certificate))[:_MOST]
    domains = tuple(_domains_of_uris(names))
    return (domains or tuple(_domain(value) for kind, value in names if kind == "DNS"))[:_MOST]


def speaks_for(certificate: Certificate, domain: str) -> bool:
    """Whether a certificate names this domain: the whole name, without wildcards (section 7.2)."""
    return _domain(domain) in identities(certificate)


def _domains_of_uris(names: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for kind, value in names:
        # One with a user names a person and no domain; a sips URI is no identity (section 7.1).
        if kind != "URI" or "@" in value or value[:4].lower() != "sip:":
            continue
        try:
            yield parse_uri(value).host
        except Malformed:
            continue


def _common_names(certificate: Certificate) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        for name, value in part:
            if name != "commonName":
                continue
            try:
                yield parse_host(value)
            except Malformed:
                continue


def _domain(name: str) -> str:
    return name.lower().rstrip(".")
