"""SIGTERM drains: what has begun may end, what is new is sent elsewhere, and then the server ends by itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sipp_runner.server import Server

from tests.servers.conftest import PASSWORD
from tests.servers.phone import Message, NoAnswer, Phone

CALLEE = "sip:1002@example.com"


@pytest.fixture
def phones(server: Server) -> Iterator[tuple[Phone, Phone, Phone]]:
    """Caller, callee, and somebody who comes later; the callee is registered."""
    with ExitStack() as stack:
        address = (server.host, server.port)
        caller, callee, late = (
            stack.enter_context(Phone(user, PASSWORD, address)) for user in ("1001", "1002", "1001")
        )
        assert callee.register(f"<{callee.contact}>").status == 200
        yield caller, callee, late


def ring(caller: Phone, callee: Phone) -> Message:
    """An INVITE as far as the callee; the request as it arrived there."""
    caller.call(CALLEE)
    challenge = caller.final()
    assert challenge.status == 407
    caller.acknowledge_failure(CALLEE, challenge)
    caller.call(CALLEE, challenge)
    invite = callee.receive()
    assert invite.method == "INVITE"
    callee.answer(invite, 180, "Ringing")
    return invite


def terminate(server: Server) -> None:
    assert server.process
    server.process.send_signal(signal.SIGTERM)


def exit_code(server: Server, limit: float) -> int:
    assert server.process
    return server.process.wait(limit)


def test_without_anything_to_wait_for_it_ends_at_once(server: Server) -> None:
    begin = time.monotonic()
    terminate(server)
    assert exit_code(server, 5) == 0
    assert time.monotonic() - begin < 3
    assert "Traceback" not in server.printed()


@pytest.mark.row("E13")
def test_a_call_that_rings_is_still_answered_and_a_new_one_is_refused(
    server: Server, phones: tuple[Phone, Phone, Phone]
) -> None:
    caller, callee, late = phones
    invite = ring(caller, callee)
    terminate(server)
    time.sleep(0.3)

    late.call(CALLEE)
    refusal = late.final()
    assert refusal.status == 503
    assert int(refusal.first("retry-after").split()[0]) > 0
    refusal = late.ask("REGISTER", "sip:example.com", [f"Contact: <{late.contact}>"])
    assert refusal.status == 503

    callee.answer(invite, 200, "OK")
    answer = caller.final()
    assert answer.status == 200
    assert exit_code(server, 40) == 0  # by itself, now that nothing is open


def test_a_second_sigterm_ends_it_now(server: Server, phones: tuple[Phone, Phone, Phone]) -> None:
    caller, callee, _ = phones
    ring(caller, callee)
    terminate(server)
    time.sleep(0.3)
    assert server.is_running()
    terminate(server)
    exit_code(server, 3)


def test_after_it_ended_nobody_answers(server: Server) -> None:
    assert server.stop() == 0
    with Phone("1001", PASSWORD, (server.host, server.port), wait=0.3) as phone, pytest.raises(NoAnswer):
        phone.ask("OPTIONS", "sip:example.com")
