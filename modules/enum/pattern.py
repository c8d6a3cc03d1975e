"""POSIX extended regular expressions of NAPTR records, made into Python's, as far as they can't take long.

Python's engine goes back and tries anew, so an expression is taken only when there is little to go back to: nothing
repeated inside a repetition, no back-reference, and few places at which there is a choice. On the sixteen characters
of a number that is a matter of microseconds. Real records need one or two such places.
"""

from __future__ import annotations

import re

from sipcore.errors import Malformed

LONGEST = 255
"""A character-string of the DNS (RFC 1035 section 3.3)."""
MOST_CHOICES = 6
_TOKEN = re.compile(
    r"""\\(?P<escaped>.)
    | \[(?P<negated>\^?)(?P<set>\]?(?:\[:[a-z]+:\]|[^\]])*)\]
    | (?P<repeat>[*+?]|\{[0-9]{1,2}(?:,[0-9]{0,2})?\})
    | (?P<group>[()|])
    | (?P<plain>[^\\\[\]{}*+?()|])""",
    re.VERBOSE | re.DOTALL,
)
_CLASSES = {"[:digit:]": "0-9", "[:alnum:]": "0-9A-Za-z", "[:alpha:]": "A-Za-z", "[:xdigit:]": "0-9A-Fa-f"}
_CLASS = re.compile(r"\[:[a-z]+:\]")


def compiled(expression: str, ignore_case: bool = False) -> re.Pattern[str]:
    """The expression ready to be used; raises `Malformed` for what is wrong or could take long."""
    if len(expression) > LONGEST:
        raise Malformed("Regular expression too long")
    try:
        return re.compile(_Translation(expression).text, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError):
        raise Malformed("Malformed regular expression") from None


class _Translation:
    def __init__(self, expression: str) -> None:
        self.text = ""
        self._choices = 0
        self._can_repeat = False
        self._has_choice: list[bool] = [False]
        """For each open group whether there is a choice in it; the first is the whole expression."""
        self._closed_has_choice = False
        at = 0
        while at < len(expression):
            token = _TOKEN.match(expression, at)
            if token is None:
                raise Malformed("Malformed regular expression")
            at = token.end()
            self._take(token)
        if len(self._has_choice) > 1:
            raise Malformed("Unterminated group")

    def _take(self, token: re.Match[str]) -> None:
        kind = token.lastgroup
        if kind == "repeat":
            self._repeat(token[0])
        elif kind == "group":
            self._group(token[0])
        else:
            atom = {"escaped": _escaped, "set": _set, "plain": _plain}[str(kind)](token)
            self._append(atom, token[0] not in "^$")

    def _append(self, atom: str, can_repeat: bool, has_choice: bool = False) -> None:
        self.text += atom
        self._can_repeat = can_repeat
        self._closed_has_choice = has_choice

    def _choice(self) -> None:
        self._choices += 1
        self._has_choice[-1] = True
        if self._choices > MOST_CHOICES:
            raise Malformed("Regular expression may take long")

    def _repeat(self, text: str) -> None:
        if not self._can_repeat:
            raise Malformed("Repetition of nothing")
        if self._closed_has_choice:
            raise Malformed("Regular expression may take long")
        self._choice()
        self._append(text, False)

    def _group(self, mark: str) -> None:
        if mark == "(":
            self._has_choice.append(False)
            self._append("(", False)
        elif mark == "|":
            self._choice()
            self._append("|", False)
        elif len(self._has_choice) == 1:
            raise Malformed("Unbalanced group")
        else:
            inside = self._has_choice.pop()
            self._has_choice[-1] |= inside
            self._append(")", True, inside)


def _escaped(token: re.Match[str]) -> str:
    character = token["escaped"]
    if character == "d":
        return "[0-9]"  # no POSIX, but often met
    if character.isalnum():
        raise Malformed("Escape with a meaning of its own")  # back-references among them
    return re.escape(character)


def _plain(token: re.Match[str]) -> str:
    character = token["plain"]
    return character if character in ".^$" else re.escape(character)


def _set(token: re.Match[str]) -> str:
    inside = token["set"]
    if "--" in inside:
        raise Malformed("Malformed bracket expression")
    parts: list[str] = []
    at = 0
    for found in _CLASS.finditer(inside):
        if found[0] not in _CLASSES:
            raise Malformed("Unknown character class")
        parts += [_members(inside[at : found.start()]), _CLASSES[found[0]]]
        at = found.end()
    return f"[{token['negated']}{''.join(parts)}{_members(inside[at:])}]"


def _members(text: str) -> str:
    """Characters and ranges; in POSIX a backslash is a character like any other here."""
    return "".join(character if character == "-" else re.escape(character) for character in text)
