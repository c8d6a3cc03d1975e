"""Lists as tables and as JSON."""

import json

import pytest

from routing.program.passwords import generate
from routing.program.tables import show, table
from routing.program.version import version

ROWS = [{"name": "a", "expires_in": 5, "list": ["x", "y"]}, {"name": "bbbb", "expires_in": None, "list": []}]


def test_columns_are_aligned() -> None:
    assert table(("name", "expires_in", "list"), ROWS) == [
        "NAME  EXPIRES IN  LIST",
        "a     5           x, y",
        "bbbb  -",
    ]


def test_what_phones_sent_is_escaped() -> None:
    assert table(("name",), [{"name": "\x1b[2J\n"}])[1] == "\\x1b[2J\\n"


def test_json_holds_everything(capsys: pytest.CaptureFixture[str]) -> None:
    show(("name",), ROWS, True, "nothing")
    assert json.loads(capsys.readouterr().out) == ROWS


def test_nothing_to_list(capsys: pytest.CaptureFixture[str]) -> None:
    show(("name",), [], False, "nothing here")
    assert capsys.readouterr().out == "nothing here\n"


def test_generated_passwords_are_readable_and_differ() -> None:
    made = {generate() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        assert [len(group) for group in password.split("-")] == [4, 4, 4]
        assert not set(password) & set("ilo01")


def test_the_version_is_the_one_of_the_distribution() -> None:
    assert version().count(".") == 2
