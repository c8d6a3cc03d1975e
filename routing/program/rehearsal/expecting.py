"""Expectations, each as something that is asked again and again while time passes."""

from __future__ import annotations

import re
from math import inf
from typing import Protocol

from routing.language.stories.story import (
    Expectation,
    ExpectEvent,
    ExpectGot,
    ExpectLog,
    ExpectRegistered,
    ExpectTalk,
    Pattern,
    Whom,
)
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.got import Got
from routing.program.rehearsal.heard import Entry
from routing.program.rehearsal.scene import Scene

_SHOWN = 3
"""Lines of the log that are told when none of them is the right one: the last ones."""
_LONGEST = 100


class Check(Protocol):
    """One expectation. `latest` is when it must be judged; `waits_for_time`: not before, though all is quiet."""

    latest: float
    waits_for_time: bool

    def decided(self) -> bool:
        """Whether time can't change it any more."""

    def judge(self) -> None:
        """Raise StoryFailed unless it is met."""


def checking(step: Expectation, scene: Scene) -> Check:
    """What asks about an expectation."""
    if isinstance(step, ExpectGot):
        return Got(step, scene)
    if isinstance(step, ExpectTalk):
        return _Talk(step, scene)
    if isinstance(step, ExpectRegistered):
        return _Registered(step, scene)
    return _Log(step, scene) if isinstance(step, ExpectLog) else _Event(step, scene)


class _Now:
    latest = inf
    waits_for_time = False


class _Talk(_Now):
    def __init__(self, step: ExpectTalk, scene: Scene) -> None:
        self._step, self._phones = step, scene.stage.phones

    def _talking(self) -> list[str]:
        return [name for name, phone in self._phones.items() if any(dialog.talks for dialog in phone.dialogs)]

    def decided(self) -> bool:
        talking = self._talking()
        return all(phone in talking for phone in self._step.phones) if self._step.phones else not talking

    def judge(self) -> None:
        talking = self._talking()
        if not self._step.phones and talking:
            raise StoryFailed(self._step.span, f"{_and(talking)} talk" if len(talking) > 1 else f"{talking[0]} talks")
        silent = [phone for phone in self._step.phones if phone not in talking]
        if silent:
            raise StoryFailed(self._step.span, f"{_and(silent)} {'are' if len(silent) > 1 else 'is'} in no call")


class _Registered(_Now):
    def __init__(self, step: ExpectRegistered, scene: Scene) -> None:
        self._step, self._stage = step, scene.stage

    def _wanted(self, whom: Whom) -> str:
        directory = self._stage.directory
        is_phone = whom.is_name and whom.text in self._stage.phones
        return directory.contact(whom.text) if is_phone else directory.uri(whom)

    def decided(self) -> bool:
        found = self._stage.bindings(self._step.user)
        if self._step.at is None:
            return bool(found)
        return sorted(found) == sorted(map(self._wanted, self._step.at))

    def judge(self) -> None:
        if self.decided():
            return
        found, user = self._stage.bindings(self._step.user), self._step.user
        shown = f"{user} is registered at {_and(found)}" if found else f"{user} is not registered"
        wanted = [self._wanted(whom) for whom in self._step.at or ()]
        raise StoryFailed(self._step.span, shown, f"expected: {_and(wanted)}" if wanted else "")


class _Log(_Now):
    def __init__(self, step: ExpectLog, scene: Scene) -> None:
        self._step, self._scene = step, scene

    def decided(self) -> bool:
        return any(speaks_of(self._step, entry) for entry in self._scene.entries())

    def judge(self) -> None:
        said = [entry for entry in self._scene.entries() if speaks_of(self._step, entry)]
        if self._step.never and said:
            raise StoryFailed(self._step.span, f'the log says "{said[0].text}"')
        if not self._step.never and not said:
            lines = [f'"{entry.text[:_LONGEST]}"' for entry in self._scene.entries()[-_SHOWN:]]
            raise StoryFailed(self._step.span, "the log does not say so", f"it says {_and(lines) or 'nothing'}")


def speaks_of(step: ExpectLog, entry: Entry) -> bool:
    """Whether a line of the log is the one that is expected."""
    return _holds(entry.text if entry.failure is None else f"{entry.text}: {entry.failure}", step.text)


class _Event(_Now):
    def __init__(self, step: ExpectEvent, scene: Scene) -> None:
        self._step, self._scene = step, scene

    def _found(self) -> bool:
        return any(self._fits(one.fields) for one in self._scene.reported())

    def _fits(self, fields: dict[str, object]) -> bool:
        if fields.get("event") != self._step.name:
            return False
        return all(_is(fields.get(name), value) for name, value in self._step.fields)

    def decided(self) -> bool:
        return self._found()

    def judge(self) -> None:
        step = self._step
        if self._found() is not step.never:
            return
        if step.never:
            raise StoryFailed(step.span, f"`{step.name}` was reported")
        same = [one.fields for one in self._scene.reported() if one.fields.get("event") == step.name]
        if same:
            hint = "reported was " + ", ".join(f"{name} {same[-1].get(name)!r}" for name, _ in step.fields)
        elif others := [str(one.fields["event"]) for one in self._scene.reported()]:
            hint = f"reported was {_and(list(dict.fromkeys(others)))}"
        else:
            hint = "nothing was reported"
        raise StoryFailed(step.span, f"`{step.name}` was not reported" + (" like this" if same else ""), hint)


def _is(found: object, wanted: str | int | Pattern) -> bool:
    return found == wanted if isinstance(wanted, int) else _holds(str(found), wanted)


def _holds(text: str, wanted: str | Pattern) -> bool:
    return wanted in text if isinstance(wanted, str) else re.search(wanted, text) is not None


def _and(words: list[str]) -> str:
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last
