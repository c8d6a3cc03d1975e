"""docs/reference: every function is described in full, every example is right, and no page is older than the source."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from routing.language.docstring import describe
from routing.language.problem import render
from routing.language.signature import Ends, Place, Signature
from routing.language.types import NOTHING
from routing.program.reference import call_of, names_in, pages, write
from routing.program.reference_types import TYPES
from routing.program.server import MODULES
from routing.runtime import Context, Domains, Module, function
from routing.runtime.functions import function_table
from routing.runtime.loader import check_routes
from routing.runtime.properties import ATTRIBUTES, KEYED, ROOTS
from tests.rehearsing import passes

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "reference"
FUNCTIONS = function_table(MODULES)
FORMS = [form for one in FUNCTIONS.values() for form in (one, one.elsewhere) if form is not None]
PAGES = pages()

each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.target.__name__)


# -- what is written about a function ---------------------------------------------------------------------------------


@each_form
def test_every_argument_is_described_and_nothing_else(form: Signature) -> None:
    assert list(describe(form).arguments) == [one.name for one in form.parameters]


@each_form
def test_a_function_that_gives_something_says_what(form: Signature) -> None:
    assert bool(describe(form).result) == (form.result != NOTHING)


@each_form
def test_an_example_is_right_and_shows_the_function(form: Signature) -> None:
    example = describe(form).example
    text = example if "on request" in example else f"on request {{\n{example}\n}}\n"
    assert [render(one, text) for one in check_routes(text, MODULES, {"domains": Domains(("example.com",))})] == []
    assert f"{form.name}(" in text


@each_form
def test_what_is_named_elsewhere_is_a_function(form: Signature) -> None:
    see = describe(form).see
    assert see
    assert form.name not in see
    assert set(see) <= set(FUNCTIONS)


@each_form
def test_sentences_are_whole(form: Signature) -> None:
    words = describe(form)
    assert words.summary.endswith((".", "`."))
    assert not words.details or words.details.endswith((".", ")."))
    for text in (*words.arguments.values(), words.result, words.fails):
        assert not text.endswith(".")


# -- pages ------------------------------------------------------------------------------------------------------------


def test_the_pages_are_made_of_the_declarations() -> None:
    there = {file.name: file.read_text("utf-8") for file in FOLDER.iterdir()}
    assert there == PAGES, "run ./dev reference"


def test_every_link_leads_somewhere() -> None:
    for name, text in PAGES.items():
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            assert link in PAGES or (FOLDER / link).exists(), f"{name}: {link}"


def test_anchors_are_headings() -> None:
    headings = {
        f"#{title.lower().replace(' ', '-')}" for title in re.findall("^## (.*)$", PAGES["properties.md"], re.M)
    }
    assert set(re.findall(r"properties\.md(#[\w-]+)", PAGES["types.md"])) <= headings


def test_the_page_of_a_function_tells_all() -> None:
    page = PAGES["function-ring.md"]
    assert "ring(to?, for: duration?, progress: duration?" in page
    assert "| `for:` | duration, may be left out | how long a target may ring" in page
    assert "| may be called | in `on request` and in routes |" in page
    assert "| waits | it may" in page
    assert "| ends the route | perhaps" in page
    assert "[relay](function-relay.md)" in page


def test_a_function_of_two_places_has_both_on_its_page() -> None:
    page = PAGES["function-drop.md"]
    assert "## In `on request` and in routes, in `on dialog`\n\nForget" in page
    assert "## In `reply` functions and `on reply`\n\nLet" in page


def test_calls_are_shown_as_they_are_written() -> None:
    shown = {name: call_of(one) for name, one in FUNCTIONS.items()}
    assert shown["log"] == "log(text, ...values)"
    assert shown["limit"] == "limit(rate, per: text)"
    assert shown["reply"] == "reply(code, reason?, retry_after: duration?)"
    assert shown["save"] == "save()"


def test_every_property_stands_on_its_page() -> None:
    page = PAGES["properties.md"]
    rows = [*ROOTS.values(), *(one for owned in ATTRIBUTES.values() for one in owned.values())]
    assert len(re.findall(r"^\| `", page, re.MULTILINE)) == len(rows)
    assert "| `request.uri` | uri | yes | The Request-URI. |" in page
    assert "| `request.method` | text |  | The method" in page
    assert '| `outcome.header["..."]` | text |  |' in page
    assert '| `.parameter["..."]` | text | yes |' in page


def test_every_type_that_is_used_is_explained() -> None:
    used = [one.type for form in FORMS for one in form.parameters] + [form.result for form in FORMS]
    used += [one.type for one in ROOTS.values()]
    used += [one.type for owned in ATTRIBUTES.values() for one in owned.values()]
    names = frozenset().union(*map(names_in, used)) - {NOTHING.name}
    assert names | set(KEYED) | set(ATTRIBUTES) <= set(TYPES)


def test_pipes_do_not_break_a_table() -> None:
    class Odd(Module):
        name = "odd"

        @function(places=Place.REQUEST, ends=Ends.NEVER)
        def odd(self, context: Context, which: str) -> str:
            """Choose.

            Arguments:
                which: one | other
            Result: that one
            """
            return which

    page = pages([Odd])["function-odd.md"]
    assert "| `which` | text | one \\| other |" in page
    assert "| gives | text: that one |" in page
    assert "See also" not in page


def test_writing_takes_away_what_is_no_page_any_more(tmp_path: Path) -> None:
    (tmp_path / "function-old.md").write_text("old")
    (tmp_path / "keep.txt").write_text("not ours")
    write(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {*PAGES, "keep.txt"}


def test_the_command_writes_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "routing.program.reference", str(tmp_path / "reference")]
    subprocess.run(command, check=True, cwd=ROOT, timeout=60)
    assert {file.name: file.read_text("utf-8") for file in (tmp_path / "reference").iterdir()} == PAGES


# -- what the pages say about failures --------------------------------------------------------------------------------

FAILURES = [
    ("reply", "reply(to_number(request.uri.user))", 'alice calls "100"', 500, True),
    ("reply", "reply(outcome)", "alice calls bob", 480, False),
    ("relay", "relay(lookup(request.uri))", "alice calls bob", 480, False),
    ("relay", 'relay("tel:+442079460148")', "alice calls bob", 404, False),
    ("relay", "relay()", 'alice calls bob with "Max-Forwards: 0"', 483, False),
    ("relay", 'relay("sip:nobody.example.net")', "alice calls bob", 500, False),
    ("relay", 'relay("sip:x@203.0.113.9")', 'alice calls bob with "Route: <sip:203.0.113.1;lr>"', 403, False),
    ("ring", "ring(lookup(request.uri))  reply(outcome)", "alice calls bob", 480, False),
    ("authenticate", "authenticate(as: from)  reply(200)", "alice calls bob", 403, False),
    ("save", "save()", "alice calls bob", 405, False),
    ("save", "save()", "bob registers for 1s", 423, False),
    ("save", "save()", 'bob registers as "sip:bob@elsewhere.example"', 404, False),
    ("ban", 'ban("nobody", 1m)  reply(200)', "alice calls bob", 500, True),
    ("replace", 'reply(403, replace("a", /a/, "$" + request.uri.user))', 'alice calls "1"', 500, True),
]
"""Function, route, what is done, what is answered, and whether the log has a fault."""


@pytest.mark.parametrize(("name", "route", "deed", "status", "faulty"), FAILURES)
def test_a_failure_answers_what_the_page_says(
    tmp_path: Path, name: str, route: str, deed: str, status: int, faulty: bool
) -> None:
    story = f'given user bob unregistered\ngiven peer alice at "sip.example.net"\n{deed}\n'
    story += f"expect {deed.split()[0]} got {status}\n" + ("expect log /./\n" if faulty else "")
    passes(tmp_path, story, f"on request {{ {route} }}")
    assert str(status) in PAGES[f"function-{name}.md"].split("when it fails")[1] or status == 480
