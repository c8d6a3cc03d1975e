"""What leaves us is read by Kamailio as we meant it: as many messages, and the same values (rows A03-A13, B09-B12).

Two elements that read one stream of bytes differently let somebody smuggle a request or a header past the first one.
"""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sipp_runner.server import Server

from tests.servers.kamailio_reader import Read, Reader

pytestmark = pytest.mark.program("kamailio")
ROUTE = Path(__file__).with_name("smuggling.route")
SMUGGLED = (
    b"INVITE sip:smuggled@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKsmuggled\r\n"
    b"From: <sip:s@example.com>;tag=s\r\nTo: <sip:s@example.com>\r\nCall-ID: smuggled\r\nCSeq: 1 INVITE\r\n"
    b"Max-Forwards: 70\r\nX-Internal: smuggled\r\nContent-Length: 0\r\n\r\n"
)
_numbers = itertools.count(1)


class Middle:
    """A Ringway with Kamailio behind it, and a client in front. `by` is how the request goes on: udp or tcp."""

    def __init__(self, folder: Path) -> None:
        (folder / "kamailio").mkdir()
        self.reader = Reader(folder / "kamailio")
        route = folder / "smuggling.route"
        route.write_text(ROUTE.read_text("utf-8").replace("BEHIND", str(self.reader.port)))
        (folder / "ringway").mkdir()
        self.server = Server(folder / "ringway", route=route)
        self.server.add_users([])
        self.server.start()

    def stop(self) -> None:
        self.server.stop()
        self.reader.stop()

    def connect(self, transport: str) -> socket.socket:
        """A socket of a new client."""
        if transport == "udp":
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            client.connect((self.server.host, self.server.port))
        else:
            client = socket.create_connection((self.server.host, self.server.port))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(5.0)
        return client

    def send(self, transport: str, by: str, *pieces: bytes, answers: int = 1) -> tuple[list[int], list[Read]]:
        """Send pieces, as datagrams or on one connection: the statuses that came back, and what Kamailio read.

        When `answers` of them have come, a last good message goes the same way: what comes of the others is older.
        """
        with self.connect(transport) as client:
            for piece in pieces:
                client.sendall(piece)
            answered = read_until(client, answers)
            with self.connect(transport) as other:
                other.sendall(message(by=by, name=b"last"))
                assert statuses(read_until(other, 1)) == [200]
            answered += read_rest(client, transport)
        read = self.reader.new()
        assert read[-1].call_id.startswith(b"last-")
        return statuses(answered), read[:-1]


def read_until(client: socket.socket, answers: int) -> bytes:
    """Read until so many responses have come."""
    data = b""
    while data.count(b"\r\n\r\n") < answers and (more := client.recv(65_536)):
        data += more
    return data


def read_rest(client: socket.socket, transport: str) -> bytes:
    """What else has come meanwhile, and whether the connection was closed."""
    data = b""
    client.settimeout(0.05)
    try:
        while more := client.recv(65_536):
            data += more
    except TimeoutError:
        return data
    return data + (b"closed" if transport == "tcp" else b"")


def statuses(data: bytes) -> list[int]:
    """The statuses of responses; 0 at the end: the connection was closed."""
    found = [int(status) for status in re.findall(rb"SIP/2\.0 ([1-6][0-9][0-9]) ", data)]
    return found + [0] * data.endswith(b"closed")


def message(
    *lines: bytes, by: str = "udp", body: bytes = b"", length: bytes | None = None, name: bytes = b"m", user: str = "b",
    from_: bytes = b"<sip:a@example.org>",
) -> bytes:  # fmt: skip
    """A MESSAGE with these header lines; `length` is the whole Content-Length line, by default the right one."""
    number = next(_numbers)
    if length is None:
        length = b"Content-Length: %d" % len(body)
    head = [
        f"MESSAGE sip:{user}@example.com;by={by} SIP/2.0".encode(),
        b"Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK%b%d;rport" % (name, number),
        b"From: %b;tag=%d" % (from_, number),
        b"To: <sip:b@example.com>",
        b"Call-ID: %b-%d" % (name, number),
        b"CSeq: 1 MESSAGE",
        b"Max-Forwards: 70",
        *(line for line in lines if line),
        *([length] if length else []),
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def middle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Middle]:
    made = Middle(tmp_path_factory.mktemp("smuggling"))
    yield made
    made.stop()
    assert " error " not in made.server.printed(), made.server.printed()[:5000]


WAYS = [("udp", "udp"), ("udp", "tcp"), ("tcp", "udp"), ("tcp", "tcp")]
ways = pytest.mark.parametrize(("transport", "by"), WAYS, ids=lambda way: way)

# -- where a message ends ---------------------------------------------------------------------------------------------


@pytest.mark.row("A03")
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_a_datagram_shorter_than_it_says(middle: Middle, by: str) -> None:
    assert middle.send("udp", by, message(by=by, body=b"short", length=b"Content-Length: 6")) == ([400], [])


@pytest.mark.row("A04")
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_a_tail_behind_the_body_of_a_datagram(middle: Middle, by: str) -> None:
    data = message(by=by, body=b"hello", length=b"Content-Length: 5") + SMUGGLED
    answered, read = middle.send("udp", by, data)
    assert answered == [200]
    assert [(one.method, one.length, one.body) for one in read] == [("MESSAGE", b"5", b"hello")]


@pytest.mark.row("A05")
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_no_length(middle: Middle, by: str) -> None:
    answered, read = middle.send("udp", by, message(by=by, body=b"to the end", length=b""))
    assert answered == [200]
    assert [(one.length, one.body) for one in read] == [(b"10", b"to the end")]
    assert middle.send("tcp", by, message(by=by, length=b"") + SMUGGLED) == ([400, 0], [])


NO_LENGTHS = [
    b"-1", b"+5", b"0x5", b"5 5", b"5;a", b"5,5", b"five", b"", b"1e3", "٥".encode(), b"5\x0b", b"\xa05", b'"5"',
    b"5.0", b"4294967301", b"9223372036854775807", b"18446744073709551621", b"0" * 4999 + b"5",
]  # fmt: skip


@pytest.mark.row("A06", "A08")
@pytest.mark.parametrize("value", NO_LENGTHS, ids=lambda value: ascii(value)[2:30])
@ways
def test_lengths_that_are_none(middle: Middle, transport: str, by: str, value: bytes) -> None:
    """Each is 5 to somebody; what stands behind the five bytes must not become a message."""
    data = message(by=by, body=b"hello", length=b"Content-Length: " + value) + SMUGGLED
    answered, read = middle.send(transport, by, data)
    assert read == []
    assert answered[0] in (400, 513)
    assert answered[1:] == ([0] if transport == "tcp" else [])


TWO_LENGTHS = [
    (b"Content-Length: 5", b"Content-Length: 5"), (b"Content-Length: 5", b"Content-Length: 0"),
    (b"Content-Length: 0", b"Content-Length: 5"), (b"l: 0", b"Content-Length: 300"), (b"Content-Length: 5", b"L: 0"),
    (b"Content-Length: 5", b"CONTENT-LENGTH : 0"), (b"Content-Length: 5", b"content-length\t:\r\n 0"),
]  # fmt: skip


@pytest.mark.row("A07", "A10")
@pytest.mark.parametrize("lines", TWO_LENGTHS, ids=lambda lines: b" and ".join(lines).decode().replace("\r\n", ""))
@ways
def test_two_lengths(middle: Middle, transport: str, by: str, lines: tuple[bytes, bytes]) -> None:
    data = message(lines[0], by=by, body=b"hello", length=lines[1]) + SMUGGLED
    answered, read = middle.send(transport, by, data)
    assert read == []
    assert answered == ([400, 0] if transport == "tcp" else [400])


@pytest.mark.row("A09")
def test_a_length_of_4_gigabytes_is_refused_when_it_is_read(middle: Middle) -> None:
    answered, read = middle.send("tcp", "udp", message(length=b"Content-Length: 4294967295"))
    assert answered[0] in (400, 513) and answered[-1] == 0
    assert read == []


LENGTHS = [b"Content-Length \t:  5", b"Content-Length:\r\n 5", b"l:05", b"L : 5", b"cOnTeNt-LeNgTh: 0000000005\t "]


@pytest.mark.row("A11")
@pytest.mark.parametrize("length", LENGTHS, ids=ascii)
@ways
def test_spellings_of_a_length(middle: Middle, transport: str, by: str, length: bytes) -> None:
    data = message(by=by, body=b"hello", length=length) + message(by=by, name=b"second")
    answered, read = middle.send(transport, by, data, answers=2 if transport == "tcp" else 1)
    assert [(int(one.length), one.body) for one in read] == [(5, b"hello"), (0, b"")][: len(answered)]
    assert answered == ([200] if transport == "udp" else [200, 200])


@pytest.mark.row("A12")
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_a_message_in_two_pieces_wherever_it_is_cut(middle: Middle, by: str) -> None:
    data = message(b"X-Kept: a:b\r\n c", by=by, body=b"v=0\r\n\r\nx")
    with middle.connect("tcp") as client:
        for at in range(1, len(data)):
            # Another branch each time, of the same length: a repeated one would be a retransmission.
            one = data.replace(b"z9hG4bKm", b"z9hG4bK%c%c" % (65 + at // 26, 65 + at % 26))
            client.sendall(one[:at])
            client.sendall(one[at:])
            assert statuses(read_until(client, 1)) == [200]
    read = middle.reader.new()
    assert len(read) == len(data) - 1
    assert {(one.body, one.length, *one.all(b"X-Kept")) for one in read} == {(b"v=0\r\n\r\nx", b"8", b"a:b c")}


@pytest.mark.row("A12")
def test_a_message_byte_by_byte(middle: Middle) -> None:
    data = message(body=b"hello")
    answered, read = middle.send("tcp", "udp", *(data[at : at + 1] for at in range(len(data))))
    assert (answered, [one.body for one in read]) == ([200], [b"hello"])


@pytest.mark.row("A13")
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_many_in_one_segment_with_a_bad_header_among_them(middle: Middle, by: str) -> None:
    many = [message(by=by, body=b"%d" % number) for number in range(100)]
    many[50] = many[50].replace(b"CSeq: 1", b"CSeq: one")
    answered, read = middle.send("tcp", by, b"".join(many), answers=100)
    assert sorted(answered) == [200] * 99 + [400]
    assert [one.body for one in read] == [b"%d" % number for number in range(100) if number != 50]


@pytest.mark.row("A13")
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_many_in_one_segment_with_a_bad_length_among_them(middle: Middle, by: str) -> None:
    """Where the next one begins is not known any more: nothing behind it is read."""
    many = [message(by=by, body=b"%d" % number) for number in range(100)]
    many[50] = many[50].replace(b"Content-Length: 2", b"Content-Length: 2 2")
    answered, read = middle.send("tcp", by, b"".join(many))
    assert [one.body for one in read] == [b"%d" % number for number in range(50)]
    assert sorted(answered) == [0, *[200] * answered.count(200), 400]


# -- which headers there are ------------------------------------------------------------------------------------------

SPELLINGS = [
    b"X-Internal: 1", b"X-Internal : 1", b"X-Internal\t: 1", b"X-Internal \t : 1", b"x-internal:1", b"X-INTERNAL: 1",
    b"X-Internal:\r\n 1", b"X-Internal :\r\n\t1", b"X-Internal: a, b", b"X-Internal: 1\r\nX-internal: 2",
    b"X-Internal:", b"X-Internal: \r\n \r\n 1", b"X-Other: 1\r\nX-Internal: 2",
]  # fmt: skip


@pytest.mark.row("B09", "B11")
@pytest.mark.conformance("RFC 3261 7.3.1")
@pytest.mark.parametrize("lines", SPELLINGS, ids=ascii)
@ways
def test_a_header_that_is_taken_off(middle: Middle, transport: str, by: str, lines: bytes) -> None:
    answered, read = middle.send(transport, by, message(lines, b"X-Kept: 1", by=by))
    assert answered == [200]
    (one,) = read
    assert one.all(b"X-Internal") == [] and one.all(b"X-Kept") == [b"1"]


@pytest.mark.row("B11")
@pytest.mark.conformance("RFC 3261 7.3.3")
@pytest.mark.parametrize(
    "lines", [b"s: 1", b"S : 1", b"Subject: 1\r\ns: 2", b"sUBJECT:\r\n 1", b"s\t:\r\n\t1"], ids=ascii
)
@ways
def test_a_header_with_a_compact_form_that_is_taken_off(middle: Middle, transport: str, by: str, lines: bytes) -> None:
    answered, read = middle.send(transport, by, message(lines, by=by))
    assert answered == [200]
    (one,) = read
    assert one.all(b"Subject") == [] and one.all(b"s") == []


IDENTITIES = [
    b"P-Asserted-Identity: <sip:boss@example.com>", b"p-asserted-identity : <tel:+44>, <sip:x@example.com>",
    b"P-Preferred-Identity: <sip:boss@example.com>", b"P-Charging-Vector:\r\n icid-value=1",
    b"P-Charging-Function-Addresses: ccf=192.0.2.1", b"Remote-Party-ID: <sip:boss@example.com>;party=calling",
    b"REMOTE-PARTY-ID\t: x", b"Diversion: <sip:boss@example.com>;reason=unconditional",
    b"History-Info: <sip:a@example.com>;index=1,\r\n <sip:b@example.com>;index=1.1",
    b"history-info\t:\r\n\t<sip:a@example.com>;index=1",
]  # fmt: skip


@pytest.mark.row("D27")
@pytest.mark.parametrize("line", IDENTITIES, ids=lambda line: line.partition(b":")[0].decode())
@ways
def test_what_a_stranger_says_about_himself_is_taken_off(middle: Middle, transport: str, by: str, line: bytes) -> None:
    answered, read = middle.send(transport, by, message(line, b"Privacy: id", by=by))
    assert answered == [200]
    (one,) = read
    stripped = line.partition(b":")[0].strip(b" \t").lower()
    assert [name for name, _ in one.headers if name.lower() == stripped] == []
    assert one.all(b"Privacy") == [b"id"]


NO_NAMES = [
    b"Contact\x01: <sip:x@192.0.2.66>", b"To\x0b: <sip:x@example.com>", b"From\xa0: <sip:x@example.com>;tag=x",
    b"X-Internal\x00: 1", b"X-Internal\x0c: 1", b"X Internal: 1", b"X-Internal\xc2\xa0: 1", b": X-Internal: 1",
    b"X-Internal", b"\xefX-Internal: 1", b"X-Internal(: 1",
]  # fmt: skip


@pytest.mark.row("B10", "A21")
@pytest.mark.parametrize("line", NO_NAMES, ids=ascii)
@ways
def test_what_is_no_header_name(middle: Middle, transport: str, by: str, line: bytes) -> None:
    answered, read = middle.send(transport, by, message(line, by=by))
    assert (answered[:1], read) == ([400], [])


@pytest.mark.row("A20", "A21")
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\0", b"\n\n", b"\r\r\n", b"\n\r\n", b"\x0b", b"\x0c"], ids=ascii)
@ways
def test_a_line_end_that_is_none_hides_no_header(middle: Middle, transport: str, by: str, end: bytes) -> None:
    answered, read = middle.send(transport, by, message(b"X-Kept: 1" + end + b"X-Internal: 2", by=by))
    assert answered[0] == 400
    assert read == []


FOLDED = [
    (b"X-Kept: one\r\n two", [b"one two"]), (b"X-Kept: one\r\n \r\n\t two", [b"one two"]),
    (b"X-Kept:\r\n one", [b"one"]),
    (b"X-Kept: one\t\r\n\t two", [b"one\t two"]), (b"X-Kept: one\r\n X-Internal: 2", [b"one X-Internal: 2"]),
    (b"X-Kept: one\r\nX-Kept: two,\r\n three", [b"one", b"two, three"]), (b"X-Kept: \r\n \r\n ", [b""]),
]  # fmt: skip


@pytest.mark.row("B12")
@pytest.mark.conformance("RFC 3261 7.3.1")
@pytest.mark.parametrize(("lines", "values"), FOLDED, ids=ascii)
@ways
def test_a_folded_line_goes_on_as_one(
    middle: Middle, transport: str, by: str, lines: bytes, values: list[bytes]
) -> None:
    answered, read = middle.send(transport, by, message(lines, by=by))
    assert answered == [200]
    (one,) = read
    assert one.all(b"X-Kept") == values and one.all(b"X-Internal") == []


VALUES = [
    b"X-Kept: \"a\\\"b\", 'c' ;x=\"y,z\"", b"X-Kept: \xc3\xa9\xff\xfe", b"X-Kept: %0d%0aX-Internal: 1",
    b"X-Kept: a:b:c",
    b'X-Kept: "\\\x01\\\x00"', b"Contact: <sip:x@192.0.2.66?X-Internal=1&Route=%3Csip:192.0.2.66%3E>",
    b"Accept:", b"User-Agent: (a (b) \\) c)", b"Warning: 399 x \"\\\"\"",
]  # fmt: skip


@pytest.mark.row("B29", "B32", "B36")
@pytest.mark.parametrize("line", VALUES, ids=ascii)
@ways
def test_a_value_that_nobody_touched_is_as_it_was(middle: Middle, transport: str, by: str, line: bytes) -> None:
    body = b"\r\nX-Internal: 1\r\n\r\nINVITE x\0\xff"
    answered, read = middle.send(transport, by, message(line, by=by, body=body))
    assert answered == [200]
    (one,) = read
    name, _, value = line.partition(b":")
    assert one.all(name) == [value.strip(b" \t")]
    assert one.body == body
    assert one.all(b"X-Internal") == [] and one.all(b"Route") == []


@pytest.mark.row("B30")
@pytest.mark.parametrize(
    "user", [b"%0d%0aX-Internal%3a%201", b"%0aX-Internal:%201", b"%00", b"a%0d%0a%0d%0aINVITE"], ids=ascii
)
@ways
def test_what_a_user_name_hides_does_not_become_a_header(middle: Middle, transport: str, by: str, user: bytes) -> None:
    """The route copies the user of From, its escapes undone, into a header."""
    data = message(by=by, user="edit", from_=b"<sip:" + user + b"@example.org>")
    answered, read = middle.send(transport, by, data)
    assert (answered, read) == ([400], [])


@pytest.mark.row("B30")
@ways
def test_an_escaped_user_name_can_be_copied_into_a_header(middle: Middle, transport: str, by: str) -> None:
    data = message(by=by, user="edit", from_=b"<sip:%c3%a9%22%3a,%3b@example.org>")
    answered, read = middle.send(transport, by, data)
    assert answered == [200]
    assert read[0].all(b"X-Caller") == ['é":,;'.encode()]
