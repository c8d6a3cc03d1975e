"""No input makes the work grow faster than its size (limits lifted, so that only the algorithms are judged)."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pytest

from sipcore.message import Limits
from tests.sipcore.message.everything import do_everything

NO_LIMITS = Limits(1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 24)
HEAD = (
    b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\n"
    b"To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
)


def header(name: bytes, before: bytes, unit: bytes, behind: bytes = b"") -> Callable[[int], bytes]:
    """A message with a header of `size` bytes made of one piece again and again, in the place of the good one."""

    def make(size: int) -> bytes:
        lines = [line for line in HEAD.split(b"\r\n") if not line.startswith(name + b":")]
        lines.insert(1, name + b": " + before + unit * max(size // len(unit), 1) + behind)
        return b"\r\n".join(lines) + b"\r\n"

    return make


def start(before: bytes, unit: bytes, behind: bytes = b" SIP/2.0") -> Callable[[int], bytes]:
    """The same with a start line."""
    return lambda size: before + unit * (size // len(unit)) + behind + HEAD[HEAD.index(b"\r\n") :] + b"\r\n"


SHAPES = {
    "parameters": header(b"To", b"<sip:a@h>", b";a"),
    "parameters with an error behind": header(b"To", b"<sip:a@h>", b";a", b"<"),
    "parameters of a via": header(b"Via", b"SIP/2.0/UDP h", b";a"),
    "different parameters of a via": lambda size: header(
        b"Via", b"SIP/2.0/UDP h", b"".join(b";a%d" % number for number in range(size // 7))
    )(1),
    "backslashes in quotes": header(b"From", b'"', b"\\\\", b'" <sip:a@h>'),
    "backslashes in open quotes": header(b"From", b'"', b"\\\\"),
    "escaped quotes in open quotes": header(b"From", b'"', b'\\"'),
    "escaped quotes with a control": header(b"From", b'"\\\x00', b'\\"'),
    "quotes with a control": header(b"Subject", b"\x00", b'"'),
    "open quotes and a last backslash": header(b"Subject", b"\x00", b'"\\', b"\\"),
    "quotes": header(b"From", b"", b'"a"', b" <sip:a@h>"),
    "comments": header(b"User-Agent", b"", b"(" * 100),
    "parentheses in an address": header(b"From", b"", b"("),
    "commas in contacts": header(b"Contact", b"", b","),
    "commas in vias": header(b"Via", b"SIP/2.0/UDP h", b","),
    "commas in routes": header(b"Route", b"<sip:h>", b", <sip:h>"),
    "commas in an address": header(b"To", b"", b","),
    "spaces in an address": header(b"To", b"a", b" ", b"a"),
    "spaces before brackets": header(b"To", b"a", b" ", b"<sip:a@h>"),
    "spaces behind brackets": header(b"To", b"<sip:a@h>", b" ", b"x"),
    "spaces before a parameter": header(b"To", b"<sip:a@h>;a", b" ", b"x"),
    "spaces in a via": header(b"Via", b"SIP/2.0/UDP h", b" ", b"x"),
    "spaces before a port": header(b"Via", b"SIP/2.0/UDP h", b" ", b":x"),
    "spaces in a cseq": header(b"CSeq", b"1", b" ", b"("),
    "spaces in a call-id": header(b"Call-ID", b"", b" ", b"c"),
    "spaces in a name": header(b"Subject", b"", b"\r\nx" + b" " * 50 + b":", b""),
    "folds": header(b"Subject", b"x", b"\r\n "),
    "spaces before a fold": header(b"Subject", b"x", b" ", b"\r\n x"),
    "spaces behind a fold": header(b"Subject", b"x\r\n", b" ", b"x"),
    "spaces apart from a fold": header(b"Subject", b"x\r\n y", b" ", b"z"),
    "tabs before an error": header(b"Subject", b"x\r\n", b"\t", b"\x00"),
    "opening brackets": header(b"To", b"", b"<"),
    "pairs of brackets": header(b"To", b"", b"<a>"),
    "closing brackets": header(b"Contact", b"", b">"),
    "semicolons": header(b"Contact", b"<sip:a@h>", b";"),
    "branches": header(b"Via", b"SIP/2.0/UDP h", b";branch=a"),
    "rports": header(b"Via", b"SIP/2.0/UDP h", b";rport"),
    "spaced rports": header(b"Via", b"SIP/2.0/UDP h", b"; rport "),
    "tags": header(b"To", b"<sip:a@h>", b";tag=a"),
    "a tag and an error": header(b"To", b"<sip:a@h>;tag=", b"a", b"<"),
    "slashes": header(b"Via", b"SIP", b"/"),
    "a long protocol": header(b"Via", b"", b"a", b"/2.0/UDP h"),
    "labels of a host": header(b"Via", b"SIP/2.0/UDP ", b"a."),
    "digits of max-forwards": header(b"Max-Forwards", b"", b"9"),
    "digits of cseq": header(b"CSeq", b"", b"9", b" INVITE"),
    "digits of content-length": header(b"Content-Length", b"", b"9"),
    "digits of expires": header(b"Expires", b"", b"9"),
    "zeros of a contact": header(b"Contact", b"<sip:a@h>;expires=", b"0"),
    "colons": header(b"Subject", b"", b":"),
    "many headers": header(b"Subject", b"", b"\r\nX: y"),
    "many unknown headers": lambda size: HEAD + b"".join(b"X%d: y\r\n" % n for n in range(size // 9)) + b"\r\n",
    "many vias": header(b"Subject", b"", b"\r\nVia: SIP/2.0/UDP h"),
    "many broken vias": header(b"Subject", b"", b"\r\nVia: x"),
    "many lengths": header(b"Subject", b"", b"\r\nl: 0"),
    "many lines without a colon": header(b"Subject", b"", b"\r\nx"),
    "escapes in a uri": start(b"INVITE sip:", b"%41", b"@h SIP/2.0"),
    "bad escapes in a uri": start(b"INVITE sip:", b"%4", b"@h SIP/2.0"),
    "ats": start(b"INVITE sip:", b"@"),
    "question marks": start(b"INVITE sip:h", b"?"),
    "header components": start(b"INVITE sip:h?a=b", b"&a=b"),
    "uri parameters": start(b"INVITE sip:h", b";a=b"),
    "colons in a uri": start(b"INVITE sip:", b":"),
    "a host": start(b"INVITE sip:", b"a."),
    "an ipv6 host": start(b"INVITE sip:[", b":", b"] SIP/2.0"),
    "an ipv6 host in full": start(b"INVITE sip:[", b"1:", b"] SIP/2.0"),
    "a tel number": start(b"INVITE tel:+1", b"-1", b"x SIP/2.0"),
    "dots in a tel number": start(b"INVITE tel:+", b"."),
    "spaces in the start line": start(b"INVITE sip:h", b" "),
    "versions in the start line": start(b"INVITE sip:h", b" SIP/2.0", b"x"),
    "digits in a version": start(b"INVITE sip:h SIP/", b"1", b"x"),
    "a method": start(b"", b"A", b" sip:h SIP/2.0"),
    "a reason phrase": start(b"SIP/2.0 200 ", b" "),
    "empty lines in front": lambda size: b"\r\n" * (size // 2) + HEAD + b"\r\n",
    "many small messages": lambda size: (HEAD + b"l: 0\r\n\r\n") * (size // len(HEAD)),
    "many bad messages": lambda size: (HEAD + b"x\r\nl: 0\r\n\r\n") * (size // len(HEAD)),
    "nothing but line feeds": lambda size: b"\n" * size,
}  # fmt: skip


def seconds(data: bytes) -> float:
    """The least CPU time of some runs: what is noise is never less."""
    least = float("inf")
    for _ in range(3):
        begin = time.thread_time()
        do_everything(data, NO_LIMITS)
        least = min(least, time.thread_time() - begin)
    return least


@pytest.mark.row("B33")
@pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES)
def test_eight_times_the_size_takes_no_more_than_some_times_as_long(make: Callable[[int], bytes]) -> None:
    """What grows with the square would take 64 times as long."""
    gc.disable()
    try:
        small = max(seconds(make(8_000)), 0.0002)
        for _ in range(3):
            large = seconds(make(64_000))
            if large < 24 * small:
                break
    finally:
        gc.enable()
    assert large < 24 * small
