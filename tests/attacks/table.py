"""The attack table: each row has one attack, which fails when something else happens than the row says."""

from __future__ import annotations

from collections.abc import Callable

from tests.attacks.field import Field

Attack = Callable[[Field], None]
ATTACKS: dict[str, Attack] = {}


def row(identifier: str) -> Callable[[Attack], Attack]:
    """Make a function the attack of a row."""

    def enter(attack: Attack) -> Attack:
        assert identifier not in ATTACKS, f"{identifier} has an attack already"
        ATTACKS[identifier] = attack
        return attack

    return enter
