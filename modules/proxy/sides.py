"""From and To as the two sides of a dialog know them, when a route has shown the callee others than the caller wrote.

Peers recognise a dialog by its tags (RFC 3261 section 12), yet show each other's URIs and names to people, and many
compare them all the same. So each side goes on seeing what it saw in the beginning. All of it travels in our
Record-Route, hidden and authenticated: the callee must not read there what the route has kept from it.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

from sipcore.box import MOST
from sipcore.errors import Refused
from sipcore.message import Request
from sipcore.message.name_addr import split_name_addr
from sipcore.message.parameters import quote

_DICTIONARY = b'anonymous@anonymous.invalid;user=phone;transport=tcp "Anonymous" <tel:+<sips:<sip:'
"""What such fields often hold. A token is read with the dictionary it was made with, so this one never changes."""
_WINDOW = -10
_TAG_ALONE = re.compile(rb";tag=[A-Za-z0-9\-.!%*_+`'~]+", re.IGNORECASE).fullmatch


class Sides(NamedTuple):
    """The fields without their tags, as the caller and as the callee know them; both empty where nothing differs."""

    from_caller: bytes = b""
    from_callee: bytes = b""
    to_caller: bytes = b""
    to_callee: bytes = b""

    def packed(self) -> bytes:
        """As few bytes as it takes; `Refused` when they are too many for a token."""
        packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 1, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
        packed = packer.compress(b"\n".join(self)) + packer.flush()  # no field holds a line end
        if len(packed) > MOST:
            raise Refused(513, "From Or To Too Long")  # a half of it would show one side what it must not see
        return packed

    def show(self, request: Request, by_caller: bool) -> None:
        """Put into a request inside the dialog what the side that it goes to knows; the tags stay."""
        sender = self.from_callee if by_caller else self.to_caller
        recipient = self.to_callee if by_caller else self.from_caller
        if sender:
            request.set("from", tagged(sender, request.from_.tag))
        if recipient:
            request.set("to", tagged(recipient, request.to.tag))


Views = tuple[tuple[Sides, bool], ...]
"""What both sides know, with whether it is the caller who asks: one for each time a call has passed our routes."""


def show(views: Views, received: Request, sent: Request) -> None:
    """Put into the copy of a request inside a dialog what the side that it goes to knows.

    What `on dialog` has changed in the copy stays.
    """
    changed = [(name, sent.get(name)) for name in ("from", "to") if sent.get(name) != received.get(name)]
    for known, by_caller in views:
        known.show(sent, by_caller)
    for name, value in changed:
        sent.set(name, value or b"")


def unpacked(data: bytes) -> Sides | None:
    """What `packed` has made, out of a token that was authenticated; None when another version has made it."""
    try:
        fields = zlib.decompressobj(-zlib.MAX_WBITS, _DICTIONARY).decompress(data).split(b"\n")
    except zlib.error:
        return None
    return Sides(*fields) if len(fields) == len(Sides._fields) else None


def sides(received: Request, sent: Request) -> Sides | None:
    """What differs between the request of a caller and the copy for a callee; None when nothing does."""
    from_caller, from_callee = _differing(received, sent, "from")
    to_caller, to_callee = _differing(received, sent, "to")
    return Sides(from_caller, from_callee, to_caller, to_callee) if from_callee or to_callee else None


def _differing(received: Request, sent: Request, name: str) -> tuple[bytes, bytes]:
    before, after = received.get(name), sent.get(name)
    if before == after or before is None or after is None:
        return b"", b""
    before, after = untagged(before), untagged(after)
    return (before, after) if before != after else (b"", b"")


def untagged(value: bytes) -> bytes:
    """A From or To without its tag, and otherwise as it was written."""
    start = value.rfind(b">") + 1
    behind = value[start:]
    if start and (not behind or _TAG_ALONE(behind)):
        return value[:start]
    # A rare spelling is written anew, from its parts.
    display, uri_text, parameters = split_name_addr(value)
    kept = "".join(f";{name}" if text is None else f";{name}={text}" for name, text in parameters if name != "tag")
    shown = f"{quote(display)} " if display else ""
    written = f"{shown}<{uri_text}>{kept}" if b"<" in value else uri_text + kept
    return written.encode("utf-8", "surrogateescape")


def tagged(value: bytes, tag: str) -> bytes:
    """A From or To with this tag behind it; as it is when there is none."""
    return value + b";tag=" + tag.encode("utf-8", "surrogateescape") if tag else value
