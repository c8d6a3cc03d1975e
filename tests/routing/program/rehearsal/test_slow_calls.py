"""Slow calls in a story: they take its time, give up after theirs, and can be called off."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import trio

from routing.program.rehearsal.ladder import Ladder
from routing.program.rehearsal.network import Network
from routing.program.rehearsal.slow_call import Delay, SlowCall
from sipcore.errors import Unresolvable
from sipcore.need import Need
from sipcore.stack import Stack
from tests.wire import new_tokens


@pytest.fixture
def network() -> Network:
    made = Network(Ladder())
    made.connect(Stack(user=None, open_flow=None, tokens=new_tokens()))  # type: ignore[arg-type]
    return made


class Answers:
    """What was answered, and when."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.got: list[tuple[float, Any, str]] = []

    def done(self, result: Any, error: BaseException | None) -> None:
        self.got.append((self.network.now, result, "" if error is None else f"{type(error).__name__}: {error}"))


def start(network: Network, call: Any, *arguments: object, timeout: float = 5.0) -> tuple[SlowCall, Answers]:
    answers = Answers(network)
    return SlowCall(network, Need(call, *arguments, timeout=timeout), answers.done), answers


def run(network: Network, seconds: float) -> None:
    while network.step(network.now + seconds):
        pass


async def at_once(value: str) -> str:
    return value


async def after(*seconds: float) -> str:
    for one in seconds:
        await Delay(one)
    return "answer"


async def failing(error: Exception) -> None:
    await Delay(1.0)
    raise error


async def by_trio() -> None:
    await trio.sleep(1)


async def by_something_else() -> None:
    await Other()


class Other:
    def __await__(self) -> Generator[Other, None, None]:
        yield self


def test_an_answer_that_is_there(network: Network) -> None:
    _, answers = start(network, at_once, "x")
    assert answers.got == [(0.0, "x", "")]


def test_an_answer_that_takes_its_time(network: Network) -> None:
    _, answers = start(network, after, 1.0, 2.5)
    assert answers.got == []
    assert network.has_events
    run(network, 10.0)
    assert answers.got == [(3.5, "answer", "")]


@pytest.mark.parametrize(("seconds", "when"), [((6.0,), 5.0), ((3.0, 3.0), 5.0), ((4.0, 1.0, 0.5), 5.0)])
def test_nobody_waits_longer_than_the_time_out(network: Network, seconds: tuple[float, ...], when: float) -> None:
    _, answers = start(network, after, *seconds)
    run(network, 20.0)
    assert answers.got == [(when, None, "Unavailable: after gave no answer within 5 s")]


def test_exactly_in_time_is_in_time(network: Network) -> None:
    _, answers = start(network, after, 5.0)
    run(network, 20.0)
    assert answers.got == [(5.0, "answer", "")]


def test_errors(network: Network) -> None:
    _, answers = start(network, failing, Unresolvable("no such name"))
    _, others = start(network, failing, ZeroDivisionError("no way"))
    run(network, 5.0)
    assert answers.got == [(1.0, None, "Unresolvable: no such name")]
    assert others.got == [(1.0, None, "Unavailable: failing failed: ZeroDivisionError: no way")]


def test_what_needs_another_world_is_told(network: Network) -> None:
    _, answers = start(network, by_trio)
    ((when, result, said),) = answers.got
    assert (when, result) == (0.0, None)
    assert said == "Unavailable: by_trio needs what a test has not: a network, or another thread"
    _, answers = start(network, by_something_else)
    assert answers.got[0][2] == "Unavailable: by_something_else needs what a test has not: a network, or another thread"


def test_a_call_is_called_off(network: Network) -> None:
    call, answers = start(network, after, 1.0)
    call.cancel()
    run(network, 10.0)
    assert answers.got == []
    call.cancel()  # twice is harmless, and behind its end too
    call, answers = start(network, at_once, "x")
    call.cancel()
    assert answers.got == [(10.0, "x", "")]
