"""Functions of the language, read from the declarations of modules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import pytest

from routing.language.types import list_of
from routing.runtime import (
    Context,
    Destination,
    Duration,
    Ends,
    FinalCode,
    HeaderField,
    Module,
    Networks,
    Place,
    Rate,
    function,
)
from routing.runtime.context import Outcome
from routing.runtime.functions import function_table
from sipcore.errors import ConfigurationError
from sipcore.message import NameAddr
from sipcore.uri import Uri

if TYPE_CHECKING:
    from decimal import Decimal

Where = str | Uri | Destination | list[Destination]


class Sample(Module):
    """One function of each kind."""

    name = "sample"

    @function()
    def plain(self, context: Context, text: str, number: int, share: float = 0.5, *, yes_: bool = True) -> str:
        """Say something.

        More about it.
        """
        return text

    @function(ends=Ends.MAY)
    async def may(self, context: Context, to: Where | None = None, *, for_: Optional[Duration] = None) -> bool:  # noqa: UP045
        """Perhaps."""
        return False

    @function(ends=Ends.ALWAYS, name="finish")
    def finish_it(self, context: Context, code: int, final: FinalCode | Outcome) -> None:
        """End."""

    @function(places=Place.REQUEST | Place.BRANCH)
    def edit(self, context: Context, header: HeaderField, *values: object) -> None:
        """Edit."""

    @function()
    def types(
        self,
        context: Context,
        one: Rate,
        two: Networks,
        three: NameAddr,
        four: re.Pattern[str],
        five: Sequence[str],
        six: Union[str, Uri],  # noqa: UP007
        seven: list,  # type: ignore[type-arg]
        eight: Iterable[Destination],
        nine: Any,
    ) -> tuple[Uri, ...]:
        """Everything."""
        return ()

    def undeclared(self, context: Context) -> None:
        """Not for routes."""


def test_functions_are_found_with_their_shape() -> None:
    table = function_table([Sample(None)])  # type: ignore[arg-type]
    assert sorted(table) == ["edit", "finish", "may", "plain", "types"]
    assert str(table["plain"]) == "plain(text: text, number: number, share: number?, yes: truth?)"
    assert str(table["may"]) == "may(to: text or uri or destination or list of destination?, for: duration?)"
    assert str(table["finish"]) == "finish(code: status code, final: final status code or outcome)"
    assert str(table["edit"]) == "edit(header: header, ...values: any value)"
    assert [str(one.type) for one in table["types"].parameters] == [
        "rate",
        "network",
        "address",
        "pattern",
        "list of text",
        "text or uri",
        "list of any value",
        "list of destination",
        "any value",
    ]
    assert table["types"].result == list_of(table["types"].parameters[5].type.alternatives[1])


def test_a_declaration_says_how_it_is_called() -> None:
    module = Sample(None)  # type: ignore[arg-type]
    table = function_table([module])
    plain, may, finish = table["plain"], table["may"], table["finish"]
    assert (plain.ends, plain.places, plain.waits, plain.summary) == (
        Ends.NEVER,
        Place.REQUEST,
        False,
        "Say something.",
    )
    assert (may.ends, may.waits, may.module) == (Ends.MAY, True, "sample")
    assert (finish.ends, finish.target) == (Ends.ALWAYS, module.finish_it)
    assert [(one.name, one.keyword, one.labelled, one.required) for one in may.parameters] == [
        ("to", "to", False, False),
        ("for", "for_", True, False),
    ]


def test_a_class_is_enough_to_check_with() -> None:
    assert sorted(function_table([Sample])) == ["edit", "finish", "may", "plain", "types"]


def refused(kind: type[Module]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        function_table([kind])
    (problem,) = caught.value.problems
    return problem


def test_a_type_the_language_does_not_know_is_refused() -> None:
    class Wrong(Module):
        name = "wrong"

        @function()
        def f(self, context: Context, value: bytes) -> None:
            """Take bytes."""

    assert refused(Wrong) == "function `f` of wrong: `value`: the language has no type for <class 'bytes'>"


def test_a_missing_annotation_is_refused() -> None:
    class Wrong(Module):
        @function()
        def f(self, context: Context, value) -> None:  # type: ignore[no-untyped-def]
            """Take something."""

    assert refused(Wrong).startswith("function `f` of Wrong: `value`: the language has no type for ")


def test_a_name_known_to_type_checkers_only_is_refused() -> None:
    class Wrong(Module):
        name = "wrong"

        @function()
        def f(self, context: Context, value: Decimal) -> None:
            """Take a decimal."""

    assert refused(Wrong).endswith("name 'Decimal' is not defined; import it outside `if TYPE_CHECKING`")


def test_a_function_that_may_end_must_say_whether_it_did() -> None:
    class Wrong(Module):
        name = "wrong"

        @function(ends=Ends.MAY)
        def f(self, context: Context) -> None:
            """Forget to say."""

    assert refused(Wrong) == "function `f` of wrong: it may end the route, so it returns bool"


@pytest.mark.parametrize("place", [Place.BRANCH, Place.REPLY, Place.REQUEST | Place.BRANCH])
def test_a_branch_function_cannot_wait(place: Place) -> None:
    class Wrong(Module):
        name = "wrong"

        @function(places=place)
        async def f(self, context: Context) -> None:
            """Wait."""

    assert refused(Wrong) == "function `f` of wrong: it may wait, so it can't be offered to branch and reply functions"


def test_open_keywords_are_refused() -> None:
    class Wrong(Module):
        name = "wrong"

        @function()
        def f(self, context: Context, **rest: str) -> None:
            """Take whatever."""

    assert refused(Wrong) == "function `f` of wrong: `**rest` has no meaning in a route"


def test_two_modules_cannot_offer_the_same_function() -> None:
    class Other(Module):
        name = "other"

        @function()
        def plain(self, context: Context) -> None:
            """Again."""

    with pytest.raises(ConfigurationError) as caught:
        function_table([Sample, Other])
    assert caught.value.problems == ["function `plain`: offered by sample and other"]
