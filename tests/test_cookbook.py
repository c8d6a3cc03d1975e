"""docs/cookbook: every recipe is right, does something, and every number of the catalogue is shown or waited for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routing.program.check import check_file
from routing.program.rehearsal.command import Performed, Wanted, rehearse, run
from routing.program.rehearsal.report import failed
from routing.program.rehearsal.suite import suites
from tests.cookbook import BASE, FOLDER, PAGE, Recipe, catalogue, page, read, recipes

RECIPES = recipes()
AT_LEAST = 35


def performed(file: Path) -> Performed:
    (suite,) = suites([file], None, {})
    return run(suite)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.file.stem)
def test_a_recipe_passes_its_tests(recipe: Recipe) -> None:
    done = performed(recipe.file)
    lines = recipe.file.read_text("utf-8").split("\n")
    wrong = [failed(told, "\n".join(lines), lambda line: lines[line - 1]) for told in done.told if told.failure]
    assert (done.mistakes, wrong) == ([], [])
    assert len(done.told) >= 2, "a good case and a bad one"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.file.stem)
def test_a_recipe_is_checked_without_a_word(recipe: Recipe) -> None:
    assert check_file(recipe.file, {}, tests=True).shown == ()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.file.stem)
def test_every_line_of_a_recipe_runs(recipe: Recipe) -> None:
    never = performed(recipe.file).coverage.never_ran()
    lines = recipe.file.read_text("utf-8").split("\n")
    left = [lines[span.line - 1].strip() for span in never]
    assert [line for line in left if line not in BASE] == []


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.file.stem)
def test_the_tests_of_a_recipe_fail_without_it(recipe: Recipe, tmp_path: Path) -> None:
    """Tests that pass with the plain route as well would show nothing."""
    file = tmp_path / "main.route"
    tests = recipe.file.read_text("utf-8").partition("\ntest ")[2]
    file.write_text(f"{BASE}\ntest {tests}", "utf-8")
    done = performed(file)
    assert done.mistakes == []
    assert [told for told in done.told if told.failure]


def test_every_number_is_shown_or_waited_for() -> None:
    groups, later = catalogue()
    known = [number for items in groups.values() for number in items]
    assert known == list(range(1, 70))
    shown = {number for recipe in RECIPES for number in recipe.items}
    assert shown | set(later) == set(known)
    assert list(later) == sorted(later)


def test_there_are_enough_and_each_group_has_some() -> None:
    assert len(RECIPES) >= AT_LEAST
    groups, _ = catalogue()
    first = {recipe.items[0] for recipe in RECIPES}
    assert all(first & set(items) for items in groups.values())


def test_titles_and_reasons_read_well() -> None:
    assert len({recipe.title for recipe in RECIPES}) == len(RECIPES)
    for recipe in RECIPES:
        assert recipe.why.endswith((".", "]."))
        assert not recipe.title.endswith(".")
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", recipe.file.stem)


def test_a_recipe_that_does_not_say_what_it_shows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lost.route"
    file.write_text("# A title\n\non request { reply(200) }\n", "utf-8")
    with pytest.raises(ValueError, match=r"lost\.route: it begins with"):
        read(file)


def test_the_page_is_made_of_the_recipes() -> None:
    assert PAGE.read_text("utf-8") == page(), "run ./dev reference"


def test_the_page_shows_what_matters_and_leaves_out_what_is_the_same() -> None:
    text = page()
    assert text.count(BASE[BASE.index("    if ") : BASE.index("    ring")]) == 1
    for recipe in RECIPES:
        assert f"(cookbook/{recipe.file.name})" in text
        assert f"### {recipe.title}\n" in text
        assert recipe.essential in text
        assert "test {" not in recipe.essential
    assert '\ntest "' not in text


def test_each_number_leads_to_its_recipes() -> None:
    table = page().split("## By number\n")[1]
    rows = dict(re.findall(r"^\| (\d+) \| .* \| (.*) \|$", table, re.MULTILINE))
    assert len(rows) == 69
    for number, cell in rows.items():
        links = re.findall(r"\(cookbook/([\w-]+)\.route\)", cell)
        assert links == [one.file.stem for one in RECIPES if int(number) in one.items]
        assert bool(links) != (cell == "not yet")


def test_the_command_runs_the_whole_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert rehearse(Wanted([FOLDER]), {}) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^\d+ tests passed in ", shown, re.MULTILINE)
    assert shown.count(".route: ") == len(RECIPES)
