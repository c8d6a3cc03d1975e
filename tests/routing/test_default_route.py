"""The route file that comes with Ringway: what it does with each kind of request, with the real modules' functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import routing.program
from modules.auth.module import Auth
from modules.proxy.module import Proxy
from modules.registrar.module import Registrar
from routing.runtime import Context, Destination, Domains
from routing.runtime.builtins import Builtins
from routing.runtime.context import Outcome
from routing.runtime.loader import check_routes, load_routes
from sipcore.uri import Uri

FILE = Path(routing.program.__file__).parent / "data" / "main.route"
OURS = {"domains": Domains(("example.com",), lambda host: host == "192.0.2.9")}
BOB = [Destination(Uri("sip", "bob", "192.0.2.7")), Destination(Uri("sip", "bob", "192.0.2.8"))]

PASS, CHALLENGE = False, True
"""What `authenticate` may say."""


def test_it_is_right_with_the_functions_of_the_real_modules() -> None:
    assert check_routes(FILE, [Builtins, Auth, Registrar, Proxy], OURS) == []


def test_it_is_short_and_says_what_it_does() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    assert len(lines) < 40
    assert sum("#" in line for line in lines) >= 8


def request(method: str, uri: str, caller: str, callee: str) -> bytes:
    return (
        f"{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nFrom: <{caller}>;tag=1\n"
        f"To: <{callee}>\nCall-ID: 1\nCSeq: 1 {method}\n\n"
    ).encode()


def run(recorder: Any, context: Context) -> tuple[list[str], list[int]]:
    """The functions that were called, and the statuses that were sent."""
    routes = load_routes(FILE, [Builtins(context.platform), recorder], OURS)
    try:
        routes.run(context).send(None)
    except StopIteration as end:
        assert end.value is True
    answered = [response.status for response in context.transaction.responses]  # type: ignore[attr-defined]
    return [call[0] for call in recorder.calls], answered


ALICE, STRANGER = "sip:alice@example.com", "sip:eve@elsewhere.net"


@pytest.mark.parametrize(
    ("method", "uri", "caller", "authenticate", "called", "answered"),
    [
        # registration
        ("REGISTER", "sip:example.com", ALICE, PASS, ["authenticate", "save"], []),
        ("REGISTER", "sip:example.com", ALICE, CHALLENGE, ["authenticate"], []),
        ("REGISTER", "sip:192.0.2.9", "sip:alice@192.0.2.9", PASS, ["authenticate", "save"], []),
        ("REGISTER", "sip:elsewhere.net", ALICE, PASS, [], [403]),
        # is the server alive?
        ("OPTIONS", "sip:example.com", STRANGER, CHALLENGE, [], [200]),
        ("OPTIONS", "sip:192.0.2.9:5060", "sip:ping@192.0.2.9", CHALLENGE, [], [200]),
        # our users call each other
        ("INVITE", "sip:bob@example.com", ALICE, PASS, ["authenticate", "lookup", "ring"], [486]),
        ("INVITE", "sip:bob@EXAMPLE.com.", ALICE, PASS, ["authenticate", "lookup", "ring"], [486]),
        ("MESSAGE", "sip:bob@192.0.2.9", ALICE, PASS, ["authenticate", "lookup", "ring"], [486]),
        ("INVITE", "sip:bob@example.com", ALICE, CHALLENGE, ["authenticate"], []),
        # our users call others
        ("INVITE", "sip:carol@elsewhere.net", ALICE, PASS, ["authenticate", "relay"], []),
        ("INVITE", "sip:carol@elsewhere.net", ALICE, CHALLENGE, ["authenticate"], []),
        # strangers call our users, and nobody else
        ("INVITE", "sip:bob@example.com", STRANGER, CHALLENGE, ["lookup", "ring"], [486]),
        ("INVITE", "sip:carol@other.net", STRANGER, PASS, [], [403]),
        ("OPTIONS", "sip:other.net", STRANGER, PASS, [], [403]),
        ("INVITE", "sip:eve@elsewhere.net", STRANGER, PASS, [], [403]),
        ("INVITE", "tel:+442079460000", STRANGER, PASS, [], [403]),
    ],
)
def test_each_kind_of_request(
    method: str,
    uri: str,
    caller: str,
    authenticate: bool,
    called: list[str],
    answered: list[int],
    recorder: Any,
    new_context: Any,
) -> None:
    context = new_context(request(method, uri, caller, uri))
    recorder.answers["authenticate"] = authenticate
    recorder.answers["lookup"] = BOB

    def ring(targets: object, time: object) -> bool:
        context.outcome = Outcome(486, "Busy Here")
        return False

    recorder.answers["ring"] = ring
    assert run(recorder, context) == (called, answered)


@pytest.mark.parametrize(("exists", "status"), [(True, 480), (False, 404)])
def test_a_user_without_a_phone_is_not_an_unknown_user(
    exists: bool, status: int, recorder: Any, new_context: Any
) -> None:
    recorder.answers["exists"] = exists
    context = new_context(request("INVITE", "sip:bob@example.com", STRANGER, "sip:bob@example.com"))
    assert run(recorder, context) == (["lookup", "exists"], [status])


def test_all_phones_ring_at_once_and_an_answer_ends_it(recorder: Any, new_context: Any) -> None:
    recorder.answers |= {"lookup": BOB, "ring": True}
    context = new_context(request("INVITE", "sip:bob@example.com", ALICE, "sip:bob@example.com"))
    assert run(recorder, context) == (["authenticate", "lookup", "ring"], [])
    assert recorder.calls[0] == ("authenticate", "sip:alice@example.com")
    assert recorder.calls[2] == ("ring", BOB, None)
