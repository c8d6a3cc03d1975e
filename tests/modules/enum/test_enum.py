"""`enum(number)`: the walk through the records, and what a route gets."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from modules.enum.module import Enum
from modules.enum.settings import EnumSettings
from routing.runtime import Context
from sipcore.errors import Unavailable
from sipcore.locate import Resolver
from sipcore.need import Need
from tests.scripted_dns import ScriptedDns

NUMBER = "+4411"
KEY = "1.1.4.4.e164.arpa"


class Finder:
    """An Enum module with a zone of its own; `asked` calls wait as Needs."""

    def __init__(self, dns: ScriptedDns, **settings: Any) -> None:
        platform: Any = SimpleNamespace(settings={"enum": EnumSettings(**settings)}, get={Resolver: dns}.__getitem__)
        self.enum = Enum(platform)
        self.needs: list[Need[Any]] = []

    def find(self, number: str = NUMBER) -> list[str]:
        context: Context = SimpleNamespace()  # type: ignore[assignment]
        handler = self.enum.enum(context, number)
        return [destination.uri.text for destination in self._run(handler.send)]

    def _run(self, send: Callable[[Any], object]) -> Any:
        result: object = None
        while True:
            try:
                need = send(result)
            except StopIteration as end:
                return end.value
            assert isinstance(need, Need)
            self.needs.append(need)
            coroutine: Any = need.call(*need.arguments)
            result = self._run(coroutine.send)


def found(zone: str, number: str = NUMBER, **settings: Any) -> list[str]:
    return Finder(ScriptedDns(zone), **settings).find(number)


@pytest.mark.conformance("RFC 6116 5.2", "RFC 6116 3.5")
def test_records_come_in_their_order_and_those_of_no_use_are_passed_over() -> None:
    zone = f"""
        {KEY} NAPTR 20 1 u E2U+sip !^.*$!sip:fourth@example.com! .
        {KEY} NAPTR 10 9 u E2U+sip !^.*$!sip:third@example.com! .
        {KEY} NAPTR 10 1 u E2U+sip !^.*$!sip:first@example.com! .
        {KEY} NAPTR 10 1 u E2U+sip !^.*$!sip:second@example.com! .
        {KEY} NAPTR 1 1 u E2U+email:mailto !^.*$!mailto:a@example.com! .
        {KEY} NAPTR 1 2 u E2U+sip !(.*)*x!sip:evil@example.com! .
        {KEY} NAPTR 1 3 x E2U+sip !^.*$!sip:unknown-flag@example.com! .
        {KEY} NAPTR 1 4 u E2U+sip !^.*$!tel:+4411! .
        """
    assert found(zone) == [f"sip:{name}@example.com" for name in ("first", "second", "third", "fourth")]


def test_another_tree_can_be_asked() -> None:
    zone = "1.1.4.4.enum.example NAPTR 1 1 u E2U+sip !^.*$!sip:a@example.com! ."
    assert found(zone, suffix="enum.example") == ["sip:a@example.com"]


@pytest.mark.row("C30")
@pytest.mark.parametrize("number", ["", "1001", "+", "+4411@evil", "sip:+4411@example.com"])
def test_what_is_no_number_is_not_asked_for(number: str) -> None:
    dns = ScriptedDns()
    assert Finder(dns).find(number) == []
    assert not dns.asked


def test_a_number_that_is_not_there() -> None:
    assert found("") == []


@pytest.mark.conformance("RFC 6116 3.4.2", "RFC 6116 5.2.1")
def test_a_record_without_flags_leads_on() -> None:
    zone = f"""
        {KEY} NAPTR 1 1 "" "" "" other.example
        {KEY} NAPTR 2 1 u E2U+sip !^.*$!sip:last@example.com! .
        other.example NAPTR 9 9 u E2U+sip !^\\+(.*)$!sip:\\1@example.com! .
        """
    assert found(zone) == ["sip:4411@example.com", "sip:last@example.com"]


@pytest.mark.conformance("RFC 6116 5.2.1")
@pytest.mark.row("C28")
@pytest.mark.parametrize("leads_to", [KEY, "a.example", ".", "no_name..x", "gone.example", "silent.example"])
def test_records_that_lead_in_a_circle_or_nowhere_do_not_end_the_query(leads_to: str) -> None:
    zone = f"""
        {KEY} NAPTR 1 1 "" "" "" {leads_to}
        {KEY} NAPTR 2 1 u E2U+sip !^.*$!sip:good@example.com! .
        a.example NAPTR 1 1 "" "" "" b.example
        b.example NAPTR 1 1 "" "" "" a.example
        """
    dns = ScriptedDns(zone, silent={"silent.example"})
    assert Finder(dns).find() == ["sip:good@example.com"]
    assert len(dns.asked) <= 3


@pytest.mark.row("C28")
def test_chains_and_records_are_bounded() -> None:
    lines = [f'n{number}.example NAPTR 1 1 "" "" "" n{number + 1}.example' for number in range(100)]
    dns = ScriptedDns("\n".join([f'{KEY} NAPTR 1 1 "" "" "" n0.example', *lines]))
    assert Finder(dns).find() == []
    assert len(dns.asked) == 6

    many = [f"{KEY} NAPTR 1 {number} u E2U+sip !^.*$!sip:{number}@example.com! ." for number in range(500)]
    assert found("\n".join(many)) == [f"sip:{number}@example.com" for number in range(8)]


def test_what_must_be_asked_for_waits_once_and_not_for_ever() -> None:
    zone = f'{KEY} NAPTR 1 1 "" "" "" a.example\na.example NAPTR 1 1 u E2U+sip !^.*$!sip:a@example.com! .'
    finder = Finder(ScriptedDns(zone, remote=True), timeout=2.5)
    assert finder.find() == ["sip:a@example.com"]
    assert [need.timeout for need in finder.needs] == [2.5]


def test_when_nobody_answers_the_route_hears_of_it() -> None:
    with pytest.raises(Unavailable, match=r"no answer for NAPTR 1\.1\.4\.4\.e164\.arpa"):
        Finder(ScriptedDns(silent={KEY})).find()
