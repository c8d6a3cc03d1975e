"""Syntax errors in people's words: what stands there, what was expected, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from routing.language.grammar import grammar
from routing.language.problem import Report, Span, nearest

FOREIGN = {
    "return": "`return` is not in the language: a route ends with an outcome such as reply(404)",
    "exit": "`exit` is not in the language: a route ends with an outcome such as drop()",
    "while": "`while` is not in the language: `for x in list { }` comes to an end by itself",
    "elif": "write `else if`",
    "elseif": "write `else if`",
    "elsif": "write `else if`",
    "switch": 'write `match value { "a" => ... else => ... }`',
    "case": "an arm of `match` starts with its value: `486 => ...`",
    "default": "the last arm of `match` is written `else => ...`",
    "var": "write `let name = value`",
    "set": "write `name = value`",
    "function": "write `route name(parameter: type) { }`",
    "def": "write `route name(parameter: type) { }`",
    "request_route": "write `on request { }`",
    "then": "a condition is followed by its block: `if condition { ... }`",
    "import": "a route can't import; functions come from the modules that the configuration loads",
    "include": "a route file can't include another one",
    "loose_route": "requests inside a call find their way by themselves; `on dialog { }` sees them first",
    "record_route": "the server stays in the path of a call by itself",
    "uac_replace_from": "write `from.uri = ...` and `from.display = ...`; it is undone on the way back by itself",
    "uac_replace_to": "write `to.uri = ...` and `to.display = ...`; it is undone on the way back by itself",
}
"""Words that people bring along from other languages, and what to write here."""

_CHARACTERS = {
    '"': ("this text has no closing quote", 'a text stands between two " on one line'),
    "'": ("a text stands in double quotes", ""),
    ";": ("nothing stands between statements", "leave the `;` out"),
    "$": ("names are written without `$`", "`request.uri` is the Request-URI, `from.user` the user in From, ..."),
    "&": ("`&` is not in the language", "write `and`"),
    "|": ("`|` is not in the language", "write `or`"),
    "!": ("`!` is not in the language", "write `not`"),
    "/": ("this pattern has no closing slash", "a pattern is written /.../ on one line; a comment starts with #"),
    "%": ("`%` is not in the language", "numbers take `+`, `-` and `*`"),
}
_WORDS = {
    "NAME": "a name", "TEXT": "a text", "QUANTITY": "a number", "PATTERN": "a pattern", "LABEL": "a name with `:`",
    "$END": "the end of the file", "COMPARE": '"=="', "SIGN": '"+"', "TIMES": '"*"',
}  # fmt: skip
_NAMES = frozenset({"NAME", "BRANCH", "REPLY"})
"""What may stand for a name: some words of the language are also what a function calls its subject."""
_VALUES = _NAMES | {"TEXT", "QUANTITY", "PATTERN", "TRUE", "FALSE", "LSQB", "LPAR", "NOT", "LABEL", "CALL", "SHARED"}
_STATEMENTS = _NAMES | {"LET", "IF", "FOR", "MATCH", "CALL", "SHARED"}
_OPERATORS = frozenset({"AND", "OR", "NOT", "IN", "MATCHES", "COMPARE", "__ANON_1", "DOT", "SIGN", "TIMES"})
_ITEMS = frozenset({"ON", "ROUTE", "BRANCH", "REPLY", "SHARED", "TEST"})
_RESERVED = re.compile(r"[a-z]+")
_LEADING = re.compile(r"\s*")


def explain(error: UnexpectedInput, text: str, report: Report) -> None:
    """Put a syntax error of `text` into the report."""
    if isinstance(error, UnexpectedCharacters):
        _character(error, text, report)
    else:
        assert isinstance(error, UnexpectedToken)
        _token(error, text, report)


def _character(error: UnexpectedCharacters, text: str, report: Report) -> None:
    at = error.pos_in_stream or 0
    mark = text[at]
    line = text[at:].split("\n", 1)[0].rstrip()
    length = len(line) if mark in '"/' else 1
    shown = mark if mark.isprintable() else f"U+{ord(mark):04X}"
    message, hint = _CHARACTERS.get(mark, (f"`{shown}` is not in the language", ""))
    report.error(Span(error.line, error.column, error.line, error.column + length), message, hint)


def _token(error: UnexpectedToken, text: str, report: Report) -> None:
    token = error.token
    before = list(_lex(text, token))
    if token.type == "$END" or (token.type in _ITEMS and "RBRACE" in error.accepts):
        opening = _unclosed(before, text)
        if opening is not None:
            closing = {"{": "}", "(": ")", "[": "]"}[str(opening)]
            report.error(span_of(opening), f"this `{opening}` is never closed", f"add the `{closing}` that ends it")
            return
    for word in (token, *before[-1:]):
        if word.type == "NAME" and word in FOREIGN:
            report.error(span_of(word), FOREIGN[word])
            return
    if error.accepts == {"DOT", "EQUAL", "LSQB"} and before:
        name = before[-1]
        hint = f"a statement is a call, `{name}(...)`, or stores, `{name} = ...`"
        report.error(span_of(name), f"nothing is done with `{name}`", hint)
        return
    if token == "-" and text[error.pos_in_stream or 0 :].startswith("->"):
        report.error(span_of(token), "`->` is not in the language", "an arm of `match` is written with `=>`")
        return
    message, hint = _sentence(token, error.accepts)
    report.error(span_of(token), message, hint)


def _sentence(token: Token, accepts: set[str]) -> tuple[str, str]:
    """The message and the hint for a token that can't stand where it stands."""
    shown = f'"{token[1:-1]}"' if token.type == "TEXT" else f'"{token}"' if token else "the end of the file"
    if accepts == {"LBRACE", "TEXT"}:
        return f'expected a name in quotes or "{{" before {shown}', 'as in `test "a call" { ... }`'
    if {"RBRACE", "TEST"} <= accepts:
        shown = '":"' if token.type == "LABEL" else shown
        return f"a step of a test is written without {shown}", "it is a line of words and values"
    if token.type == "RBRACE" and "ROUTE" in accepts:
        return "this `}` closes nothing", "there is one too many, here or above"
    if "NAME" in accepts and _RESERVED.fullmatch(token) and token.type == token.upper():
        return f"`{token}` is a word of the language", "choose another name"
    if token.type == "EQUAL" and "COMPARE" in accepts:
        return "`=` stores a value; it can't stand in a condition", "write `==` to compare"
    if "ROUTE" in accepts:
        words = ("on", "route", "branch", "reply", "shared", "test")
        hint = nearest(token, words) or "everything else stands inside one of these"
        return f"expected `on request`, `route`, `branch`, `reply`, `shared` or `test` before {shown}", hint
    expected = _expected(accepts)
    hint = ""
    if accepts == _NAMES | {"FOR"}:
        return 'expected "for" and a lifetime before ' + shown, "as in `shared failures: number for 10m`"
    if "COMMA" in accepts and token.type in _VALUES:
        hint = "did you forget a comma?"
    elif accepts == {"LABEL", "RPAR"} or (token.type == "NAME" and accepts == {"LABEL"}):
        hint = f"it needs a type: `{token}: text`"
    elif "LBRACE" in accepts:
        hint = "a block stands in braces: { ... }"
    return f"expected {expected} before {shown}", hint


def _expected(accepts: set[str]) -> str:
    """What could have stood there, the likely things only."""
    wanted = set(accepts)
    found: list[str] = []
    if wanted == _NAMES:
        wanted = {"NAME"}
    if wanted >= _STATEMENTS:
        found.append("a statement")
        wanted -= _STATEMENTS | {"ELSE"}
    elif wanted >= {"TEXT", "QUANTITY"}:
        found.append("a value")
        wanted -= _VALUES
    if found or wanted - _OPERATORS:
        wanted -= _OPERATORS
    found += [_shown(name) for name in sorted(wanted, key=lambda name: (name != "COMMA", name))]
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " or " + found[-1]


def _shown(terminal: str) -> str:
    if terminal in _WORDS:
        return _WORDS[terminal]
    return next(f'"{known.pattern.value}"' for known in grammar().terminals if known.name == terminal)


def _lex(text: str, stop: Token) -> Iterator[Token]:
    """The tokens in front of `stop`."""
    for token in grammar().lex(text):
        if stop.type != "$END" and span_of(token) >= span_of(stop):
            return
        yield token


def _unclosed(tokens: list[Token], text: str) -> Token | None:
    """The bracket that is most likely the one without a partner.

    A closing brace that starts a line belongs to the line with its indentation; when it pairs with another one, the
    brace in between is the culprit. Otherwise the innermost bracket that is still open.
    """
    lines = text.split("\n")
    opened: list[Token] = []
    for token in tokens:
        if token.type in ("LBRACE", "LPAR", "LSQB"):
            opened.append(token)
        elif token.type in ("RBRACE", "RPAR", "RSQB") and opened:
            partner = opened.pop()
            opening, closing = _indent(lines, partner), _indent(lines, token)
            if span_of(token).column - 1 <= closing < opening:
                return partner
    return opened[-1] if opened else None


def _indent(lines: list[str], token: Token) -> int:
    """How far the line of a token is indented."""
    return _LEADING.match(lines[span_of(token).line - 1]).end()  # type: ignore[union-attr]  # it matches any line


def span_of(token: Token) -> Span:
    """Where a token stands."""
    line, column = token.line or 1, token.column or 1
    return Span(line, column, line, column + max(1, len(token)))
