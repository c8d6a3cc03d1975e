"""etc/editors: what editors know of the language is what the grammar and the modules say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lark.lexer import PatternStr

from routing.language.grammar import grammar
from routing.language.known import KEPT
from routing.language.parser import parse
from routing.language.problem import Report
from routing.program.server import MODULES
from routing.runtime.functions import function_table
from routing.runtime.loader import PARAMETER_TYPES
from routing.runtime.properties import ROOTS
from tests.textmate import Grammar

ROOT = Path(__file__).resolve().parent.parent
EDITORS = ROOT / "etc" / "editors"
CODE = EDITORS / "vscode"
TEXTMATE = CODE / "syntaxes" / "ringway-route.tmLanguage.json"
VIM = (EDITORS / "vim" / "syntax" / "ringway.vim").read_text("utf-8")
PACKAGE = json.loads((CODE / "package.json").read_text("utf-8"))
ROUTES = sorted((ROOT / "etc" / "ringway").rglob("*.route"))
PAGE = (ROOT / "docs" / "routing-language.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```route(?: mistake)?\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
KEYWORDS = {
    one.pattern.value
    for one in grammar().terminals
    if isinstance(one.pattern, PatternStr) and one.pattern.value.isalpha()
}
FUNCTIONS = set(function_table(MODULES))
TYPES = set(PARAMETER_TYPES) | {kind.name for kind in KEPT}
OURS = KEYWORDS | FUNCTIONS | set(ROOTS)


def words_of_textmate(name: str) -> set[str]:
    """The words that patterns of one part name."""
    return set(re.findall(r"\w+", json.dumps(json.loads(TEXTMATE.read_text("utf-8"))["repository"][name])))


def words_of_vim(*groups: str) -> set[str]:
    lines = [line for line in VIM.splitlines() if re.match(rf"syntax match (?:{'|'.join(groups)}) ", line)]
    return set(re.findall(r"(?<![\\\w])[a-z]\w*|(?<=\\\|)\w+|(?<=\\%\()\w+", "\n".join(lines)))


# -- no word is missing -----------------------------------------------------------------------------------------------


def test_the_grammar_has_the_words_that_we_think_it_has() -> None:
    assert {"on", "route", "if", "else", "match", "for", "in", "let", "true", "matches", "shared"} <= KEYWORDS


def test_textmate_knows_every_keyword() -> None:
    assert KEYWORDS - words_of_textmate("keyword") - words_of_textmate("declaration") == set()


def test_textmate_knows_every_function_type_and_first_word() -> None:
    assert FUNCTIONS - words_of_textmate("function") == set()
    assert {word for name in TYPES for word in name.split()} - words_of_textmate("declaration") == set()
    assert set(ROOTS) - words_of_textmate("variable") == set()


def test_vim_knows_every_keyword() -> None:
    known = words_of_vim("ringwayDeclaration", "ringwayControl", "ringwayOperator", "ringwayBoolean")
    assert KEYWORDS - known == set()


def test_vim_knows_every_function_type_and_first_word() -> None:
    assert FUNCTIONS - words_of_vim("ringwayFunction") == set()
    assert {word for name in TYPES for word in name.split()} - words_of_vim("ringwayType") == set()
    assert set(ROOTS) - words_of_vim("ringwayVariable") == set()


def test_no_editor_knows_functions_that_there_are_not() -> None:
    shown = json.loads(TEXTMATE.read_text("utf-8"))["repository"]["function"]["patterns"][0]["match"]
    assert set(re.findall(r"\w{2,}", shown)) == FUNCTIONS
    assert words_of_vim("ringwayFunction") - {"syntax", "match", "ringwayFunction", "ze", "s"} == FUNCTIONS


# -- TextMate's scopes are the lexer's tokens -------------------------------------------------------------------------

SCOPES: dict[str, str | tuple[str, ...]] = {
    "TEXT": "string.quoted",
    "PATTERN": "string.regexp",
    "QUANTITY": "constant.numeric",
    "LABEL": ("variable.parameter", "entity.name.type"),
    "TRUE": "constant.language",
    "FALSE": "constant.language",
    "COMPARE": "keyword.operator",
    "SIGN": "keyword.operator",
    "TIMES": "keyword.operator",
    "EQUAL": "keyword.operator",
}
WORDS = {
    "ON": "keyword.declaration",
    "ROUTE": "keyword.declaration",
    "SHARED": "keyword.declaration",
    "LET": "keyword.declaration",
    "TEST": "keyword.declaration",
    "IF": "keyword.control",
    "ELSE": "keyword.control",
    "MATCH": "keyword.control",
    "FOR": "keyword.control",
    "CALL": "keyword.control",
    "AND": "keyword.operator.word",
    "OR": "keyword.operator.word",
    "NOT": "keyword.operator.word",
    "IN": "keyword.operator.word",
    "MATCHES": "keyword.operator.word",
}
MORE = [
    'on request { if source.ip in ::1 or x matches /a b#"/i and not (y == 1.5) { ring(to, for: 20s, edit: out) } }',
    'on request { let x = ["a # b", "\\"", 20/s, 10.0.0.0/8, 2001:db8::/32, 192.0.2.1, 500ms, 600..699] } # "x" /y/',
    "route r(a: text, b: list of number, c: branch function) { call.x = shared.y[a]  call r(in: 3, if: true) }",
    "shared failures: number for 10m",
    'reply tidy(reply) { reply.code = 480  remove(reply.header["X"]) }',
]


def check_scopes(text: str) -> int:
    """Compare the scope of every token with what the lexer says; returns how many were compared."""
    textmate, compared = Grammar(TEXTMATE), 0
    scopes = [textmate.scopes(line) for line in text.split("\n")]
    stories = lines_of_tests(text)
    for token in grammar().lex(text):
        if token.type in WORDS and token.line in stories:
            continue  # in a story it is a word as any other
        wanted = {**SCOPES, **WORDS}.get(token.type)
        if wanted is None or token.line is None or token.column is None:
            continue
        given = scopes[token.line - 1][token.column - 1 : token.column - 1 + len(token)]
        inner = [one for one in given if not one.startswith(("constant.character.escape", "invalid.illegal"))]
        assert all(one.startswith(wanted) for one in inner), (token, token.line, given)
        compared += 1
    for number, line in enumerate(text.split("\n")):
        start = comment_in(line)
        assert all(scope.startswith("comment") == (place >= start) for place, scope in enumerate(scopes[number])), line
    return compared


def lines_of_tests(text: str) -> set[int]:
    """The lines of `test` blocks below their first ones."""
    tests = re.finditer(r"^test\b.*\n(?:(?!\}).*\n)*", text, re.MULTILINE)
    starts = [(text.count("\n", 0, match.start()) + 1, match[0].count("\n")) for match in tests]
    return {line for start, count in starts for line in range(start + 1, start + count + 1)}


def comment_in(line: str) -> int:
    """Where the comment of a line begins: behind its last token."""
    ends = [token.end_column - 1 for token in grammar().lex(line) if token.end_column]
    start = line.find("#", max(ends, default=0))
    return start if start >= 0 else len(line)


@pytest.mark.parametrize("text", [*(file.read_text("utf-8") for file in ROUTES), *EXAMPLES])
def test_the_routes_of_this_repository_have_the_right_scopes(text: str) -> None:
    assert check_scopes(text) > 3


@pytest.mark.parametrize("text", MORE)
def test_every_kind_of_word_has_the_right_scope(text: str) -> None:
    report = Report("", text)
    parse(text, report)
    assert not report.failed
    assert check_scopes(text) >= 2


def scope_of(line: str, word: str) -> str:
    return Grammar(TEXTMATE).scopes(line)[line.index(word)]


def test_names_have_scopes_of_their_own() -> None:
    assert scope_of("route hunt() {", "hunt").startswith("entity.name.function")
    assert scope_of("    call hunt()", "hunt").startswith("entity.name.function")
    assert scope_of("    ring(x)", "ring").startswith("support.function")
    assert scope_of("    own(x)", "own").startswith("entity.name.function")
    assert scope_of("on request {", "request").startswith("entity.name.function")
    assert scope_of("if request.uri.user", "request").startswith("variable.language")
    assert scope_of("if request.uri.user", "uri").startswith("variable.other.property")
    assert scope_of("if x in domains {", "domains").startswith("support.constant")
    assert scope_of("shared seen: number for 1m", "seen").startswith("entity.name.type")
    assert scope_of("route r(target: uri) {", "uri").startswith("support.type")
    assert scope_of("let number = 1", "number").startswith("variable.other")


def test_the_words_of_a_story_have_a_scope() -> None:
    for line in ("    given users alice", "    expect alice got 200", "    after 10s alice hangs up"):
        assert scope_of(line, line.split()[0]).startswith("keyword.other.story")
    assert scope_of('test "x" {', "test").startswith("keyword.declaration")
    assert scope_of("    bob rings 3s then answers", "then").startswith("keyword.other.story")
    assert scope_of("    if given(x) {", "given").startswith("entity.name.function")


def test_a_text_that_is_not_closed_ends_with_its_line() -> None:
    scopes = Grammar(TEXTMATE).scopes('reply(404, "Not')
    assert scopes[-1].startswith("string") and scopes[6].startswith("constant.numeric")
    assert scope_of(r'log("a\q")', r"\q").startswith("invalid.illegal")


# -- the extension ----------------------------------------------------------------------------------------------------


def test_every_file_that_the_extension_names_is_there_and_can_be_read() -> None:
    contributes = PACKAGE["contributes"]
    named = [PACKAGE["main"], contributes["languages"][0]["configuration"]]
    named += [one["path"] for part in ("grammars", "snippets") for one in contributes[part]]
    for name in named:
        file = CODE / name
        assert file.is_file(), name
        if file.suffix == ".json":
            json.loads(file.read_text("utf-8"))
    assert contributes["grammars"][0]["scopeName"] == json.loads(TEXTMATE.read_text("utf-8"))["scopeName"]
    assert contributes["languages"][0]["extensions"] == [".route"]


def test_the_scopes_end_in_the_name_of_the_language() -> None:
    names = re.findall(r'"name": "([^"]+)"', TEXTMATE.read_text("utf-8"))[1:]
    assert names and all(name.endswith(".ringway-route") for name in names)


@pytest.mark.parametrize("key", ["increaseIndentPattern", "decreaseIndentPattern"])
def test_lines_are_indented_where_brackets_open(key: str) -> None:
    configuration = json.loads((CODE / "language-configuration.json").read_text("utf-8"))
    pattern = re.compile(configuration["indentationRules"][key])
    opens = {"if a {": True, "if a {  # why": True, 'log("{")': False, "x() # {": False, "}": False, "} else {": True}
    closes = {"    } else {": True, "    )": True, "x()": False, "]": True}
    for line, wanted in (opens if key.startswith("increase") else closes).items():
        assert bool(pattern.search(line)) == wanted, line


def snippet_text(body: list[str]) -> str:
    """A snippet as it stands when nothing was typed into it."""
    text = re.sub(
        r"\$\{\d+\|([^,|]*)[^|]*\|\}|\$\{\d+:((?:[^{}]|\{[^}]*\})*)\}",
        lambda found: found[1] or found[2],
        "\n".join(body),
    )
    return re.sub(r"\$\d+", "x()", text)


def test_every_snippet_is_something_that_can_be_written() -> None:
    snippets = json.loads((CODE / "snippets" / "ringway-route.json").read_text("utf-8"))
    assert len(snippets) >= 10
    for name, snippet in snippets.items():
        assert snippet["description"] and snippet["prefix"]
        text = snippet_text(snippet["body"])
        if not re.match(r"on |route |branch |reply \w|shared |test ", text):
            text = f"on request {{\n{text}\n}}\n"
        report = Report(name, text)
        parse(text, report)
        assert not report.failed, (name, report.problems)


def test_vim_calls_what_there_is() -> None:
    plugin = (EDITORS / "vim" / "ftplugin" / "ringway.vim").read_text("utf-8")
    assert r"makeprg=ringway\ check" in plugin and r"commentstring=#\ %s" in plugin
    detect = (EDITORS / "vim" / "ftdetect" / "ringway.vim").read_text("utf-8")
    assert "*.route setfiletype ringway" in detect
    used = set(re.findall(r"^syntax (?:match|region|keyword) (\w+)", VIM, re.MULTILINE))
    assert used == set(re.findall(r"^highlight default link (\w+)", VIM, re.MULTILINE))
