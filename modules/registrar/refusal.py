"""What may not be registered, whoever asks."""

from __future__ import annotations

from modules.registrar.register import METHODS
from modules.registrar.settings import RegistrarSettings
from routing.runtime import Platform
from sipcore.errors import Malformed, Refused
from sipcore.host import Kind, kind_of
from sipcore.message import Request, parse_name_addr
from sipcore.message.parameters import split_commas
from sipcore.uri import Uri, parse_uri, unescape

_SUPPORTED = frozenset({b"path"})
"""Option tags a REGISTER may require of us."""


def address_of_record(request: Request, platform: Platform) -> str:
    """Whose bindings a REGISTER is about: `user@domain`, after the checks of RFC 3261 section 10.3, steps 1 and 5."""
    domains = platform.domains
    target, user = request.uri, request.to.uri
    if user.scheme not in ("sip", "sips"):
        raise Malformed("To is not a SIP URI")
    domain = domains.canonical(user.host)
    served = domains.canonical(target.host)
    # A phone that was told our address and not our name is meant for the domain in its To.
    if not user.user or domain is None or served is None or (target.host in domains.names and served != domain):
        raise Refused(404)
    name = unescape(user.user)
    if len(name) > 64 or not _is_text(name):
        raise Refused(404)
    return f"{name}@{domain}"


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_method(request: Request) -> None:
    """Refuse what no registrar serves: 405 for a method that somebody may serve, 501 for one that nobody knows."""
    if request.method != "REGISTER":
        known = request.method.encode() in METHODS
        raise Refused(405 if known else 501, "", (b"Allow: REGISTER",))  # section 8.2.1


def check_body(request: Request) -> None:
    """Refuse a body that can't be read (section 8.2.3); what it says in clear is nothing that a registrar needs."""
    encodings = request.elements("content-encoding") if request.body else []
    if any(encoding.lower() != b"identity" for encoding in encodings):
        raise Refused(415, "", (b"Accept-Encoding: identity",))


def check_require(request: Request) -> None:
    """Refuse extensions that we don't have (section 10.3 step 2, 8.2.2.3)."""
    if "require" in request.names:
        unknown = [tag for tag in request.elements("require") if tag.lower() not in _SUPPORTED]
        if unknown:
            raise Refused(420, "", (b"Unsupported: " + b", ".join(unknown),))


def check_contact(text: str, source_address: str, platform: Platform, settings: RegistrarSettings) -> None:
    """Refuse a contact that leads nowhere, back to us, or into this very machine from another."""
    if len(text) > settings.contact_size or not text.isascii():
        raise Malformed("Contact too long or not ASCII")
    uri = parse_uri(text)
    if uri.scheme not in ("sip", "sips"):
        raise Refused(403, "Contact Is Not a SIP URI")
    kind = kind_of(uri.host)
    if kind is Kind.UNUSABLE or (kind is Kind.LOOPBACK and kind_of(source_address) is not Kind.LOOPBACK):
        raise Refused(403, "Contact Address Can Not Be Called")
    if _leads_back(uri, kind, platform):
        raise Refused(403, "Contact Is This Server")


def check_sips(request: Request, contact: Uri, path: str | None) -> None:
    """Refuse a sips contact that did not come by sips all the way: it would promise too much (RFC 5630 section 5.2)."""
    if contact.scheme != "sips":
        return
    hops = [parse_name_addr(value).uri for value in split_commas(path.encode())] if path is not None else []
    if any(uri.scheme != "sips" for uri in (request.uri, *hops)):
        raise Malformed("A sips Contact needs a sips Request-URI and Path")


def _leads_back(uri: Uri, kind: Kind, platform: Platform) -> bool:
    if uri.headers:
        return False  # not the address of record, however much it looks like it (RFC 4475 section 3.3.14)
    if platform.is_own_endpoint(uri.host, uri.port):
        return True
    return kind is Kind.NAME and not uri.port and platform.domains.canonical(uri.host) is not None
