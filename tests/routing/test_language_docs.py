"""docs/routing-language.md: every example is right, every table is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modules.auth.module import Auth
from modules.enum.module import Enum
from modules.limits.module import Limits
from modules.proxy.module import Proxy
from modules.registrar.module import Registrar
from routing.language.call_order import DEEPEST_CALLS
from routing.language.lexer import DEEPEST, MOST_WORDS
from routing.language.problem import render
from routing.language.source import LARGEST
from routing.program.check import check_file
from routing.program.config import LimitSettings
from routing.program.functions import DEFAULT_TIMEOUT
from routing.runtime import Domains
from routing.runtime.builtins import Builtins
from routing.runtime.functions import function_table
from routing.runtime.loader import PARAMETER_TYPES, check_routes
from routing.runtime.properties import ATTRIBUTES, SERVERS_OWN, described
from routing.runtime.steps import MOST_STEPS
from routing.runtime.texts import Texts
from sipcore.message.names import spelling

PAGE = Path(__file__).parents[2].joinpath("docs", "routing-language.md").read_text("utf-8")
MODULES = [Builtins, Texts, Auth, Registrar, Proxy, Enum, Limits]
TABLES = {"domains": Domains(("example.com",))}
EXAMPLES = re.findall(r"^```route\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHOWN = {
    "`request.header`": '`request.header["Subject"]`',
    "`from`": "`from`, `to`",
    "`to`": "`from`, `to`",
}


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_right(example: str) -> None:
    text = example if "on request" in example else f"on request {{\n{example}\ndrop()\n}}\n"
    assert [render(problem, text) for problem in check_routes(text, MODULES, TABLES)] == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("kind", ["mistake", "warning"])
def test_the_mistakes_are_the_ones_that_are_shown(kind: str) -> None:
    ((text, shown),) = re.findall(rf"^```route {kind}\n(.*?)^```\n\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    problems = check_routes(text, MODULES, TABLES)
    assert "\n".join(render(problem, text) for problem in problems) + "\n" == shown


def test_the_functions_of_the_example_are_right(tmp_path: Path) -> None:
    python, configuration, route = (
        re.findall(rf"^```{kind}\n(.*?)^```", section("Python functions"), re.MULTILINE | re.DOTALL)[0]
        for kind in ("python", "toml", "route with functions")
    )
    (tmp_path / "lib" / "acme").mkdir(parents=True)
    for file in ("directory.py", "lib/acme/__init__.py", "lib/acme/fraud.py"):
        (tmp_path / file).write_text(python)
    (tmp_path / "ringway.toml").write_text(f'domains = ["example.com"]\n{configuration}')
    (tmp_path / "main.route").write_text(route)
    checked = check_file(tmp_path / "ringway.toml", {})
    assert checked.shown == () and checked.config is not None
    assert checked.config.functions["score"].timeout == 0.5
    text = section("Python functions")
    assert f"{DEFAULT_TIMEOUT:g} s when nothing is said" in text
    assert f"{LimitSettings().function_workers} threads" in text


def test_every_function_stands_in_the_table_with_its_first_sentence() -> None:
    functions = function_table(MODULES)
    rows = dict(re.findall(r"^\| `(\w+)\(.*?\)` \| (.*) \|$", section("Functions"), re.MULTILINE))
    assert rows == {name: signature.summary for name, signature in functions.items()}


def test_every_function_is_shown_with_its_labels() -> None:
    shown = dict(re.findall(r"^\| `(\w+)\((.*?)\)` \|", section("Functions"), re.MULTILINE))
    for signature in function_table(MODULES).values():
        named = [one.name for one in signature.parameters if one.labelled]
        assert re.findall(r"(\w+):", shown[signature.name]) == named


def test_every_property_is_described() -> None:
    text = section("Properties")
    for path, row in described():
        first, dot, last = path.partition(".")
        if first == "request" and dot:
            shown = SHOWN.get(f"`{path}`", f"`{path}`")
            assert f"| {shown} | {row.summary}" in text
        elif dot:
            assert f"`.{last}`" in text
        else:
            assert f"`{path}" in text
    for name in ATTRIBUTES["uri"]:
        assert f".{name}" in text
    for kind in ("session description", "medium"):
        for name in ATTRIBUTES[kind]:
            assert f"`.{name}`" in section("Session descriptions")


def test_the_small_print_is_right() -> None:
    for name in SERVERS_OWN:
        assert spelling(name).decode() in section("Properties")
    for name in PARAMETER_TYPES:
        assert name in section("Types")
    assert f"{MOST_STEPS:,} turns" in PAGE
    for bound in (
        f"{LARGEST:,} characters",
        f"{MOST_WORDS:,} words",
        f"{DEEPEST} brackets",
        f"up to {DEEPEST_CALLS} deep",
    ):
        assert bound in PAGE
    assert f"{LimitSettings().shared:,} entries" in PAGE
