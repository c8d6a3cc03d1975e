"""The checks every element makes before it looks further at a message (RFC 3261 sections 8.2, 16.3 and 18.1.2).

Rule 1: what passes has one of each header that must be there once, and `via`, `cseq`, `from_`, `to`, `call_id` and
(for a request) `uri` can be read without an error, and so can the URIs of From and To. Rule 2: what only some
elements refuse is not here: Max-Forwards of zero and Proxy-Require are the proxy's, Require is the endpoint's.
"""

from __future__ import annotations

from sipcore.errors import Malformed
from sipcore.message.cseq import CSeq, parse_cseq
from sipcore.message.layout import Layout, layout_of
from sipcore.message.limits import DEFAULT_LIMITS, Limits
from sipcore.message.message import Message, Request, Response
from sipcore.message.name_addr import NameAddr, parse_name_addr
from sipcore.message.parameters import split_commas
from sipcore.message.via import Via, parse_via
from sipcore.tokens import BRANCH_COOKIE

_SCHEMES = frozenset({"sip", "sips", "tel"})
_USUAL_MAX_FORWARDS = frozenset(b"Max-Forwards: %d" % hops for hops in range(256))


def check_request(request: Request, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise `Malformed` with the status of the answer for the first fault that is found; return None if all is well."""
    layout = layout_of(tuple(request.names))
    via, cseq = _check_common(request, layout)
    if via.branch == BRANCH_COOKIE:
        raise Malformed("Empty branch")  # matches nothing and everybody (RFC 4475 section 3.2.1)
    if cseq.method != request.method:
        raise Malformed("CSeq method is not that of the request")  # section 8.1.1.5
    lines = request.lines
    if layout.max_forwards >= 0 and lines[layout.max_forwards] not in _USUAL_MAX_FORWARDS:
        _check_max_forwards(lines[layout.max_forwards])
    uri = request.uri
    if uri.scheme not in _SCHEMES:
        raise Malformed("Unsupported URI scheme", 416)  # section 16.3 step 2
    if uri.headers:
        raise Malformed("Headers in the Request-URI")  # section 19.1.1, table 1
    if layout.many_hops or b"," in lines[layout.via]:
        _check_hops(request, layout.hops(lines), limits)


def check_response(response: Response) -> None:
    """Raise `Malformed` when a response can't be matched to its request: it is dropped then, never answered.

    From and To are not looked at: a proxy passes them on as they came, and whoever needs them parses them.
    """
    _check_matching(response, layout_of(tuple(response.names)))


def _check_matching(message: Message, layout: Layout) -> tuple[Via, CSeq]:
    """Parse what says which transaction a message belongs to, and leave it with the message."""
    if layout.fault:
        raise Malformed(layout.fault)
    lines = message.lines
    via_value = lines[layout.via].partition(b":")[2].strip(b" \t")
    via = parse_via(split_commas(via_value)[0] if b"," in via_value else via_value)
    cseq = parse_cseq(lines[layout.cseq].partition(b":")[2].strip(b" \t"))
    if not lines[layout.call_id].partition(b":")[2].strip(b" \t"):
        raise Malformed("Empty Call-ID")
    message.remember(via, cseq, None, None)
    return via, cseq


def _check_common(request: Request, layout: Layout) -> tuple[Via, CSeq]:
    """Parse what every element reads of a request and leave it with the request."""
    via, cseq = _check_matching(request, layout)
    lines = request.lines
    from_ = parse_name_addr(lines[layout.from_].partition(b":")[2].strip(b" \t"))
    to = parse_name_addr(lines[layout.to].partition(b":")[2].strip(b" \t"))
    _check_address(from_)
    _check_address(to)
    request.remember(via, cseq, from_, to)
    return via, cseq


def _check_address(address: NameAddr) -> None:
    _ = address.uri
    parameters = address.parameters
    if not parameters or (len(parameters) == 1 and address.tag and address.tag[0] != '"'):
        return
    tags = [value for name, value in parameters if name == "tag"]
    if len(tags) > 1 or (tags and (not tags[0] or tags[0][0] == '"')):
        raise Malformed("Malformed tag")


def _check_max_forwards(line: bytes) -> None:
    value = line.partition(b":")[2].strip(b" \t")
    if not (value.isdigit() and len(value) < 10 and int(value) < 256):
        raise Malformed("Malformed Max-Forwards")


def _check_hops(request: Request, lines: tuple[bytes, ...], limits: Limits) -> None:
    """Bound the values of the headers that proxies lengthen hop by hop."""
    most = len(lines) + b"".join(lines).count(b",")  # commas in quotes are told apart only when it matters
    if most > limits.vias and len(request.elements("via")) > limits.vias:
        raise Malformed("Too many Via values", 513)
    if most > limits.routes and len(request.elements("route")) > limits.routes:
        raise Malformed("Too many Route values", 513)
