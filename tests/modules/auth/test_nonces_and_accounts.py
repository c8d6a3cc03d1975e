"""`authenticate` over time: nonces (rows D12-D14), accounts that change, a database that fails."""

from __future__ import annotations

import pytest

from modules.auth.module import Auth
from routing.runtime.stores import Account
from sipcore.errors import Unavailable
from tests.gates import ALL, Answer, Gate, account, challenges, nonce_of


@pytest.fixture
def gate() -> Gate:
    return Gate()


# -- nonces ----


@pytest.mark.row("D12")
@pytest.mark.conformance("RFC 7616 3.3")
def test_an_old_nonce_with_the_right_password_is_stale(gate: Gate) -> None:
    old = Answer(nonce=gate.nonce())
    gate.bench.pass_time(302)
    asked = gate.send(f"Authorization: {old}")
    assert asked.status == 401 and challenges(asked)[0].endswith("stale=true")
    assert gate.answer(Answer(nonce=nonce_of(asked))).status == 200


@pytest.mark.row("D11")
@pytest.mark.conformance("RFC 7616 3.3")
def test_an_old_nonce_with_a_wrong_password_is_wrong(gate: Gate) -> None:
    old = Answer(nonce=gate.nonce(), password="guess")
    gate.bench.pass_time(302)
    asked = gate.send(f"Authorization: {old}")
    assert asked.status == 401 and "stale" not in challenges(asked)[0]


@pytest.mark.row("E12")
def test_a_jump_of_the_wall_clock_makes_no_nonce_stale(gate: Gate) -> None:
    answer = Answer(nonce=gate.nonce())
    gate.bench.wall_clock += 3600
    assert gate.send(f"Authorization: {answer}").status == 200
    gate.bench.wall_clock -= 7200
    assert gate.answer().status == 200


@pytest.mark.row("D13")
@pytest.mark.parametrize("nonce", ["0" * 32, "abc", "' OR 1=1"])
def test_a_forged_nonce_costs_no_look_up(gate: Gate, nonce: str) -> None:
    asked = gate.send(f"Authorization: {Answer(nonce=nonce)}")
    assert asked.status == 401 and "stale" not in challenges(asked)[0]
    assert gate.why == "the nonce is not ours" and gate.store.fetched == []


@pytest.mark.row("D14")
@pytest.mark.conformance("RFC 7616 5.5")
def test_a_captured_request_can_not_be_sent_again(gate: Gate) -> None:
    answer = Answer(nonce=gate.nonce())
    assert gate.send(f"Authorization: {answer}").status == 200
    again = gate.send(f"Authorization: {answer}", cseq=2)
    assert again.status == 401 and nonce_of(again) != answer.nonce
    assert gate.why == "nonce count was used before"


def test_a_nonce_serves_many_requests_in_any_order(gate: Gate) -> None:
    nonce = gate.nonce()
    for count in (1, 3, 2, 5, 4):
        assert gate.send(f"Authorization: {Answer(nonce=nonce, count=count)}").status == 200


def test_a_nonce_of_an_earlier_run_is_stale() -> None:
    gate = Gate()
    answer = Answer(nonce=gate.nonce())
    later = Gate()
    later.bench.wall_clock += 10
    later.auth = Auth(later.bench.platform)
    later.auth.start()
    assert challenges(later.send(f"Authorization: {answer}"))[0].endswith("stale=true")


@pytest.mark.row("D11", "E03")
def test_wrong_answers_leave_nothing_behind(gate: Gate) -> None:
    for number in range(100):
        gate.answer(Answer(password=f"guess{number}"))
    assert len(gate.auth._nonces) == 0


# -- where accounts come from ----


def test_an_account_is_looked_up_once_and_then_remembered(gate: Gate) -> None:
    for _ in range(3):
        assert gate.answer().status == 200
    assert gate.store.fetched == [("alice", "example.com")]
    gate.bench.pass_time(31)
    gate.answer()
    assert len(gate.store.fetched) == 2


def test_a_new_password_works_at_once(gate: Gate) -> None:
    gate.answer()
    gate.store.accounts["alice", "example.com"] = account(password="new")
    assert gate.answer(Answer(password="new")).status == 200
    assert gate.answer().status == 401


def test_a_new_user_is_let_through_though_he_was_unknown_just_now(gate: Gate) -> None:
    assert gate.answer(Answer(user="bob"), user="bob").status == 401
    gate.store.accounts["bob", "example.com"] = account("bob")
    assert gate.answer(Answer(user="bob"), user="bob").status == 200


def test_a_change_by_another_program_is_heard_of(gate: Gate) -> None:
    gate.answer()
    gate.store.accounts.clear()
    gate.store.accounts_changed[0]()
    assert gate.answer().status == 401


def test_while_the_account_is_fetched_the_request_waits(gate: Gate) -> None:
    value = f"Authorization: {Answer(nonce=gate.nonce())}"
    gate.store.held = True
    waiting = gate.send(value)
    assert waiting.responses == []
    gate.store.release()
    assert waiting.status == 200


@pytest.mark.row("E11")
def test_without_a_database_it_is_503_and_nothing_is_remembered(gate: Gate) -> None:
    gate.store.trouble = Unavailable("down")
    done = gate.answer()
    assert done.status == 503 and done.response.get("retry-after")
    gate.store.trouble = None
    assert gate.answer().status == 200


def test_an_account_without_a_hash_of_this_kind_is_asked_for_one_it_has() -> None:
    known = account()
    gate = Gate(known._replace(ha1_sha256="", ha1_sha512t256=""), algorithms=ALL)
    asked = gate.answer(Answer(algorithm="SHA-256"))
    assert asked.status == 401 and [value.rpartition("=")[2] for value in challenges(asked)] == ["MD5"]
    assert gate.why == "no SHA-256 hash is stored"
    assert gate.answer().status == 200


def test_an_empty_account_lets_nobody_in() -> None:
    gate = Gate(Account("alice", "example.com"))
    assert gate.answer(Answer(password="")).status == 401
