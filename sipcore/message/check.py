"""The checks every element makes before it looks further at a message (RFC 3261 sections 8.2, 16.3 and 18.1.2).

Rule 1: what passes has one of each header that must be there once, and `via`, `cseq`, `from_`, `to`, `call_id` and
(for a request) `uri` can be read without an error. Rule 2: what only some elements refuse is not here: Max-Forwards of
zero and Proxy-Require are the proxy's, Require is the endpoint's.
"""

from __future__ import annotations

from sipcore.errors import Malformed
from sipcore.message.limits import DEFAULT_LIMITS, Limits
from sipcore.message.message import Message, Request, Response
from sipcore.message.name_addr import NameAddr
from sipcore.tokens import BRANCH_COOKIE

_SCHEMES = frozenset({"sip", "sips", "tel"})
_ONCE = (("to", "To"), ("from", "From"), ("call-id", "Call-ID"), ("cseq", "CSeq"))


def check_request(request: Request, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise `Malformed` with the status of the answer for the first fault that is found; return None if all is well."""
    _check_counts(request, limits)
    if request.via.branch == BRANCH_COOKIE:
        raise Malformed("Empty branch")  # matches nothing and everybody (RFC 4475 section 3.2.1)
    _check_common(request)
    if request.cseq.method != request.method:
        raise Malformed("CSeq method is not that of the request")  # section 8.1.1.5
    _check_max_forwards(request)
    uri = request.uri
    if uri.scheme not in _SCHEMES:
        raise Malformed("Unsupported URI scheme", 416)  # section 16.3 step 2
    if uri.headers:
        raise Malformed("Headers in the Request-URI")  # section 19.1.1, table 1


def check_response(response: Response) -> None:
    """Raise `Malformed` when a response can't be matched or passed on: it is dropped then, never answered."""
    _check_once(response)
    _ = response.via
    _check_common(response)


def _check_common(message: Message) -> None:
    if not message.call_id:
        raise Malformed("Empty Call-ID")
    _ = message.cseq
    _check_address(message.from_, "From")
    _check_address(message.to, "To")


def _check_once(message: Message) -> None:
    names = message.names
    for name, pretty in _ONCE:
        count = names.count(name)
        if count != 1:
            raise Malformed(f"No {pretty}" if count == 0 else f"More than one {pretty}")


def _check_counts(request: Request, limits: Limits) -> None:
    _check_once(request)
    if request.names.count("max-forwards") > 1:
        raise Malformed("More than one Max-Forwards")
    if len(request.elements("via")) > limits.vias:
        raise Malformed("Too many Via values", 513)
    if len(request.elements("route")) > limits.routes:
        raise Malformed("Too many Route values", 513)


def _check_address(address: NameAddr, pretty: str) -> None:
    _ = address.uri
    tags = [value for name, value in address.parameters if name == "tag"]
    if len(tags) > 1 or (tags and (not tags[0] or tags[0].startswith('"'))):
        raise Malformed(f"Malformed tag in {pretty}")


def _check_max_forwards(request: Request) -> None:
    value = request.get("max-forwards")
    if value is not None and not (value.isdigit() and len(value) < 10 and int(value) < 256):
        raise Malformed("Malformed Max-Forwards")
