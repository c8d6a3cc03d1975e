"""Which configuration a route file belongs to, and when it is read again; columns as editors count them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routing.language.editor.analysis import Analysis
from routing.language.editor.completion import complete
from routing.language.editor.described import function_text
from routing.language.editor.source import Source
from routing.program import project as module
from routing.program.check import check_file
from routing.program.positions import offset_of, place_of, units
from routing.program.project import Projects, table_line

CONFIGURATION = 'domains = ["example.com"]\n\n[lists]\n"trunks" = ["192.0.2.1"]\n\n[hours]\noffice = "Mon"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ringway.toml").write_text(CONFIGURATION)
    (tmp_path / "routes" / "deep").mkdir(parents=True)
    return tmp_path


def tables(projects: Projects, file: Path | None) -> set[str]:
    return set(projects.of(file).environment.tables)


@pytest.mark.parametrize(
    "name", ["main.route", "routes/main.route", "routes/deep/main.route", "routes/main.test.route"]
)
def test_the_configuration_is_found_beside_the_file_or_above(folder: Path, name: str) -> None:
    project = Projects({}).of(folder / name)
    assert project.configuration is not None and project.configuration.resolve() == folder / "ringway.toml"
    assert {"domains", "banned", "lists.trunks", "hours.office"} <= set(project.environment.tables)
    assert project.mistake == ""


def test_check_finds_the_same_one(folder: Path) -> None:
    file = folder / "routes" / "deep" / "main.route"
    file.write_text("on request {\n    if source.ip in lists.trunks { drop() }\n    reply(404)\n}\n")
    assert check_file(file, {}).shown == ()


def test_the_nearest_configuration_wins(folder: Path) -> None:
    (folder / "routes" / "ringway.toml").write_text('domains = ["example.org"]\n')
    assert "lists.trunks" not in tables(Projects({}), folder / "routes" / "deep" / "main.route")


def test_it_is_read_again_when_it_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def examine(file: Path, environ: object) -> object:
        read.append(file)
        return real(file, environ)  # type: ignore[arg-type]

    real = module.examine
    monkeypatch.setattr(module, "examine", examine)
    projects = Projects({})
    first = projects.of(folder / "main.route")
    assert projects.of(folder / "main.route") is first
    assert projects.of(folder / "routes" / "other.route").environment is first.environment
    assert len(read) == 1
    (folder / "ringway.toml").write_text(CONFIGURATION.replace("trunks", "friends"))
    os.utime(folder / "ringway.toml", ns=(1, 1))
    assert "lists.friends" in tables(projects, folder / "main.route")
    assert len(read) == 2


def test_a_wrong_configuration_is_told_and_the_last_good_one_stays(folder: Path) -> None:
    projects = Projects({})
    assert "lists.trunks" in tables(projects, folder / "main.route")
    (folder / "ringway.toml").write_text("domains = 1\n")
    project = projects.of(folder / "main.route")
    assert project.mistake == "ringway.toml line 1: domains: expected a list, found 1"
    assert "lists.trunks" in project.environment.tables
    assert "lists.trunks" not in tables(Projects({}), folder / "main.route")


def test_a_configuration_that_can_not_be_read_is_told(folder: Path) -> None:
    (folder / "ringway.toml").write_bytes(b"\xff\n")
    assert Projects({}).of(folder / "main.route").mistake == "ringway.toml line 1: this is not UTF-8 text: byte FF"


# -- Python functions -------------------------------------------------------------------------------------------------

PYTHON = '''def find(number: str, *, country: str = "GB") -> str:
    """Find a number.

    It is looked for in all directories.
    """
    return number
'''


@pytest.fixture
def with_function(folder: Path) -> Path:
    """A configuration with a function, whose file is in another folder."""
    (folder / "lib").mkdir()
    (folder / "lib" / "directory.py").write_text(PYTHON)
    entry = '[functions]\nfind = {function = "directory:find", path = "lib"}\n'
    (folder / "ringway.toml").write_text(CONFIGURATION + entry)
    return folder


def rewrite(file: Path, text: str) -> None:
    """Write a file again, at a time that can be told from the one before."""
    before = file.stat().st_mtime_ns
    file.write_text(text)
    os.utime(file, ns=(before + 1, before + 1))


def test_functions_of_the_configuration_are_known_with_what_they_say(with_function: Path) -> None:
    environment = Projects({}).of(with_function / "main.route").environment
    assert function_text(environment.functions["find"]) == (
        "```ringway-route\nfind(number: text, country: text?) -> text\n```\n\n"
        "Find a number.\n\nIt is looked for in all directories."
    )
    text = 'on request { relay("sip:" + find(request.uri.user, ) + "@192.0.2.1") }'
    analysis = Analysis(text, environment)
    assert analysis.problems == []
    assert "country:" in {one.label for one in complete(analysis, text.index(")")).offers}


def test_a_function_is_read_again_when_its_file_changes(with_function: Path) -> None:
    projects = Projects({})
    first = projects.of(with_function / "main.route")
    assert projects.of(with_function / "main.route") is first
    rewrite(with_function / "lib" / "directory.py", PYTHON.replace("country", "region"))
    assert str(projects.of(with_function / "main.route").environment.functions["find"]) == (
        "find(number: text, region: text?)"
    )


def test_a_function_that_breaks_is_told_and_comes_back(with_function: Path) -> None:
    projects, file = Projects({}), with_function / "lib" / "directory.py"
    first = projects.of(with_function / "main.route")
    file.unlink()
    broken = projects.of(with_function / "main.route")
    assert broken.mistake == "ringway.toml line 9: functions.find: there is no module `directory`"
    assert broken.environment is first.environment
    assert projects.of(with_function / "main.route") is broken
    file.write_text(PYTHON)
    assert projects.of(with_function / "main.route").mistake == ""


def test_a_function_that_was_not_there_is_found_when_it_is(with_function: Path) -> None:
    file = with_function / "lib" / "directory.py"
    file.rename(file.with_suffix(".txt"))
    projects = Projects({})
    assert "there is no module" in projects.of(with_function / "main.route").mistake
    file.with_suffix(".txt").rename(file)
    assert "find" in projects.of(with_function / "main.route").environment.functions


def test_the_environment_goes_before_the_file(folder: Path) -> None:
    assert Projects({"RINGWAY_NODE": "?"}).of(folder / "main.route").mistake


def test_without_a_configuration_the_tests_of_the_routes_give_the_tables(tmp_path: Path) -> None:
    (tmp_path / "main.route").write_text("on request { drop() }\n")
    (tmp_path / "main.test.route").write_text(
        'test "x" {\n    given lists.friends "192.0.2.7"\n    given users alice\n    expect alice got nothing\n}\n'
    )
    projects = Projects({})
    assert "lists.friends" in tables(projects, tmp_path / "main.route")
    assert projects.of(tmp_path / "main.route").configuration is None
    assert "lists.friends" not in tables(projects, tmp_path / "other.route")
    assert projects.of(None) is projects.of(tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("table", "line"), [("lists.trunks", 4), ("hours.office", 7), ("domains", 1), ("lists.none", 1)]
)
def test_the_line_of_a_table(folder: Path, table: str, line: int) -> None:
    assert table_line(folder / "ringway.toml", table) == line
    assert table_line(folder / "none.toml", table) == 1


# -- columns ----------------------------------------------------------------------------------------------------------

TEXT = 'log("\N{SNOWMAN}\N{GRINNING FACE}x")\nplain\n'


@pytest.mark.parametrize(
    ("encoding", "columns"), [("utf-8", [5, 8, 12, 13]), ("utf-16", [5, 6, 8, 9]), ("utf-32", [5, 6, 7, 8])]
)
def test_columns_in_each_encoding(encoding: str, columns: list[int]) -> None:
    source = Source(TEXT)
    for offset, column in zip(range(5, 9), columns, strict=True):
        assert place_of(source, offset, encoding) == (0, column)
        assert offset_of(source, 0, column, encoding) == offset


def test_places_behind_the_end_are_the_end() -> None:
    source = Source(TEXT)
    assert offset_of(source, 0, 99, "utf-16") == TEXT.index("\n")
    assert offset_of(source, 1, 99, "utf-16") == TEXT.rindex("\n")
    assert offset_of(source, 7, 0, "utf-16") == len(TEXT)


def test_half_of_a_pair_counts_as_one() -> None:
    assert units("\ud83d", "utf-16") == 1 and units("\ud83d", "utf-8") == 3


def test_functions_of_the_configuration_are_known_and_not_run(folder: Path) -> None:
    (folder / "own.py").write_text(
        'raise SystemExit\n\n\ndef lucky(number: int) -> bool:\n    """Whether a number brings luck."""\n'
    )
    (folder / "ringway.toml").write_text(CONFIGURATION + '\n[functions]\nlucky = "own:lucky"\n')
    functions = Projects({}).of(folder / "main.route").environment.functions
    assert functions["lucky"].summary == "Whether a number brings luck."
