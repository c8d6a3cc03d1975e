"""Functions, routes, properties and comments as an editor shows them."""

from __future__ import annotations

import pytest

from routing.language import tree
from routing.language.editor.described import (
    attributes_of,
    comment_above,
    dotted,
    function_text,
    property_text,
    route_line,
    signature_line,
    table_text,
)
from routing.language.environment import Environment
from routing.language.parser import parse
from routing.language.problem import Report
from routing.language.types import DOMAIN, IP_ADDRESS, TEXT, URI, list_of


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("save", "save()"),
        ("ban", "ban(address: text, duration: duration)"),
        ("exists", "exists(uri: uri) -> truth"),
        ("lookup", "lookup(uri: uri) -> list of destination"),
        ("log", "log(text: any value, ...values: any value)"),
        ("authenticate", "authenticate(as: address)"),
    ],
)
def test_a_function_in_one_line(environment: Environment, name: str, line: str) -> None:
    assert signature_line(environment.functions[name]) == line


def test_a_function_with_what_it_does(environment: Environment) -> None:
    shown = function_text(environment.functions["save"])
    assert shown.startswith(
        "```ringway-route\nsave()\n```\n\n"
        "Store the bindings of a REGISTER, and answer it with all bindings its user has now.\n\n"
    )
    assert shown.endswith("\n\nAn outcome: nothing after it runs.")
    assert "- `duration`: " in function_text(environment.functions["ban"])
    assert "otherwise the next line runs" in function_text(environment.functions["ring"])
    assert "outcome" not in function_text(environment.functions["exists"])


def test_every_function_and_property_has_a_description(environment: Environment) -> None:
    for signature in environment.functions.values():
        assert signature.summary in function_text(signature) and signature.summary
    for rows in environment.attributes.values():
        for row in rows.values():
            assert row.summary in property_text(row.name, row) and row.summary


def test_a_property_says_whether_it_can_be_set(environment: Environment) -> None:
    uri = environment.attributes["request"]["uri"]
    assert (
        property_text("request.uri", uri) == "```ringway-route\nrequest.uri: uri\n```\n\nThe Request-URI. Can be set."
    )
    assert "Can be set" not in property_text("request.method", environment.attributes["request"]["method"])


def test_tables_are_asked_with_in(environment: Environment) -> None:
    assert "... in lists.trunks" in table_text("lists.trunks", environment.tables["lists.trunks"])
    assert "now in hours.office" in table_text("hours.office", environment.tables["hours.office"])


def test_a_type_has_what_its_base_has(environment: Environment) -> None:
    assert set(attributes_of(environment, TEXT)) == {"length", "lower", "upper"}
    for kind in (DOMAIN, IP_ADDRESS):
        assert set(attributes_of(environment, kind)) >= {"length", "lower", "upper"}
    assert set(attributes_of(environment, list_of(URI))) == {"count", "empty"}
    assert "port" in attributes_of(environment, URI)


def test_a_route_in_one_line() -> None:
    text = "route user(time: duration, who: list of uri) { drop() }"
    (route,) = parse(text, Report("", text)).items
    assert isinstance(route, tree.Route)
    assert route_line(route) == "route user(time: duration, who: list of uri)"


@pytest.mark.parametrize(
    ("written", "path"), [("a", "a"), ("a.b.c", "a.b.c"), ('a["x"].b', ""), ("call.x", ""), ("f(a)", ""), ("1", "")]
)
def test_a_path_of_names(written: str, path: str) -> None:
    text = f"on request {{ let x = {written} }}"
    (entry,) = parse(text, Report("", text)).items
    assert isinstance(entry, tree.On)
    (let,) = entry.body.statements
    assert isinstance(let, tree.Let)
    assert dotted(let.value) == path


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("# one\n#two\nroute r()", "one\ntwo"),
        ("# far\n\n# near\nroute r()", "near"),
        ("x()\nroute r()", ""),
        ("route r()", ""),
        ("    # deep\nroute r()", "deep"),
    ],
)
def test_the_comment_above_a_block(text: str, comment: str) -> None:
    lines = text.split("\n")
    assert comment_above(lines, len(lines)) == comment
