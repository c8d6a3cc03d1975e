"""What tests of the editor's answers share: texts with a `|` where the cursor is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.editor.analysis import Analysis
from routing.language.environment import Environment
from routing.language.hours import Hours
from routing.language.networks import Networks
from routing.program.server import MODULES
from routing.runtime import Domains
from routing.runtime.loader import make_environment

TABLES = {
    "domains": Domains(("example.com",)),
    "lists.trunks": Networks(["192.0.2.0/24"]),
    "lists.denied": frozenset({"0900"}),
    "hours.office": Hours("Mon-Fri 09:00-17:30"),
}


@pytest.fixture(scope="session")
def environment() -> Environment:
    return make_environment(MODULES, TABLES)


@pytest.fixture
def analyse(environment: Environment) -> Callable[[str], Analysis]:
    """Look at a text."""
    return lambda text: Analysis(text, environment)


@pytest.fixture
def at(environment: Environment) -> Callable[[str], tuple[Analysis, int]]:
    """Look at a text without its `|`, and where that stood."""

    def split(marked: str) -> tuple[Analysis, int]:
        offset = marked.index("|")
        return Analysis(marked[:offset] + marked[offset + 1 :], environment), offset

    return split
