"""`shared` tables: stored and read back, for their lifetime, within bounds, through a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.language.bound import SharedTable as Declared
from routing.language.problem import Problem
from routing.runtime import Context
from routing.runtime.loader import load_routes
from routing.runtime.shared import SharedTable, SharedTables
from sipcore.errors import ConfigurationError

COUNT = """
shared calls: number for 10m
on request {
    shared.calls[source.ip] = shared.calls[source.ip] + 1
    note_down(shared.calls[source.ip], source.ip in shared.calls, "other" in shared.calls)
    drop()
}
"""


@pytest.fixture
def route(modules: Any, new_context: Callable[..., Context], recorder: Any) -> Callable[..., list[Any]]:
    """Run a text for a request at a time; returns what it noted down."""
    kept = SharedTables()

    def run(text: str, now: float = 1000.0, source: str = "192.0.2.1") -> list[Any]:
        recorder.calls.clear()
        context = new_context(source=(source, 5060))
        context.platform.stack.timers.now = now
        with pytest.raises(StopIteration):
            load_routes(text, modules, shared=kept).run(context).send(None)
        return [call[1:] for call in recorder.calls]

    return run


def test_an_entry_is_read_back_by_later_requests(route: Any) -> None:
    assert route(COUNT) == [(1, True, False)]
    assert route(COUNT) == [(2, True, False)]
    assert route(COUNT, source="192.0.2.2") == [(1, True, False)]


def test_an_entry_lives_for_the_lifetime_after_it_was_last_stored(route: Any) -> None:
    assert route(COUNT, 1000.0) == [(1, True, False)]
    assert route(COUNT, 1599.0) == [(2, True, False)]
    assert route(COUNT, 2198.0) == [(3, True, False)]
    assert route(COUNT, 2798.0) == [(1, True, False)]


@pytest.mark.parametrize(
    ("type_", "default", "stored", "value"),
    [
        ("text", "", '"sip:a@b"', "sip:a@b"),
        ("number", 0, "5", 5),
        ("truth", False, "true", True),
        ("duration", 0.0, "90s", 90.0),
    ],
)
def test_what_a_table_can_hold(type_: str, default: object, stored: str, value: object, route: Any) -> None:
    text = f"shared kept: {type_} for 1h\n" + (
        f'on request {{ note_down(shared.kept["a"]) shared.kept["a"] = {stored} note_down(shared.kept["a"]) drop() }}'
    )
    assert route(text) == [(default,), (value,)]


def test_an_entry_can_be_removed(route: Any) -> None:
    text = 'on request { shared.a["x"] = "1" remove(shared.a["x"]) note_down("x" in shared.a) drop() }'
    assert route(f"shared a: text for 1h\n{text}") == [(False,)]
    nothing = 'on request { remove(shared.a["x"]) note_down("y") drop() }'
    assert route(f"shared a: text for 1h\n{nothing}") == [("y",)]


def test_a_number_is_a_key_too(route: Any) -> None:
    text = 'on request { shared.a[source.port] = "1" note_down(shared.a["5060"], 5060 in shared.a) drop() }'
    assert route(f"shared a: text for 1h\n{text}") == [("1", True)]


def test_a_key_may_be_reckoned(route: Any) -> None:
    text = 'on request { shared.a["x" + 1] = 2 note_down(shared.a["x1"] + 1, "x" + 1 in shared.a) drop() }'
    assert route(f"shared a: number for 1h\n{text}") == [(3, True)]


def test_entries_stay_when_routes_are_loaded_again(route: Any) -> None:
    assert route(COUNT) == [(1, True, False)]
    assert route(COUNT.replace("10m", "20m") + "# changed\n") == [(2, True, False)]
    assert route(COUNT, 1000.0 + 1199.0) == [(1, True, False)], "the lifetime of the file in force counts"


def test_a_table_of_another_type_begins_empty(route: Any) -> None:
    route(COUNT)
    text = "shared calls: text for 10m\non request { note_down(shared.calls[source.ip]) drop() }"
    assert route(text) == [("",)]


def test_a_wrong_file_changes_no_table(route: Any) -> None:
    route(COUNT)
    with pytest.raises(ConfigurationError):
        route(COUNT.replace("10m", "1s") + "on mistake")
    assert route(COUNT, 1001.0) == [(2, True, False)]


def test_a_table_is_bounded() -> None:
    tables = SharedTables(100)
    table = tables.open(Declared("a", 0, 60.0))
    tables.bound(3)
    for number in range(10):
        table.put(str(number), number, 0.0)
    table.put("7", 70, 1.0)
    table.put("10", 10, 1.0)
    assert [table.get(str(number), 1.0) for number in range(11)] == [0] * 7 + [70, 0, 9, 10]
    assert len(table) == 3 and tables.open(Declared("b", 0, 60.0)).most == 3


def test_what_has_run_out_is_forgotten() -> None:
    table = SharedTable("a", 0, 60.0)
    for number in range(10):
        table.put(str(number), 1, float(number))
    table.put("new", 1, 65.0)
    assert len(table) == 5
    assert [table.has(str(number), 65.0) for number in (5, 6)] == [False, True]


def test_tables_are_found_again_by_their_name() -> None:
    tables = SharedTables()
    table = tables.open(Declared("a", 0, 60.0))
    assert tables.open(Declared("a", 0, 30.0)) is table and table.lifetime == 30.0
    assert tables.open(Declared("b", 0, 60.0)) is not table
    assert tables.open(Declared("a", "", 60.0)) is not table


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("shared a: uri for 1h", (1, 11), "a shared table can't hold `uri`", "it holds text, number, truth, duration"),
        ("shared a: text for 10", (1, 20), "a lifetime is a duration; this is a number", "as in `for 10m`"),
        ("shared a: text for 0s", (1, 20), "a table with no lifetime keeps nothing", "as in `for 10m`"),
        ("shared a: text for 10x", (1, 22), "`x` is no unit of time", "units are ms, s, m, h and d"),
        ("shared a: text for 1h\nshared a: text for 1h", (2, 8), "`shared a` stands in line 1 already", ""),
    ],
)
def test_mistakes_in_a_declaration(
    text: str, place: tuple[int, int], message: str, hint: str, check: Callable[[str], list[Problem]]
) -> None:
    problems = check(text + '\non request { note_down(shared.a["x"]) drop() }')
    (found,) = [one for one in problems if one.severity.value == "error"]
    assert ((found.line, found.column), found.message, found.hint) == (place, message, hint)


@pytest.mark.parametrize(
    ("use", "column", "message", "hint"),
    [
        ('note_down(shared.sene["x"])', 24, "there is no table `shared.sene`", "did you mean `shared.seen`?"),
        ('shared.seen["x"] = "y"', 33, "expected a number, this is text", ""),
        (
            "shared.seen[request.uri] = 1",
            26,
            "expected text, this is a uri",
            "its text is `.text`; there are `.user` and `.domain` too",
        ),
        (
            "shared.seen = 1",
            14,
            "`shared.seen` is a table; one entry is stored at a time",
            "write `shared.seen[key] = ...`",
        ),
        ("note_down(shared.seen.size)", 36, "a shared table of number has no `size`", ""),
        (
            "for x in shared.seen { note_down(x) }",
            23,
            "`for` goes through a list; this is of type shared table of number",
            "",
        ),
        ("let x = shared.seen", 22, "`x` can't hold this: use it where it stands", ""),
        (
            "if request.uri in shared.seen { drop() }",
            17,
            "expected text, this is a uri",
            "its text is `.text`; there are `.user` and `.domain` too",
        ),
    ],
)
def test_mistakes_in_use(use: str, column: int, message: str, hint: str, check: Callable[[str], list[Problem]]) -> None:
    text = f'on request {{ {use} shared.seen["k"] = 1 drop() }}\nshared seen: number for 1h\n'
    errors = [problem for problem in check(text) if problem.severity.value == "error"]
    assert [(one.column, one.message, one.hint) for one in errors] == [(column, message, hint)]


def test_a_table_that_nobody_uses_is_worth_a_warning(check: Callable[[str], list[Problem]]) -> None:
    (problem,) = check("shared a: text for 1h\non request { drop() }")
    assert (problem.severity.value, problem.column, problem.message) == ("warning", 8, "`shared.a` is never used")
