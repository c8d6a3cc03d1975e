"""Calls with one anomaly each, in the manner of the PROTOS c07 suite: every element of an INVITE and of its session
description in turn is replaced by what parsers have fallen over.

The suite itself is not here: its elements and its kinds of anomalies are, so that there are at least as many cases.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

_TEMPLATE = (
    b"{INVITE} {sip:}{hop}@{example.com} {SIP/2.0}{\r\n}"
    b"Via{:} {SIP/2.0}{/}{UDP} {127.0.0.2}{:}{5999}{;}branch{=}{z9hG4bKanomaly}NUMBER{;rport}\r\n"
    b'From{:} "{Mallory}" {<}{sip:}{mallory}{@}{example.org}{>}{;}tag{=}{1}\r\n'
    b"To{:} {Hop} {<}{sip:hop@example.com}{>}\r\n"
    b"Call-ID{:} {anomaly}NUMBER{@}{127.0.0.2}\r\n"
    b"CSeq{:} {1} {INVITE}\r\n"
    b'{Contact}{:} "{M}" {<}{sip:mallory@127.0.0.2}{>}{;expires=}{3600}\r\n'
    b"Expires{:} {1200}\r\n"
    b"Max-Forwards{:} {70}\r\n"
    b"Content-Type{:} {application}{/}{sdp}\r\n"
    b"Content-Length{:} {LENGTH}{\r\n}{\r\n}"
    b"{v}{=}{0}\r\n{o}={-} {1} {1} {IN} {IP4} {127.0.0.2}\r\ns={-}{\r\n}c={IN} {IP4} {127.0.0.2}\r\n"
    b"t={0} {0}\r\nm={audio} {4000} {RTP/AVP} {0}\r\na={rtpmap}{:}{0 PCMU/8000}\r\n"
)
_LONG = (16, 127, 128, 255, 256, 257, 1023, 1024, 4095, 8192, 32_767)
_UNITS = (b"a", b" ", b"\0", b"<", b">", b"@", b"=", b",", b";", b":", b"%s", b"\xff", b"\t", b"/", b"1", b"(", b'"')
_ANOMALIES: tuple[bytes, ...] = (
    b"", b" ", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"%n%n%n%n", b"%s%s%s%s", b"%x", b"\x1b[2J", b"\xc0\xae",
    b"\xff\xff", b"\xe2\x80\xae", b"-1", b"0", b"1", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967295",
    b"4294967296", b"18446744073709551616", b"1e9", b"0x41", b"+1", b"00", b"1.1", b"255.255.255.255", b"0.0.0.0",
    b"127.0.0.1", b"256.1.1.1", b"1.2.3", b"::1", b"[::1]", b"[", b"localhost", b".", b"..", b"*", b"sip:", b"sips:",
    b"tel:+1", b"http://x", b"SIP/2.0", b"SIP/2", b"SIP/9.9", b"/2.0", b"REGISTER", b"ACK", b"CANCEL",
    b"\xef\xbb\xbf", b"<>", b"\"\"", b"\"", b"\\", b"${jndi:x}", b"' OR 1=1--", b"../../etc/passwd", b"a b", b"a\tb",
    b"a,b", b"a;b", b"a?b=c", b"?Route=%3Csip:x%3E", b"%00", b"%", b"%zz",
)  # fmt: skip


def calls_with_anomalies() -> Iterator[bytes]:
    """At least 4,527 datagrams; each is one call with one element changed."""
    pieces = _TEMPLATE.replace(b"{", b"\x01{").replace(b"}", b"}\x01").split(b"\x01")
    numbers = itertools.count(1)
    for place, piece in enumerate(pieces):
        if not piece.startswith(b"{"):
            continue
        for anomaly in itertools.chain(_ANOMALIES, *_overflows(place)):
            changed = [anomaly if at == place else one.strip(b"{}") for at, one in enumerate(pieces)]
            data = b"".join(changed).replace(b"NUMBER", b"%d" % next(numbers))
            body = data.rpartition(b"\r\n\r\n")[2]
            yield data.replace(b"LENGTH", b"%d" % len(body))[:65_000]


def _overflows(place: int) -> Iterator[list[bytes]]:
    """Long runs of one unit; which of them an element gets rotates, so that all get all lengths between them."""
    for number, unit in enumerate(_UNITS):
        size = _LONG[(place + number) % len(_LONG)]
        yield [unit * (size // len(unit))]
