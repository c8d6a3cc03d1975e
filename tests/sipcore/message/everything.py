"""Does with bytes from the network all that this package can do with them."""

from __future__ import annotations

from collections.abc import Callable

from sipcore.errors import Malformed
from sipcore.message import (
    DEFAULT_LIMITS,
    Limits,
    Message,
    Request,
    answer_malformed,
    check_request,
    check_response,
    mark_source,
    parse,
    parse_contacts,
    parse_expires,
    parse_name_addr,
    parse_via,
    response_target,
)
from sipcore.message.framing import BadMessage, Broken, StreamFraming, whole_message
from sipcore.uri import equivalent

SOURCE = ("192.0.2.9", 40000)


def attempt(call: Callable[[], object]) -> Malformed | None:
    """Run something that may find its input malformed, and may not fail in any other way."""
    try:
        call()
    except Malformed as malformed:
        assert 400 <= malformed.status < 600
        assert malformed.reason.isascii()
        assert malformed.reason.isprintable()
        return malformed
    return None


def do_everything(data: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """As a datagram, as a stream and as a message that stands alone: parse, read, check, mark, answer, write."""
    malformed = attempt(lambda: take(parse(data, limits), limits))
    answer(data, malformed or Malformed("Something else"), limits)
    for frame in (*StreamFraming(limits).feed(data), whole_message(data, limits)):
        if isinstance(frame, Message):
            attempt(lambda message=frame: take(message, limits))  # type: ignore[misc]
        elif isinstance(frame, BadMessage | Broken):
            answer(frame.head, frame.malformed, limits)


def take(message: Message, limits: Limits) -> None:
    """Read every header in every way, then check; what passes must be readable and must survive being written."""
    for name in sorted(set(message.names))[:30]:
        attempt(lambda name=name: message.elements(name))  # type: ignore[misc]
    for value in message.all("from") + message.all("to") + message.all("contact"):
        attempt(lambda value=value: read_address(value))  # type: ignore[misc]
    attempt(lambda: [parse_via(value) for value in message.elements("via")])
    attempt(lambda: parse_contacts(message))
    parse_expires(message.get("expires") or b"")
    if isinstance(message, Request):
        attempt(lambda: equivalent(message.uri, message.uri))
        check_request(message, limits)
        use(message, limits)
    else:
        check_response(message)  # type: ignore[arg-type]
        message.copy().pop_via()  # type: ignore[attr-defined]


def read_address(value: bytes) -> None:
    address = parse_name_addr(value)
    assert isinstance(address.tag, str)
    assert equivalent(address.uri, address.uri)
    address.uri.address_of_record()


def use(request: Request, limits: Limits) -> None:
    """What passed the checks can be used without a second look."""
    _ = request.uri, request.cseq, request.from_.uri, request.to.uri, request.call_id
    mark_source(request, SOURCE)
    host, port = response_target(request.via, "udp")
    assert host in (SOURCE[0], request.via.host, "")
    assert 0 < port < 65536
    again = parse(request.write(), limits)
    assert isinstance(again, Request)
    check_request(again, limits)
    assert (again.method, again.uri_text, again.body) == (request.method, request.uri_text, request.body)
    assert again.lines[: len(request.lines)] == request.lines
    response = parse(request.response(404, to_tag="ours").write(), limits)
    check_response(response)  # type: ignore[arg-type]
    assert response.to.tag
    request.pop_via()


def answer(data: bytes, malformed: Malformed, limits: Limits) -> None:
    answered = answer_malformed(data, malformed, SOURCE, "ours")
    if answered is None:
        return
    response = parse(answered, limits)
    assert response_target(response.via, "udp")[0] == SOURCE[0] or not response.via.received
    assert response.write() == answered
    if "from" in response.names:
        _ = response.from_.uri
    if "to" in response.names:
        _ = response.to.uri
