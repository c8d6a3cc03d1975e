"""Which tests belong to which routes, and to which configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.program.rehearsal.suite import (
    companion,
    is_test_file,
    nearby,
    problems_of_tests,
    routes_of,
    settings_in,
    suites,
)
from sipcore.errors import ConfigurationError

ROUTE = "on request { drop() }\n"
TEST = 'test "it" {\n    expect nobody talks\n}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.route").write_text(ROUTE)
    return tmp_path


def test_names_of_files() -> None:
    assert companion(Path("a/main.route")) == Path("a/main.test.route")
    assert routes_of(Path("a/main.test.route")) == Path("a/main.route")
    assert routes_of(Path("a/main.route")) == Path("a/main.route")
    assert is_test_file(Path("a/main.test.route"))
    assert not is_test_file(Path("a/test.route"))


def test_tests_in_the_file_and_beside_it(folder: Path) -> None:
    (folder / "main.route").write_text(ROUTE + TEST)
    (folder / "main.test.route").write_text(TEST.replace("it", "other"))
    (suite,) = suites([folder / "main.route"], None, {})
    assert [source.file.name for source in suite.sources] == ["main.route", "main.test.route"]
    assert [story.name for source in suite.sources for story in source.stories] == ["it", "other"]
    assert suite.route_file == folder / "main.route"


def test_a_name_may_stand_in_both_files(folder: Path) -> None:
    (folder / "main.route").write_text(ROUTE + TEST)
    (folder / "main.test.route").write_text(TEST)
    (suite,) = suites([folder], None, {})
    assert [source.problems for source in suite.sources] == [(), ()]


def test_each_file_once_in_the_order_of_the_command_line(folder: Path) -> None:
    other = folder / "other.route"
    other.write_text(ROUTE)
    files = [other, folder, folder / "main.test.route", other]
    assert [suite.route_file.name for suite in suites(files, None, {})] == ["other.route", "main.route"]


def test_a_folder_is_searched_to_its_depth(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "deep.route").write_text(ROUTE)
    (folder / "a" / "b" / "deep.test.route").write_text(TEST)
    (folder / "a" / "notes.txt").write_text("nothing")
    assert [suite.route_file.name for suite in suites([folder], None, {})] == ["deep.route", "main.route"]


def test_the_configuration_beside_the_routes_or_one_folder_up(folder: Path) -> None:
    assert nearby(folder / "main.route") is None or nearby(folder / "main.route") != folder / "ringway.toml"
    (folder / "ringway.toml").write_text('domains = ["example.org"]\n')
    (folder / "routes").mkdir()
    assert nearby(folder / "main.route") == folder / "ringway.toml"
    assert nearby(folder / "routes" / "main.route") == folder / "ringway.toml"
    (folder / "routes" / "ringway.toml").write_text('domains = ["example.net"]\n')
    assert nearby(folder / "routes" / "main.route") == folder / "routes" / "ringway.toml"


def test_a_wrong_configuration_is_no_configuration(folder: Path) -> None:
    (folder / "ringway.toml").write_text("domains = 7\n")
    for file in (folder, folder / "main.route", folder / "ringway.toml"):
        with pytest.raises(ConfigurationError, match="expected a list, found 7"):
            suites([file], None, {})


def test_mistakes_and_warnings_as_people_read_them(folder: Path) -> None:
    (folder / "main.test.route").write_text('test "a" {\n    given\n}\ntest "b" {\n    given users x\n}\n')
    (suite,) = suites([folder / "main.route"], None, {})
    first, second = suite.sources[1].rendered()
    assert first.startswith(f"error: {folder}/main.test.route:2:10: expected `user`, ")
    assert second.startswith(f"warning: {folder}/main.test.route:4:6: this test expects nothing\n")
    assert suite.sources[1].stories != () and suite.sources[1].stories[0].name == "b"


def test_problems_for_the_check(folder: Path) -> None:
    wrong = TEST.replace("    expect", "    given registrar.contacts 0\n    expect")
    (folder / "main.route").write_text(ROUTE + wrong)
    (folder / "main.test.route").write_text(wrong.replace("it", "other") + "test { given }\n")
    found = problems_of_tests(folder / "main.route", settings_in(None, {}))
    assert [(Path(problem.file).name, problem.line) for problem, _ in found] == [
        ("main.route", 3), ("main.test.route", 5),
    ]  # fmt: skip
    assert found[0][1].startswith(ROUTE)
