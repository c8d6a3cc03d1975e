"""Slow calls in a story: they take the story's time, and no thread and no task."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

from routing.program.rehearsal.network import Event, Network
from sipcore.errors import RingwayError, Unavailable
from sipcore.need import Done, Need

_ELSEWHERE = "needs what a test has not: a network, or another thread"


class Delay:
    """What a slow call awaits to let time pass."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator[Delay, None, None]:
        yield self


class SlowCall:
    """One call on its way; it may await a `Delay` and nothing else, and gives up after the need's time-out."""

    def __init__(self, network: Network, need: Need[Any], done: Done) -> None:
        self._network = network
        self._done = done
        self._name = getattr(need.call, "__qualname__", repr(need.call))
        self._timeout = need.timeout
        self._deadline = network.now + need.timeout
        self._coroutine: Coroutine[Any, Any, Any] | None = need.call(*need.arguments)  # type: ignore[assignment]
        self._event: Event | None = None
        self._step()

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if self._coroutine is not None:
            self._coroutine.close()
            self._coroutine = None
        if self._event is not None:
            self._event.cancel()

    def _step(self) -> None:
        assert self._coroutine is not None
        try:
            waited = self._coroutine.send(None)
        except StopIteration as end:
            self._end(end.value, None)
        except RingwayError as failure:
            self._end(None, failure)
        except Exception as failure:  # as in the network layer: a backend that fails gave no answer
            foreign = isinstance(failure, RuntimeError) and "async context" in str(failure)  # Trio, which does not run
            why = _ELSEWHERE if foreign else f"failed: {type(failure).__name__}: {failure}"
            self._end(None, Unavailable(f"{self._name} {why}"))
        else:
            self._wait(waited)

    def _wait(self, waited: object) -> None:
        left = self._deadline - self._network.now
        if not isinstance(waited, Delay):
            self._give_up(f"{self._name} {_ELSEWHERE}")
        elif waited.seconds <= left:
            self._event = self._network.later(waited.seconds, self._step)
        else:
            reason = f"{self._name} gave no answer within {self._timeout:g} s"
            self._event = self._network.later(left, lambda: self._give_up(reason))

    def _give_up(self, reason: str) -> None:
        if self._coroutine is not None:
            self._coroutine.close()
        self._end(None, Unavailable(reason))

    def _end(self, result: object, error: BaseException | None) -> None:
        self._coroutine = None
        self._done(result, error)
