"""Messages as phones write them: the usual lines, and what the story adds to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from routing.language.stories.story import Extra
from sipcore.errors import Malformed
from sipcore.message import Response
from sipcore.message.names import key_of

Line = tuple[str, str]
"""Name and value."""
SDP = "application/sdp"
WITH_CONTACT = frozenset({"INVITE", "SUBSCRIBE", "REFER", "NOTIFY", "UPDATE", "REGISTER"})
"""Requests that carry a Contact, and their responses too (RFC 3261 sections 8.1.1.8 and 12.1.1)."""


def session(name: str, host: str, direction: str = "sendrecv") -> list[str]:
    """The lines of a session description with one stream of audio (RFC 8866)."""
    version = "IP6" if ":" in host else "IP4"
    return [
        "v=0", f"o={name} 1 1 IN {version} {host}", "s=-", f"c=IN {version} {host}", "t=0 0",
        "m=audio 40000 RTP/AVP 0 8 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000", f"a={direction}",
    ]  # fmt: skip


def request(first: str, usual: Sequence[Line], extra: Extra, body: Sequence[str] = (), body_type: str = SDP) -> bytes:
    """A request; `first` is its method and URI."""
    return _message(f"{first} SIP/2.0", usual, extra, body, body_type)


def response(answer: Response, usual: Sequence[Line], extra: Extra, body: Sequence[str] = ()) -> bytes:
    """A response: what the request gave to it, then the lines of its own."""
    given = [(line.partition(b":")[0], line.partition(b":")[2].strip()) for line in answer.lines]
    lines = [
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")) for name, value in given
    ]
    return _message(f"SIP/2.0 {answer.status} {answer.reason}", [*lines, *usual], extra, body, SDP)


def _message(first: str, usual: Sequence[Line], extra: Extra, body: Sequence[str], body_type: str) -> bytes:
    if extra.body is not None:
        body_type = SDP if extra.body[:1] == ("v=0",) else "text/plain"
        body = extra.body
    lines = [(name, value) for name, value in usual if key(name) not in {key(one) for one in extra.without}]
    if body:
        lines.append(("Content-Type", body_type))
    lines = _replaced(lines, [_split(line) for line in extra.lines])
    text = "".join(f"{line}\r\n" for line in body) if len(body) > 1 else "".join(body)
    content = text.encode("utf-8", "surrogateescape")
    if "content-length" not in {key(name) for name, _ in lines}:
        lines.append(("Content-Length", str(len(content))))
    head = "\r\n".join([first, *(f"{name}: {value}" for name, value in lines)])
    return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


def _replaced(lines: list[Line], given: Iterable[Line]) -> list[Line]:
    """The first line of a name takes the place of the usual ones; further ones stand behind all."""
    replaced: set[str] = set()
    for name, value in given:
        at = next((at for at, (other, _) in enumerate(lines) if key(other) == key(name)), None)
        if at is None or key(name) in replaced:
            lines.append((name, value))
        else:
            lines[at] = name, value
            lines = [line for place, line in enumerate(lines) if place <= at or key(line[0]) != key(name)]
        replaced.add(key(name))
    return lines


def _split(line: str) -> Line:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def key(name: str) -> str:
    """A header name in the form in which names are compared: long, in lower case."""
    try:
        return key_of(name.encode("utf-8", "surrogateescape"))
    except Malformed:
        return name.lower()
