"""Whether credentials are right: decided from values, without waiting and without sending anything."""

from __future__ import annotations

import enum

from routing.runtime.platform import Domains
from routing.runtime.stores import Account
from sipcore.digest import Algorithm, Credentials, parse_credentials, right_response
from sipcore.errors import Malformed
from sipcore.message import Request
from sipcore.uri import Uri, equivalent, parse_uri, unescape

_MOST_CREDENTIALS = 8
"""Header lines looked at; a phone has one for each realm on its way."""


def credentials_for(request: Request, header: str, realm: str) -> dict[int, Credentials]:
    """The digest credentials of a request for our realm, by the place of their lines in it.

    Schemes we don't know are ignored. An empty nonce or response says that the client has not been challenged yet
    (RFC 8760 section 2.7).
    """
    places = [at for at, name in enumerate(request.names) if name == header]
    if len(places) > _MOST_CREDENTIALS:
        raise Malformed("Too many credentials")
    found: dict[int, Credentials] = {}
    for at in places:
        line = request.lines[at]
        credentials = parse_credentials(line[line.index(b":") + 1 :].strip(b" \t"))
        if credentials is not None and credentials.realm == realm and credentials.nonce and credentials.response:
            found[at] = credentials
    return found


class Form(enum.Enum):
    """How the digest user name relates to the address it should prove."""

    USER = "user"
    ADDRESS = "user@domain"
    OTHER = "other"


def form_of(username: str, user: str, domain: str) -> Form:
    """The form of a digest user name for this user of this domain."""
    if username == user:
        return Form.USER
    return Form.ADDRESS if username == f"{user}@{domain}" else Form.OTHER


def stored_ha1(account: Account, algorithm: Algorithm, form: Form) -> str:
    """The HA1 an answer must be made with; "" when the account has none of this kind."""
    if form is Form.ADDRESS:
        return account.ha1b if algorithm.family == "MD5" else ""
    family = algorithm.family
    if family == "MD5":
        return account.ha1
    return account.ha1_sha256 if family == "SHA-256" else account.ha1_sha512t256


def is_for_this_request(credentials: Credentials, request: Request, domains: Domains) -> bool:
    """Whether the digest `uri` names what the request is for (RFC 7616 section 3.4.6, RFC 8760 section 2.6 item 6).

    Its parameters don't count, because a proxy on the way may change them; a URI that names this server and no user is
    accepted too, because some clients put the next hop there.
    """
    if credentials.uri == request.uri_text:
        return True
    named, asked = parse_uri(credentials.uri), request.uri
    if equivalent(named, asked):
        return True
    if named.scheme not in ("sip", "sips"):
        return False
    if not named.user:
        return domains.canonical(named.host) is not None
    return unescape(named.user) == unescape(asked.user) and _place(named, domains) == _place(asked, domains)


def _place(uri: Uri, domains: Domains) -> str:
    return domains.canonical(uri.host) or uri.host


def proves(credentials: Credentials, algorithm: Algorithm, secret: str, dummy: str, method: str) -> bool:
    """Whether the response was made with this secret; costs the same when there is none."""
    return right_response(credentials, algorithm, secret or dummy, method) and bool(secret)
