"""Every row of the attack table, against running servers: the status or silence it asks for, and nothing harmed.

After each attack the processes live and the next OPTIONS is answered within a second; at the end their memory is what
it was, nothing is left in their tables, and no record of their logs has more than one line.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks import framing, messages, registrar, resources, transactions, ways
from tests.attacks.field import Field, field_of_attack
from tests.attacks.table import ATTACKS
from tests.conformance import titles
from tests.private_network import private_network
from tests.probing import bad_records

FAMILIES = (framing, messages, transactions, ways, registrar, resources)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with private_network(), field_of_attack(tmp_path_factory.mktemp("attacks")) as made:
        resources.warm_up(made)
        yield made


def test_every_row_has_an_attack_and_every_attack_a_row() -> None:
    assert sorted(ATTACKS) == sorted(titles()["rows"])


@pytest.mark.parametrize("row", [pytest.param(name, marks=pytest.mark.row(name)) for name in sorted(ATTACKS)])
def test_row(row: str, field: Field) -> None:
    resources.attack(row, field)
    for place in field.places.values():
        place.well()
        place.well(transport="tcp")


def test_afterwards_memory_is_what_it_was_and_nothing_is_left(field: Field) -> None:
    for name, place in field.places.items():
        resources.wait_until_nothing_is_left(name, place, field)


def test_afterwards_every_record_has_one_line_and_none_is_a_fault(field: Field) -> None:
    for name, place in field.places.items():
        log = place.server.printed()
        assert not bad_records(log), (name, bad_records(log)[:5])
        # The one fault there was is that of the route which turns too often: its own line is shown.
        assert all("main.route" in line for line in log.splitlines() if "Traceback" in line), name
