"""The stateless answer to a request that can't be parsed or that fails the checks (RFC 3261 section 8.2.7).

What is copied must be parseable by every element behind us, so that we never pass a broken line on as our own:

- the topmost Via as it came, when it parses; else what can be read of it: transport, sent-by and branch;
- other Via lines as they came, when they parse;
- the first From and To as they came, when they parse; else their URI in brackets and their tag, when these are sound;
- the first Call-ID and CSeq as they came, when they have the usual form.

Anything else is left out. A client matches the answer by branch and CSeq method (section 17.1.3).
"""

from __future__ import annotations

import re

from sipcore.errors import Malformed
from sipcore.message.name_addr import parse_name_addr
from sipcore.message.names import COMPACT
from sipcore.message.parameters import split_commas
from sipcore.message.source import marked_via
from sipcore.message.status import reason_phrase
from sipcore.message.via import Via, parse_via
from sipcore.uri import parse_uri

_LONGEST_LINE = 8192
_REQUEST_LINE = re.compile(rb"[ \t]*([^ \t]+)[ \t](?:.*[ \t])?SIP/[0-9.]+[ \t]*", re.IGNORECASE | re.DOTALL)
_FOLD = re.compile(rb"(?:\r\n[ \t]+)+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_READABLE_VIA = re.compile(
    rb"(SIP/[0-9.]{1,8}/[A-Za-z0-9\-]{1,32}[ \t]+(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-_]+)(?::[0-9]{1,5})?)"
    rb"(?![A-Za-z0-9.\-_:])",
    re.IGNORECASE,
)
_BRANCH = re.compile(rb";[ \t]*branch[ \t]*=[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*(?=[;,]|$)", re.IGNORECASE)
_CSEQ = re.compile(rb"[0-9]{1,32}[ \t]+[A-Za-z0-9\-.!%*_+`'~]{1,64}")
_URI = re.compile(rb'<[ \t]*([^<>"\s]*)[ \t]*>[^<>]*$')
_TAG = re.compile(rb";[ \t]*tag[ \t]*=[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*$", re.IGNORECASE)


def answer_malformed(data: bytes, malformed: Malformed, received: tuple[str, int], to_tag: str) -> bytes | None:
    """A response to bytes that are no proper request, or None when nobody can be answered: they are dropped.

    `received` is the source (IP address, port), which is written into the topmost Via; the answer goes to
    `response_target(parse(answer).via, transport)`. `to_tag` is added to a To without tag. Never answered are
    responses, ACKs, what is no SIP at all, what has no topmost Via to read, and what has nothing else to copy: the
    answer to a forged source would be many times its size.
    """
    start, lines = _lines(data)
    match = _REQUEST_LINE.fullmatch(start)
    if match is None or match[1].upper() == b"ACK" or match[1][:4].upper() == b"SIP/":
        return None
    via = _topmost_via(lines.get("via", ()))
    if via is None:
        return None
    copied = _address(b"From: ", lines.get("from", ()), b"")
    copied += _address(b"To: ", lines.get("to", ()), to_tag.encode())
    copied += [b"Call-ID: " + value for value in lines.get("call-id", ())[:1] if value]
    copied += [b"CSeq: " + value for value in lines.get("cseq", ())[:1] if _CSEQ.fullmatch(value)]
    if not copied:
        return None
    status = b"SIP/2.0 %d %b" % (malformed.status, _reason(malformed).encode("ascii", "replace"))
    vias = [b"Via: " + marked_via(via, received).value, *_other_vias(lines["via"])]
    return b"\r\n".join([status, *vias, *copied, b"Content-Length: 0", b"", b""])


def _reason(malformed: Malformed) -> str:
    # A reason of our own only where the usual phrase says less.
    return malformed.reason if malformed.status == 400 else reason_phrase(malformed.status)


def _lines(data: bytes) -> tuple[bytes, dict[str, list[bytes]]]:
    """The start line, and the values of the header lines that are free of control characters, by key."""
    head = data.lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    start, _, rest = _FOLD.sub(b" ", head).partition(b"\r\n")
    found: dict[str, list[bytes]] = {}
    for line in rest.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and len(line) <= _LONGEST_LINE and not _CONTROL.search(line):
            key = name.rstrip(b" \t").lower().decode("latin-1")
            found.setdefault(COMPACT.get(key, key), []).append(value.strip(b" \t"))
    return start, found


def _topmost_via(values: list[bytes] | tuple[()]) -> Via | None:
    if not values:
        return None
    try:
        return parse_via(split_commas(values[0])[0])
    except Malformed:
        pass
    match = _READABLE_VIA.match(values[0])
    if match is None:
        return None
    branch = _BRANCH.search(values[0].partition(b",")[0])
    try:
        return parse_via(match[1] + (b";branch=" + branch[1] if branch else b""))
    except Malformed:
        return None


def _other_vias(values: list[bytes]) -> list[bytes]:
    """The lines of all Via values but the topmost; a line that holds a broken one is left out."""
    found: list[bytes] = []
    for place, value in enumerate(values):
        try:
            rest = split_commas(value)[0 if place else 1 :]
            for element in rest:
                parse_via(element)
        except Malformed:
            continue
        if rest:
            found.append(b"Via: " + b", ".join(rest))
    return found


def _address(name: bytes, values: list[bytes] | tuple[()], new_tag: bytes) -> list[bytes]:
    """The From or To line of the answer, or none."""
    if not values:
        return []
    value = values[0]
    try:
        address = parse_name_addr(value)
        tags = [tag for key, tag in address.parameters if key == "tag"]
        _ = address.uri
        if len(tags) > 1 or "" in tags or None in tags:
            raise Malformed("Malformed tag")
        tagged = bool(tags)
    except Malformed:
        uri = _URI.search(value)
        tag = _TAG.search(value)
        if uri is None or not _is_uri(uri[1]):
            return []
        value = b"<%b>%b" % (uri[1], b";tag=" + tag[1] if tag else b"")
        tagged = tag is not None
    return [name + value + (b";tag=" + new_tag if new_tag and not tagged else b"")]


def _is_uri(text: bytes) -> bool:
    try:
        parse_uri(text.decode("utf-8", "surrogateescape"))
    except Malformed:
        return False
    return True
