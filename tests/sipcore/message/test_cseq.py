from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.message.cseq import parse_cseq


@pytest.mark.conformance("RFC 3261 20.16")
@pytest.mark.parametrize(
    ("value", "number", "method"),
    [
        (b"1 INVITE", 1, "INVITE"),
        (b"0009 \t INVITE", 9, "INVITE"),
        (b"0 ACK", 0, "ACK"),
        (b"2147483647 OPTIONS", 2**31 - 1, "OPTIONS"),
        (b"7 " + b"M" * 200, 7, "M" * 200),
    ],
)
def test_cseq(value: bytes, number: int, method: str) -> None:
    assert parse_cseq(value) == (number, method)


@pytest.mark.row("B16")
@pytest.mark.conformance("RFC 3261 8.1.1.5", "RFC 3261 20.16")
@pytest.mark.parametrize(
    "value",
    [
        b"", b"1", b"INVITE", b"1INVITE", b"x INVITE", b"-1 INVITE", b"+1 INVITE", b"1 ", b"1 INV ITE", b"1 INVITE x",
        b"1.0 INVITE",
        b"2147483648 INVITE", b"4294967296 INVITE", b"36893488147419103232 INVITE", b"1" + b"0" * 30 + b" INVITE",
        b"9" * 6000 + b" INVITE",
        "٥ INVITE".encode(), b"1\x0bINVITE", b"1\xa0INVITE", b"1 INV\xffTE", b"1_0 INVITE",
    ],
)  # fmt: skip
def test_broken_cseq(value: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        parse_cseq(value)
    assert raised.value.status == 400
