"""Every property: what it reads, what setting it does to the message."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from routing.runtime import Destination
from routing.runtime.context import Outcome
from routing.runtime.properties import ATTRIBUTES, KEYED, NAMES, ROOTS, described
from sipcore.errors import Malformed, RingwayError
from sipcore.uri import Uri

Run = Callable[..., Any]

VALUES = {
    "request.method": "INVITE",
    "request.uri.user": "bob",
    "request.uri.domain": "example.com",
    "request.uri.host": "example.com",
    "request.uri.port": 5070,
    "request.uri.scheme": "sip",
    "request.uri.text": "sip:bob@example.com:5070;transport=tcp",
    'request.uri.parameter["transport"]': "tcp",
    'request.header["X-Account"]': "7",
    "request.user_agent": "Linphone/5.1",
    "request.call_id": "call-1@192.0.2.1",
    "request.max_forwards": 69,
    "request.body": "hello",
    "request.identity.user": "anonymous",
    "from.user": "alice",
    "from.domain": "example.com",
    "from.uri.domain": "example.com",
    "from.uri.text": "sip:alice@Example.COM",
    "from.display": "Alice A.",
    "from.tag": "a1",
    "to.user": "bob",
    "to.domain": "example.com",
    "to.display": "",
    "to.tag": "",
    "source.ip": "192.0.2.1",
    "source.port": 5062,
    "source.transport": "udp",
    "outcome.code": 0,
    "outcome.reason": "",
    "now": 0.0,
    "user": "",
}


@pytest.mark.parametrize("path", VALUES)
def test_reading(path: str, run: Run, recorder: Any) -> None:
    run(f"on request {{ note_down({path}) drop() }}")
    assert recorder.calls == [("note_down", VALUES[path])]


def test_every_property_is_read_above() -> None:
    read = {re.sub(r"\[.*", "", path) for path in VALUES}
    whole = {"outcome.header", "outcome.contacts", "outcome.attempts", "outcome.best"} | {
        "request",
        "request.identity",
        "from",
        "to",
        "source",
        "outcome",
        "request.uri",
        "request.header",
        "request.sdp",
        "from.uri",
        "to.uri",
    }
    assert {path for path, _ in described()} <= read | whole


def test_what_is_true_later_in_a_request(run: Run, new_context: Any, recorder: Any) -> None:
    context = new_context()
    context.user = "alice@example.com"
    context.outcome = Outcome(486, "Busy Here")
    run("on request { note_down(user, outcome.code, outcome.reason) drop() }", context)
    assert recorder.calls == [("note_down", "alice@example.com", 486, "Busy Here")]


def test_lists_and_destinations(run: Run, recorder: Any) -> None:
    recorder.answers["lookup"] = [Destination(Uri("sip", "", "a.example.com"), 0.5)]
    run(
        "on request { let found = lookup(to.uri) note_down(found.empty, found.count)"
        " for one in found { note_down(one.q) } drop() }"
    )
    assert recorder.calls[1:] == [("note_down", False, 1), ("note_down", 0.5)]


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 3261 19.1.2")
def test_escapes_are_undone_once(run: Run, new_context: Any, recorder: Any) -> None:
    context = new_context(b"OPTIONS sip:%30900%2540@h SIP/2.0\nVia: SIP/2.0/UDP h\nTo: <sip:b%6Fb@h>\n\n")
    run("on request { note_down(request.uri.user, to.user, request.max_forwards) drop() }", context)
    assert recorder.calls == [("note_down", "0900%40", "bob", 70)]


@pytest.mark.row("B29")
def test_bytes_that_are_no_text_survive(run: Run, new_context: Any) -> None:
    context = new_context(b"OPTIONS sip:h SIP/2.0\nVia: SIP/2.0/UDP h\nX-A: caf\xe9\n\n")
    run('on request { request.header["X-B"] = request.header["X-A"] drop() }', context)
    assert context.request.get("x-b") == b"caf\xe9"


@pytest.mark.parametrize(
    ("statement", "uri"),
    [
        ('request.uri = "sip:carol@example.org"', "sip:carol@example.org"),
        ("request.uri = to.uri", "sip:bob@example.com"),
        ('request.uri = request.header["X-Uri"]', "sip:dave@example.net"),
        ('request.uri.user = "carol"', "sip:carol@example.com:5070;transport=tcp"),
        ('request.uri.user = "a b@c:\\"%"', "sip:a%20b%40c%3A%22%25@example.com:5070;transport=tcp"),
        ('request.uri.user = "+44;x"', "sip:+44;x@example.com:5070;transport=tcp"),
        ('request.uri.user = ""', "sip:example.com:5070;transport=tcp"),
        ('request.uri.domain = "Example.NET"', "sip:bob@example.net:5070;transport=tcp"),
        ('request.uri.host = "2001:db8::1"', "sip:bob@[2001:db8::1]:5070;transport=tcp"),
        ("request.uri.port = 5080", "sip:bob@example.com:5080;transport=tcp"),
        ("request.uri.port = 0", "sip:bob@example.com;transport=tcp"),
        ('request.uri.parameter["transport"] = "udp"', "sip:bob@example.com:5070;transport=udp"),
        ('request.uri.parameter["X-a"] = "1 2"', "sip:bob@example.com:5070;transport=tcp;x-a=1%202"),
        ('request.uri.parameter["lr"] = ""', "sip:bob@example.com:5070;transport=tcp;lr"),
    ],
)
def test_setting_the_request_uri_is_read_back(
    statement: str, uri: str, run: Run, new_context: Any, recorder: Any
) -> None:
    context = new_context()
    context.request.append("x-uri", b"sip:dave@example.net")
    run(f"on request {{ {statement} note_down(request.uri.text) drop() }}", context)
    assert recorder.calls == [("note_down", uri)]
    assert context.request.uri_text == uri


def test_setting_a_header_replaces_all_its_lines(run: Run, new_context: Any, recorder: Any) -> None:
    context = new_context()
    context.request.append("x-account", b"8")
    run('on request { request.header["x-Account"] = "9" note_down(request.header["X-Account"]) drop() }', context)
    assert recorder.calls == [("note_down", "9")]
    assert context.request.all("x-account") == [b"9"]


@pytest.mark.row("A20", "B30")
@pytest.mark.parametrize(
    "statement",
    [
        'request.header["X"] = request.uri.user',
        "request.uri.domain = request.uri.user",
        "request.uri = request.uri.user",
        "reply(404, request.uri.user)",
    ],
)
@pytest.mark.parametrize("user", [b"a%0d%0aX-Admin:%20yes", b"a%0aX:%20y", b"a%00b", b"a%0Db", b"%7f"])
def test_a_sender_cannot_smuggle_a_line_in(statement: str, user: bytes, run: Run, new_context: Any) -> None:
    context = new_context(b"INVITE sip:" + user + b"@h SIP/2.0\nVia: SIP/2.0/UDP h\nTo: <sip:b@h>\n\n")
    before = context.request.write()
    with pytest.raises(Malformed):
        run(
            f"on request {{ {statement} drop() }}" if "reply" not in statement else f"on request {{ {statement} }}",
            context,
        )
    assert context.request.write() == before
    assert context.transaction.responses == []


def test_a_user_with_control_characters_is_escaped_in_a_uri(run: Run, new_context: Any) -> None:
    context = new_context(b"INVITE sip:a%0d%0ab@h SIP/2.0\nVia: SIP/2.0/UDP h\n\n")
    run("on request { request.uri.user = request.uri.user drop() }", context)
    assert context.request.uri_text == "sip:a%0D%0Ab@h"


@pytest.mark.parametrize("part", ['user = "x"', 'domain = "x"', "port = 3", 'parameter["x"] = "y"'])
def test_parts_of_a_tel_uri_cannot_be_set(part: str, run: Run, new_context: Any) -> None:
    context = new_context(b"INVITE tel:+44 SIP/2.0\nVia: SIP/2.0/UDP h\n\n")
    with pytest.raises(RingwayError, match="parts of a tel URI can't be set"):
        run(f"on request {{ request.uri.{part} drop() }}", context)


def test_every_property_has_a_sentence_and_uses_known_names() -> None:
    rows = [*ROOTS.values(), *(row for rows in ATTRIBUTES.values() for row in rows.values())]
    for row in rows:
        assert row.summary.endswith("."), row.name
        assert not (row.write and row.replace), row.name
    known = set(NAMES) | {"it", "value", "key", "context", "not"}
    for text in [*(row.read + " " + row.write + " " + row.replace for row in rows)]:
        assert set(re.findall(r"(?<![.\w'-])[a-z_]+(?![\w'-])", text)) <= known, text
    assert all(keyed.read and keyed.contains for keyed in KEYED.values())
