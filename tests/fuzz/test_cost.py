"""64 kB of anything cost less than 50 ms of CPU time, and twice as much costs twice the time (rows B08, B33)."""

from __future__ import annotations

import gc
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from routing.runtime.builtins import printable
from sipcore.digest import parse_credentials
from sipcore.errors import Malformed
from sipcore.flow import Flow
from sipcore.host import parse_host
from sipcore.message import (
    Limits,
    Request,
    check_request,
    parse,
    parse_contact,
    parse_expires,
    parse_name_addr,
    parse_via,
)
from sipcore.message.cseq import parse_cseq
from sipcore.message.framing import StreamFraming
from sipcore.message.parameters import split_commas
from sipcore.uri import equivalent, parse_uri, unescape
from tests.fuzz.whole_path import HERE, WholePath

BUDGET = 0.050
"""Seconds of CPU time for 64 kB."""
KILOBYTES = 1_000
NO_LIMITS = Limits(1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 24)


def many(unit: bytes, before: bytes = b"", behind: bytes = b"") -> Callable[[int], bytes]:
    """One piece again and again, until there are so many bytes."""
    return lambda size: before + unit * (size // len(unit)) + behind


PIECES = {
    "parameters": many(b"a;"),
    "parameters of an address": many(b";a=b", b"<sip:a@h>"),
    "different parameters": lambda size: b"<sip:a@h>" + b"".join(b";p%d=1" % number for number in range(size // 9)),
    "backslashes behind quotes": many(b'"\\'),
    "an open quote and backslashes": many(b"\\", b'"'),
    "quoted pairs": many(b'\\"', b'"', b'"<sip:a@h>'),
    "comments": many(b"("),
    "comments that end": many(b"(a)"),
    "commas": many(b","),
    "commas and addresses": many(b",<sip:a@h>"),
    "spaces": many(b" "),
    "spaces between": many(b" ", b"a", b"b"),
    "tabs": many(b"\t", b"<sip:a@h>", b"x"),
    "folds": many(b"\r\n ", b"a"),
    "brackets": many(b"<"),
    "brackets that close": many(b"<>"),
    "equal signs": many(b"=", b"Digest a"),
    "parameters of a digest": many(b'a="b",', b"Digest "),
    "parameters of a digest without values": many(b"a,", b"Digest "),
    "open quotes in a digest": many(b'a="', b"Digest "),
    "escapes": many(b"%41", b"sip:", b"@h"),
    "escapes that are none": many(b"%", b"sip:", b"@h"),
    "at signs": many(b"@", b"sip:"),
    "colons": many(b":", b"sip:"),
    "labels": many(b"a.", b"sip:a@"),
    "a label": many(b"a-", b"sip:a@", b"-"),
    "groups of an address": many(b"1:", b"sip:a@[", b"]"),
    "header components": many(b"&a=b", b"sip:h?a=b"),
    "digits": many(b"9"),
    "zeros": many(b"0", b"", b"1"),
    "semicolons": many(b";", b"SIP/2.0/UDP h"),
    "branches": many(b";branch=z9hG4bK", b"SIP/2.0/UDP h"),
    "slashes": many(b"/", b"SIP"),
    "letters": many(b"a"),
    "bytes beyond ASCII": many(b"\xff"),
    "letters of two bytes": many("é".encode()),
    "noise": lambda size: random.Random(1).randbytes(size),
}


def nested(size: int) -> bytes:
    """Multipart bodies in each other, 500 and more deep."""
    depth = size // 100
    begin = (b"--%d\r\nContent-Type: multipart/mixed;boundary=%d\r\n\r\n" % (at, at + 1) for at in range(depth))
    return b"".join(begin)


BODIES = {
    "nested multipart": nested,
    "an endless boundary": many(b"--"),
    "noise": PIECES["noise"],
    "line ends": many(b"\r\n"),
}


def message(*lines: bytes, start: bytes = b"INVITE sip:bob@example.com SIP/2.0", body: bytes = b"") -> bytes:
    """An INVITE with these header lines, each in place of the usual one of its name."""
    usual = [
        b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", b"From: <sip:a@example.org>;tag=1", b"To: <sip:bob@example.com>",
        b"Call-ID: c", b"CSeq: 1 INVITE", b"Contact: <sip:a@192.0.2.1>", b"Max-Forwards: 70",
    ]  # fmt: skip
    given = {line.partition(b":")[0] for line in lines}
    head = [start, *(line for line in usual if line.partition(b":")[0] not in given), *lines]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])


def read(data: bytes) -> None:
    """Parse and check, and read everything that is read of a message."""
    request = parse(data, NO_LIMITS)
    if isinstance(request, Request):
        check_request(request, NO_LIMITS)
        request.copy().write()


def framed(data: bytes) -> None:
    """As it comes over TCP: in segments."""
    framing = StreamFraming(NO_LIMITS)
    for at in range(0, len(data), 1460):
        framing.feed(data[at : at + 1460])


SHIPPED = [
    re.compile(pattern)
    for file in Path(__file__).resolve().parents[2].glob("*/**/*.route")
    if "tests" not in file.parts
    for pattern in re.findall(r"matches /(.*?)/|^\s*/(.*?)/\s*=>", file.read_text("utf-8"), re.MULTILINE)
    for pattern in pattern
    if pattern
]


def patterns(value: bytes) -> None:
    """The patterns of the routes that an installation begins with, and of the manual."""
    text = value.decode("utf-8", "surrogateescape")
    for pattern in [re.compile(r"^00(\d+)$", re.ASCII), re.compile(r"^(00|\+)[0-9]*$", re.IGNORECASE), *SHIPPED]:
        pattern.search(text)


def text_of(parser: Callable[[str], object]) -> Callable[[bytes], object]:
    """A parser of text, given bytes."""
    return lambda value: parser(value.decode("utf-8", "surrogateescape"))


READERS: dict[str, Callable[[bytes], object]] = {
    "name-addr": lambda value: parse_name_addr(value).uri,
    "contact": parse_contact,
    "via": parse_via,
    "cseq": parse_cseq,
    "expires": parse_expires,
    "commas": split_commas,
    "digest": parse_credentials,
    "uri": text_of(parse_uri),
    "equal uris": text_of(lambda text: equivalent(parse_uri(text), parse_uri(text + ";x"))),
    "host": text_of(parse_host),
    "unescape": text_of(unescape),
    "log line": text_of(printable),
    "patterns": patterns,
    "a header nobody knows": lambda value: read(message(b"X: " + value)),
    "from": lambda value: read(message(b"From: " + value)),
    "a name": lambda value: read(message(value + b": x")),
    "the start line": lambda value: read(message(start=b"INVITE " + value + b" SIP/2.0")),
    "a stream": lambda value: framed(message(b"Subject: " + value)),
    "a stream without an end": framed,
}


def cost(reader: Callable[[bytes], object], data: bytes) -> float:
    """Seconds of CPU time: the least of some runs, for what is noise is never less."""
    least = float("inf")
    gc.disable()
    try:
        for _ in range(4):
            begin = time.thread_time()
            try:
                reader(data)
            except Malformed:
                pass
            least = min(least, time.thread_time() - begin)
    finally:
        gc.enable()
    return least


def is_linear(reader: Callable[[bytes], object], make: Callable[[int], bytes]) -> None:
    """Twice as much costs twice as long: three times at most, with a millisecond for what a clock can't tell."""
    for attempt in range(4):
        small, large = (cost(reader, make(size * KILOBYTES)) for size in (32, 64))
        if large <= 3 * small + 0.001 and large < BUDGET:
            return
        assert attempt < 3, f"32 kB: {small * 1000:.1f} ms, 64 kB: {large * 1000:.1f} ms"


@pytest.mark.row("B33")
@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("reader", READERS)
def test_a_reader(reader: str, piece: str) -> None:
    is_linear(READERS[reader], PIECES[piece])


def test_what_grows_with_the_square_would_be_noticed() -> None:
    def square(value: bytes) -> None:
        for _ in range(len(value) // 1_000):
            sum(value)

    with pytest.raises(AssertionError, match="64 kB"):
        is_linear(square, PIECES["commas"])


MANY_LINES: dict[str, Callable[[int], bytes]] = {
    "headers": lambda size: message(*[b"X: 1"] * (size // 6)),
    "different headers": lambda size: message(*(b"X%d: 1" % number for number in range(size // 10))),
    "vias": lambda size: message(*[b"Via: SIP/2.0/UDP h;branch=z9hG4bKx"] * (size // 36)),
    "routes": lambda size: message(*[b"Route: <sip:h;lr>"] * (size // 19)),
    "routes in a line": lambda size: message(b"Route: <sip:h;lr>" + b", <sip:h;lr>" * (size // 12)),
    "contacts": lambda size: message(*[b"Contact: <sip:h>"] * (size // 18)),
    "lengths": lambda size: message(*[b"l: 0"] * (size // 6)),
    "credentials": lambda size: message(*[b'Proxy-Authorization: Digest a="b"'] * (size // 35)),
    "folded lines": lambda size: message(b"X: 1" + b"\r\n 1" * (size // 4)),
    **{f"a body: {name}": lambda size, make=make: message(body=make(size)) for name, make in BODIES.items()},  # type: ignore[misc]
}


@pytest.mark.row("B08", "B23", "B24")
@pytest.mark.parametrize("make", MANY_LINES.values(), ids=MANY_LINES)
@pytest.mark.parametrize("reader", [read, framed])
def test_a_message_of_many_lines(reader: Callable[[bytes], object], make: Callable[[int], bytes]) -> None:
    is_linear(reader, make)


# -- and on the whole path, with the limits that are in force ---------------------------------------------------------


@pytest.fixture(scope="module")
def whole_path() -> WholePath:
    return WholePath()


def received(whole_path: WholePath) -> Callable[[bytes], object]:
    """A server that takes one datagram."""
    flow = Flow("udp", HERE, ("192.0.2.1", 5060))

    def receive(data: bytes) -> None:
        whole_path.reset()
        whole_path.stack.receive(data, flow, whole_path.stack.timers.now)

    return receive


PLACES = ("Via", "From", "To", "Contact", "Route", "Authorization", "Proxy-Authorization", "Subject", "User-Agent")


@pytest.mark.row("B08", "B33")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("piece", PIECES)
def test_the_server(whole_path: WholePath, piece: str, place: str) -> None:
    """Of 64 kB, and of as much as one line may have, which is looked at more closely."""
    for size in (9, 64):
        data = message(place.encode() + b": " + PIECES[piece](size * KILOBYTES))
        assert cost(received(whole_path), data) < BUDGET


@pytest.mark.row("B08", "B23", "B24")
@pytest.mark.parametrize("make", MANY_LINES.values(), ids=MANY_LINES)
def test_the_server_with_many_lines(whole_path: WholePath, make: Callable[[int], bytes]) -> None:
    for size in (5, 20, 64):
        assert cost(received(whole_path), make(size * KILOBYTES)) < BUDGET
