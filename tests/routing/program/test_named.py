"""[hours] and [lists]: what routes ask by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.language.hours import Hours
from routing.language.networks import Networks
from routing.program.check import check, check_file
from routing.program.config import examine, load
from routing.program.exit_codes import OK

TEXT = """domains = ["example.com"]
secret = "0123456789abcdef"
[hours]
office = "Mon-Fri 09:00-17:30 Europe/London"
[lists]
trunks = ["192.0.2.0/28", "2001:db8::1"]
premium = ["0900", "0137"]
nothing = []
"""
ROUTE = "on request { if now in hours.office and source.ip in lists.trunks { reply(200) } reply(404) }\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "ringway.toml"
    file.write_text(TEXT, "utf-8")
    (tmp_path / "main.route").write_text(ROUTE, "utf-8")
    return file


def test_names_become_tables(file: Path) -> None:
    tables = load(file, {}).tables()
    assert tables == {
        "hours.office": Hours("Mon-Fri 09:00-17:30 Europe/London"),
        "lists.trunks": Networks(["192.0.2.0/28", "2001:db8::1"]),
        "lists.premium": frozenset({"0900", "0137"}),
        "lists.nothing": frozenset(),
    }
    assert "192.0.2.5" in tables["lists.trunks"]


def test_the_same_text_is_the_same_setting(file: Path) -> None:
    assert load(file, {}) == load(file, {})
    changed = file.with_name("other.toml")
    changed.write_text(TEXT.replace("17:30", "18:00"), "utf-8")
    assert load(file, {}).hours != load(changed, {}).hours


def test_they_are_shown_and_known_to_routes(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check([file], {}, as_json=False) == OK
    shown = capsys.readouterr().out
    assert '[hours]\noffice = "Mon-Fri 09:00-17:30 Europe/London"\n' in shown
    assert 'trunks = ["192.0.2.0/28", "2001:db8::1"]\npremium = ["0137", "0900"]\nnothing = []\n' in shown


def test_a_route_file_alone_is_checked_with_the_configuration_near_it(file: Path) -> None:
    assert not check_file(file.with_name("main.route"), {}).failed
    deeper = file.parent / "routes"
    deeper.mkdir()
    (deeper / "main.route").write_text(ROUTE, "utf-8")
    assert not check_file(deeper / "main.route", {}).failed
    file.unlink()
    assert check_file(deeper / "main.route", {}).failed


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("hours = 1", 2, "hours: expected a table, found 1", "write [hours] on a line above its keys"),
        (
            '[hours]\na = "Mon 9-17"',
            3,
            'hours.a: expected a time window, found "Mon 9-17"',
            "`9-17` is no day, date or time; as in `Mon-Fri 09:00-17:30, Sat 10:00-12:00` or `25 Dec - 1 Jan`",
        ),
        ("[hours]\na = 9", 3, "hours.a: expected a time window, found 9", 'as in "Mon-Fri 09:00-17:30"'),
        (
            '[hours]\n"a b" = "Mon"',
            3,
            'hours.a b: expected a name of letters, digits and underscores, found "a b"',
            "",
        ),
        ('[lists]\na = "x"', 3, 'lists.a: expected a list, found "x"', ""),
        ("[lists]\na = [1]", 3, "lists.a[1]: expected a text, found 1", ""),
    ],
)
def test_mistakes(text: str, line: int, message: str, hint: str, tmp_path: Path) -> None:
    file = tmp_path / "ringway.toml"
    file.write_text(f'domains = ["example.com"]\n{text}\n', "utf-8")
    (problem,) = examine(file, {}).problems
    assert (problem.line, problem.message, problem.hint) == (line, message, hint)
