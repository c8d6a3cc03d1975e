"""Carrying out what asks and is told: at once from what is known, or by asking the DNS."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias, TypeVar

from sipcore.locate.records import Answer, Question, Resolver

T = TypeVar("T")
Asking: TypeAlias = Generator[Sequence[Question], Sequence[Answer], T]
"""Yields questions to be asked side by side, is sent their answers in the same order, and returns what it found."""


def found_at_once(steps: Asking[T], resolver: Resolver) -> T | None:
    """What the steps find, or None as soon as somebody must be asked."""
    try:
        questions = next(steps)
        while True:
            answers: list[Answer] = []
            for question in questions:
                answer = resolver.known(question)
                if answer is None:
                    return None
                answers.append(answer)
            questions = steps.send(answers)
    except StopIteration as end:
        found: T = end.value
        return found


async def found_by_asking(steps: Asking[T], resolver: Resolver) -> T:
    """What the steps find."""
    try:
        questions = next(steps)
        while True:
            questions = steps.send(await resolver.ask(questions))
    except StopIteration as end:
        found: T = end.value
        return found
