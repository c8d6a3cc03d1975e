"""Bytes that nobody meant: nothing but Malformed may come of them."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipcore.message import Request, Response, check_request, parse
from tests.sipcore.message.everything import do_everything

FILES = sorted((Path(__file__).resolve().parents[2] / "torture").glob("*/*.dat"))
PIECES = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b"\r\n ", b"\r\n\r\n", b":", b";", b",", b'"', b"\\", b"<", b">",
    b"=", b"@", b"?", b"&", b"%", b"%00", b"%zz", b"[", b"]", b"[::1]", b"*", b"/", b"\xff", b"\xc2\xa0",
    b"\xe2\x80\xa8", b"\x0b", b"\x85", b"\x1c", b"\x7f", b"sip:", b"sips:", b"tel:", b";tag=", b";branch=",
    b"z9hG4bK", b";rport", b";received=", b"SIP/2.0", b"Via: ", b"To: ", b"Content-Length: ", b"l: 0\r\n", b"-1",
    b"4294967296", b"9" * 30, b"0", b".", b"a" * 300, "٥".encode(), b"Route: ", b"Contact: *\r\n",
]  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice([0, 0, 1, 1, 2, 8, 60]))
        kind = chance.random()
        if kind < 0.5:
            data = data[:at] + chance.choice(PIECES) + data[end:]
        elif kind < 0.7:
            data = data[:at] + data[end:]
        elif kind < 0.85:
            data = data[:at] + data[at:end] * chance.randint(2, 5) + data[end:]
        else:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    return data


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_mutations_of_every_torture_message(file: Path) -> None:
    data, chance = file.read_bytes(), random.Random(file.stem)
    do_everything(data)
    for _ in range(60):
        do_everything(mutated(data, chance))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_torture_message_cut_short(file: Path) -> None:
    data = file.read_bytes()
    for at in range(0, len(data), 17):
        do_everything(data[:at])


@pytest.mark.row("A02")
@given(st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    do_everything(data)


_NOISE = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)


@given(_NOISE, st.sampled_from([b"Via", b"To", b"From", b"Contact", b"CSeq", b"X"]))
def test_noise_in_a_header(noise: bytes, name: bytes) -> None:
    do_everything(GOOD.replace(b"\r\n\r\n", b"\r\n" + name + b": " + noise + b"\r\n\r\n", 1))
    do_everything(GOOD.replace(b"\r\n" + name + b": ", b"\r\n" + name + b": " + noise, 1))


GOOD = (
    b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport\r\n"
    b"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n\r\n"
)

# -- round trips ---

_CONTROLS = bytes([*range(9), *range(10, 32), 127])
_TOKEN = st.text(alphabet=string.ascii_letters + string.digits + "-.!%*_+`'~", min_size=1, max_size=12)
_VALUE = st.binary(max_size=30).map(
    lambda value: bytes(byte for byte in value if byte == 9 or (byte >= 32 and byte != 127))
)
_SPACE = st.sampled_from([b"", b" ", b"  ", b"\t", b" \t "])
_COMMON = st.sampled_from(
    [
        "Via",
        "v",
        "VIA",
        "From",
        "f",
        "To",
        "t",
        "Call-ID",
        "i",
        "CSeq",
        "Contact",
        "m",
        "Route",
        "Subject",
        "s",
        "Max-Forwards",
    ]
)


@st.composite
def header_lines(draw: st.DrawFn) -> list[bytes]:
    names = st.one_of(_COMMON, _TOKEN.filter(lambda name: name.lower() not in ("l", "content-length")))
    count = draw(st.integers(0, 8))
    return [draw(names).encode() + draw(_SPACE) + b":" + draw(_SPACE) + draw(_VALUE) for _ in range(count)]


@pytest.mark.conformance("RFC 3261 7.1", "RFC 3261 7.3.1")
@given(_TOKEN, header_lines(), st.binary(max_size=50))
def test_a_request_that_is_written_is_read_back(method: str, lines: list[bytes], body: bytes) -> None:
    start = method.encode() + b" sip:bob@example.com SIP/2.0"
    data = b"\r\n".join([start, *lines, b"Content-Length: %d" % len(body), b"", body])
    message = parse(data)
    assert isinstance(message, Request)
    assert message.write() == data
    assert message.copy().write() == data
    assert (message.method, message.lines[:-1], message.body) == (method, lines, body)


@pytest.mark.conformance("RFC 3261 7.2")
@given(st.integers(100, 699), st.text(max_size=20).filter(str.isprintable), header_lines(), st.binary(max_size=50))
def test_a_response_that_is_written_is_read_back(status: int, reason: str, lines: list[bytes], body: bytes) -> None:
    start = f"SIP/2.0 {status} {reason}".encode()
    message = parse(b"\r\n".join([start, *lines, b"", body]))
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.lines, message.body) == (status, reason, lines, body)
    again = parse(message.write())
    assert (again.names[:-1], again.lines[:-1], again.body) == (message.names, message.lines, body)


@pytest.mark.conformance("RFC 3261 7.3.1")
@settings(max_examples=50)
@given(header_lines(), _TOKEN, _VALUE.filter(lambda value: value == value.strip(b" \t")))
def test_a_header_that_is_set_is_read_back_and_leaves_the_others_alone(
    lines: list[bytes], name: str, value: bytes
) -> None:
    message = parse(b"\r\n".join([b"OPTIONS sip:a SIP/2.0", *lines, b"", b""]))
    key = "x-" + name.lower()
    others = [line for line, other in zip(message.lines, message.names, strict=True) if other != key]
    message.set(key, value)
    assert message.all(key) == [value]
    again = parse(message.write())
    assert again.all(key) == [value]
    assert [
        line for line, other in zip(again.lines, again.names, strict=True) if other not in (key, "content-length")
    ] == others


def test_the_good_request_is_good() -> None:
    message = parse(GOOD)
    assert isinstance(message, Request)
    check_request(message)
