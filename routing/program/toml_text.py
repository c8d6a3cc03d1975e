"""TOML text to plain values; what tomllib would choke on is refused before, with its place."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from routing.language.problem import Problem

DEEPEST = 32
"""Tables and lists that may stand in each other, and names that dots may join."""
_LONGEST_WORD = 1_000
# A comment, a text of any kind (perhaps without its end), a word (a key, a number, a date), or one other character.
_TOKEN = re.compile(
    r'''#[^\n]*|"""(?:[^"\\]|\\.|"{1,2}(?!"))*+(?:"{3,5})?'''
    r"""|'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5})?"""
    r"""|"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|[\w.+:-]++|[^\w\s]""",
    re.DOTALL,
)


def parse_toml(file: str, text: str) -> dict[str, Any] | Problem:
    """The values of a TOML text, or what is wrong with it."""
    bad = _beyond_bounds(file, text)
    if bad is not None:
        return bad
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _syntax_problem(file, text, str(error))


def _beyond_bounds(file: str, text: str) -> Problem | None:
    """What nests too deeply or is too long: tomllib goes as deep as the text does, and counts digits without end."""
    depth = dots = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in ("[", "{"):
            depth += 1
        elif token in ("]", "}"):
            depth -= 1
        if token in ("=", ",", "[", "]", "{", "}") or token[0] == "#":
            dots = 0
        elif token[0] not in "\"'":
            dots += token.count(".")
            if len(token) > _LONGEST_WORD:
                return _at(file, text, match.start(), f"this word is longer than {_LONGEST_WORD} characters")
        if max(depth, dots) > DEEPEST:
            return _at(file, text, match.start(), f"this nests more than {DEEPEST} levels deep")
    return None


def _at(file: str, text: str, offset: int, message: str) -> Problem:
    start = text.rfind("\n", 0, offset) + 1
    return Problem(file, text.count("\n", 0, offset) + 1, offset - start + 1, 1, message)


def _syntax_problem(file: str, text: str, message: str) -> Problem:
    """tomllib says where in its text: `Expected '=' after a key (at line 3, column 5)`."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    lines = text.split("\n")
    if match is None or match[2] is None:
        return Problem(file, len(lines), len(lines[-1]) + 1, 1, match[1] if match else message)
    return Problem(file, int(match[2]), int(match[3]), 1, match[1])
