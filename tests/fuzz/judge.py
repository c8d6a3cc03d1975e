"""Looks at what left the stack because of one step: is it SIP, and is it no more than there may be?"""

from __future__ import annotations

from sipcore.errors import Malformed
from sipcore.flow import Flow
from sipcore.message import Limits, Message, Request, Response, check_request, check_response, parse

MOST_BRANCHES = 16
OURS = frozenset(
    {
        "content-length", "max-breadth", "max-forwards", "record-route", "route", "via",  # RFC 3261 section 16.6
        "x-caller", "x-copied",  # edits.route
    }
)  # fmt: skip
"""Headers of a forwarded request that are not as they came."""
ROOMY = Limits(message=1 << 20, head=1 << 20, line=1 << 20, uri=1 << 20, headers=1000, vias=1000, routes=1000)
"""What the next hop would bear: we may be the hop that adds the last header."""


class Judge:
    """Counts what is sent because of `data`, which came by `flow`."""

    def __init__(self, data: bytes, flow: Flow | None) -> None:
        self._flow = flow
        self._responses = 0
        self._requests = 0
        self._bytes_back = 0
        self._data = data
        self._incoming = None if flow is None or flow.reliable else _sound(data)
        self._sound = flow is None or self._incoming is not None
        self._messages = 1 if flow is None or not flow.reliable else 1 + data.count(b"\r\n\r\n") + data.count(b"\n\r\n")

    @classmethod
    def of_nothing(cls) -> Judge:
        """What timers, lost flows and slow answers send: read, and not counted."""
        return cls(b"", None)

    def sent(self, flow: Flow, data: bytes) -> Message | None:
        """Something was sent: every element behind us must be able to read it. None for a keep-alive."""
        if flow.reliable and data == b"\r\n":
            return None
        try:
            message = parse(data, ROOMY)
            if isinstance(message, Request):
                check_request(message, ROOMY)
                self._requests += 1
                self._compare(message)
            elif self._sound:  # the answer to a broken request repeats what its client knows it by
                check_response(message)
        except Malformed as malformed:
            raise AssertionError(f"we sent what we refuse ({malformed}): {data!r}") from None
        assert message.write() == data, f"read back as {message.write()!r}: {data!r}"
        if isinstance(message, Response):
            self._responses += 1
            self._bytes_back += len(data) if flow is self._flow else 0
        return message

    def _compare(self, forwarded: Request) -> None:
        """What nobody touched is as it came, and what the route took off is gone."""
        incoming = self._incoming
        if not isinstance(incoming, Request) or forwarded.method != incoming.method or incoming.method == "CANCEL":
            return
        assert forwarded.body == incoming.body
        came = set(incoming.lines)
        lines = zip(forwarded.names, forwarded.lines, strict=True)
        added = [line for name, line in lines if name not in OURS and line not in came]
        assert not added, f"{added} did not come with {self._data!r}"
        if incoming.method != "ACK" and not incoming.to.tag:
            left = [name for name in forwarded.names if name == "x-internal" or name.startswith("p-")]
            assert not left, f"{left} should have been taken off {self._data!r}"

    def verdict(self) -> None:
        """Fail when too much was sent: one answer to a message, and a request to each branch at most."""
        if self._flow is None:
            return
        # The answer to a CANCEL comes with the one to its INVITE; the answer of a branch may cancel all others.
        assert self._responses <= 2 * self._messages, f"{self._responses} responses to {self._data!r}"
        assert self._requests <= (MOST_BRANCHES + 1) * self._messages, f"{self._requests} requests for {self._data!r}"
        if not self._flow.reliable and self._responses:
            # Whoever forges a source must not gain by it (RFC 3261 section 26.1.5 and its like).
            assert self._bytes_back <= 3 * len(self._data), f"{self._bytes_back} bytes back for {self._data!r}"


def _sound(data: bytes) -> Message | None:
    try:
        message = parse(data)
        if isinstance(message, Request):
            check_request(message)
    except Malformed:
        return None
    return message
