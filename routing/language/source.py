"""The text of a file that a person wrote: read, or refused with the place where it stops being text."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from routing.language.problem import Problem

LARGEST = 1_000_000
"""Characters of a file; what is larger is no route file and no configuration."""


class Source(NamedTuple):
    """A text with the name that messages show; `problem` says why it can't be used, when it can't."""

    name: str
    text: str
    problem: Problem | None = None


def source_of(name: str, text: str) -> Source:
    """A text that is at hand already."""
    if len(text) > LARGEST:
        return Source(name, "", _whole(name, f"larger than {LARGEST:,} characters"))
    return Source(name, text)


def read_source(file: Path) -> Source:
    """The text of a file, its lines ended by LF; never more of it is read than it may have."""
    name = str(file)
    try:
        with file.open("rb") as opened:
            data = opened.read(4 * LARGEST + 1)
    except OSError as error:
        return Source(name, "", _whole(name, f"can't be read: {error.strerror}"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) > LARGEST:
            return source_of(name, "x" * (LARGEST + 1))
        return _not_text(name, data, error)
    return source_of(name, text.replace("\r\n", "\n"))


def _not_text(name: str, data: bytes, error: UnicodeDecodeError) -> Source:
    line = data.count(b"\n", 0, error.start) + 1
    before = data[data.rfind(b"\n", 0, error.start) + 1 : error.start]
    problem = Problem(
        name, line, len(before.decode("utf-8")) + 1, 1, f"this is not UTF-8 text: byte {data[error.start]:02X}",
        "save the file as UTF-8",
    )  # fmt: skip
    return Source(name, data.decode("utf-8", "replace").replace("\r\n", "\n"), problem)


def _whole(name: str, message: str, hint: str = "") -> Problem:
    return Problem(name, 0, 0, 1, message, hint)
