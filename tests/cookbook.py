"""The page docs/cookbook.md, made of the recipes in docs/cookbook: what you want, the file, and its lines that matter.

A recipe begins with comments: its title, a paragraph why, and the numbers of what it shows, which tests/cookbook.toml
names. `./dev reference` runs this file.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "cookbook"
PAGE = ROOT / "docs" / "cookbook.md"
_HEAD = re.compile(r"# (?P<title>[^\n]+)\n#\n(?P<why>(?:# [^\n]+\n)+)#\n# Items: (?P<items>\d+(?:, \d+)*)\n\n")

BASE = """\
on request {
    if request.method == "REGISTER" {
        authenticate(as: to)
        save()
    }
    authenticate(as: from)
    ring(lookup(request.uri))
    reply(outcome)
}
"""
"""What most recipes begin from: users who prove who they are, and call each other."""

_INTRODUCTION = """\
# Cookbook

Made of the files in [cookbook/](cookbook) by `./dev reference`; don't edit it. Each recipe is a complete route
file with tests that show what it does: copy it, or what you need of it, and run `ringway test docs/cookbook`.

Most of them begin with the same lines, which are left out below: users prove who they are, and nobody else calls
anywhere. What a recipe adds stands between them:

```route
{base}```
"""
_NUMBERS = """\
## By number

| number | wanted | recipes |
|---|---|---|
"""
_LATER = """\
## Not yet

What operators do elsewhere, and what of it Ringway can't do in this version, by the numbers that the recipes name:

| number | wanted | what is missing |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One file of the cookbook; `items` are numbers of the catalogue."""

    file: Path
    title: str
    why: str
    items: tuple[int, ...]
    route: str
    """What stands before the first test."""

    @property
    def essential(self) -> str:
        """The route without the lines that most recipes share."""
        common = re.escape(BASE[BASE.index("    if ") : BASE.index("    ring")])
        return re.sub(common, "", self.route, count=1)


@cache
def catalogue() -> tuple[dict[str, dict[int, str]], dict[int, str]]:
    """What operators want, by group and number, and why some of it waits."""
    groups = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    numbered = {name: {int(number): text for number, text in rows.items()} for name, rows in groups.items()}
    later = numbered.pop("later")
    return numbered, later


def read(file: Path) -> Recipe:
    """A recipe; ValueError when its first lines do not say what they must."""
    text = file.read_text("utf-8")
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(
            f"{file.name}: it begins with `# Title`, `#`, the reason, `#`, `# Items: 1, 2` and an empty line"
        )
    route, _, _ = text[head.end() :].partition("\ntest ")
    why = " ".join(line.removeprefix("# ") for line in head["why"].splitlines())
    return Recipe(file, head["title"], why, tuple(map(int, head["items"].split(", "))), route.rstrip("\n") + "\n")


def recipes() -> list[Recipe]:
    """All recipes, by the first number each shows."""
    return sorted(map(read, sorted(FOLDER.glob("*.route"))), key=lambda recipe: recipe.items[0])


def page() -> str:
    """The text of docs/cookbook.md."""
    groups, later = catalogue()
    found = recipes()
    parts = [_INTRODUCTION.format(base=BASE)]
    for name, items in groups.items():
        of_group = [recipe for recipe in found if recipe.items[0] in items]
        parts += [f"## {name}\n", *_table(of_group), *map(_shown, of_group)]
    names = {number: text for items in groups.values() for number, text in items.items()}
    rows = [f"| {number} | {names[number]} | {text} |\n" for number, text in later.items()]
    shown = [f"| {number} | {text} | {_links(number, found)} |\n" for number, text in names.items()]
    return "\n".join(parts) + "\n" + _LATER + "".join(rows) + "\n" + _NUMBERS + "".join(shown)


def _links(number: int, found: list[Recipe]) -> str:
    files = [recipe.file for recipe in found if number in recipe.items]
    return ", ".join(f"[{file.stem}](cookbook/{file.name})" for file in files) or "not yet"


def _table(found: list[Recipe]) -> Iterator[str]:
    yield "| what you want | file | numbers |\n|---|---|---|\n" + "".join(
        f"| {one.title} | [{one.file.name}](cookbook/{one.file.name}) | {', '.join(map(str, one.items))} |\n"
        for one in found
    )


def _shown(recipe: Recipe) -> str:
    why = textwrap.fill(recipe.why, 130, break_long_words=False)
    return f"### {recipe.title}\n\n{why}\n\n```route\n{recipe.essential}```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
