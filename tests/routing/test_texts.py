"""Functions on texts and numbers, as routes call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.language.literals import BadLiteral
from routing.language.problem import Problem
from routing.runtime import Context
from routing.runtime.builtins import Builtins
from routing.runtime.loader import check_routes, load_routes
from routing.runtime.numbering import PLANS, country, to_e164, to_national
from routing.runtime.texts import Texts, replacement
from sipcore.errors import RingwayError


@pytest.fixture
def value(platform: Any, new_context: Callable[..., Context], recorder: Any) -> Callable[[str], object]:
    """What an expression gives."""

    def run(text: str, before: str = "") -> object:
        # The recorder of the other tests has an `e164` and an `asserted` of its own.
        noting = type("Noting", (type(recorder),), {"e164": None, "asserted": None})()
        routes = load_routes(
            f"on request {{ {before} note_down({text}) drop() }}", [Builtins(platform), Texts(platform), noting]
        )
        with pytest.raises(StopIteration):
            routes.run(new_context()).send(None)
        (found,) = noting.calls[-1][1:]
        return found

    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('replace("0044207", /^00/, "+")', "+44207"),
        (r'replace("*21*100#", /^\*21\*(\d+)#$/, "$1")', "100"),
        (r'replace("ab", /(a)(b)/, "$2$1$0")', "baab"),
        (r'replace("1.2.3", /\./, "")', "123"),
        (r'replace("a", /a/, "\\\\1")', "\\\\1"),
        (r'replace("a", /a/, "$$1")', "$1"),
        (r'replace("none", /x/, "y")', "none"),
        ('replace(request.uri.user, /b/, "B")', "BoB"),
        ('start_of("12345", 2)', "12"),
        ('start_of("12345", 9)', "12345"),
        ('start_of("12345", 0 - 1)', ""),
        ('end_of("12345", 2)', "45"),
        ('end_of("12345", 9)', "12345"),
        ('end_of("12345", 0)', ""),
        ('strip("12345", 2)', "345"),
        ('strip("12345", 9)', ""),
        ('strip("12345", 0 - 2)', "12345"),
        ('to_number("042")', 42),
        ('to_number("4x")', 0),
        ('to_number("-4")', 0),
        ('to_number("")', 0),
        ('to_number("\u0664")', 0),
        ('to_number("1234567890123456")', 0),
        ('e164("020 7946-0000", country: "gb")', "+442079460000"),
        ('national("+442079460000", country: "GB")', "02079460000"),
        ("chance(0)", False),
        ("chance(100)", True),
        ('chance(0, per: "x")', False),
        ('chance(100, per: "x")', True),
    ],
)
def test_functions(text: str, expected: object, value: Callable[[str], object]) -> None:
    found = value(text)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("name.length", 3), ("name.lower", "abc"), ("name.upper", "ABC"), ("request.uri.domain.length", 11)],
)
def test_properties_of_a_text(path: str, expected: object, value: Any) -> None:
    assert value(path, 'let name = "aBc" log(name)') == expected


def test_a_replacement_may_come_from_a_header(value: Any) -> None:
    assert value('replace("abc", /b/, by)', 'let by = request.header["X-Account"]') == "a7c"
    with pytest.raises(RingwayError, match="names a group"):
        value('replace("abc", /b/, by)', 'let by = "$" + request.header["X-Account"]')
    with pytest.raises(RingwayError, match="followed by the number"):
        value('replace("abc", /b/, by)', 'let by = request.header["X-Account"] + "$"')


def test_the_same_text_always_falls_on_the_same_side(value: Any) -> None:
    sides = [value(f'chance(30, per: "{number}")') for number in range(200)]
    assert sides == [value(f'chance(30, per: "{number}")') for number in range(200)]
    assert 35 <= sum(sides) <= 85


def test_chance_follows_the_percentage(platform: Any) -> None:
    texts = Texts(platform)
    for share, expected in ((0.0, True), (0.2999, True), (0.3001, False), (0.9999, False)):
        platform.tokens.random_bytes = lambda size, share=share: int(share * 2**32).to_bytes(size, "big")
        assert texts.chance(None, 30) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "column", "length", "message", "hint"),
    [
        ('replace(user, /a/, "$1")', 24, 24, "`$1`: the pattern has no groups", ""),
        ('replace(user, /(a)/, "$1$3")', 24, 28, "`$3`: the pattern has 1 group", ""),
        (
            'replace(user, /a/, "x$y")',
            45,
            1,
            "`$` is followed by the number of a group",
            "`$1` is the first group, `$$` a dollar",
        ),
        (
            'e164(user, country: "XX")',
            45,
            2,
            'there is no country "XX" here',
            "two letters of ISO 3166: GB, DE, US, ...",
        ),
        ('e164(user, country: "GBB")', 45, 3, 'there is no country "GBB" here', "did you mean `GB`?"),
        ("e164(user, country: user)", 44, 4, "expected a country, this is text", ""),
        ("e164(user)", 24, 4, "`e164` also needs `country` (country)", "e164(number: text, country: country)"),
        ("user.size", 29, 4, "text has no `size`", "known: length, lower, upper"),
    ],
)
def test_mistakes(text: str, column: int, length: int, message: str, hint: str, recorder: Any) -> None:
    noting = type("Noting", (type(recorder),), {"e164": None, "asserted": None})
    (problem,) = check_routes(f"on request {{ note_down({text}) drop() }}", [Builtins, Texts, noting])
    assert problem == Problem("main.route", 1, column, length, message, hint)


@pytest.mark.parametrize(
    ("dialled", "code", "expected"),
    [
        ("02079460000", "GB", "+442079460000"),
        ("(020) 7946 0000", "GB", "+442079460000"),
        ("112", "GB", "+44112"),
        ("00493012345", "GB", "+493012345"),
        ("+49 30 12345", "GB", "+493012345"),
        ("2125550100", "US", "+12125550100"),
        ("12125550100", "US", "+12125550100"),
        ("011442079460000", "US", "+442079460000"),
        ("0612345678", "IT", "+390612345678"),
        ("89161234567", "RU", "+79161234567"),
        ("810442079460000", "RU", "+442079460000"),
        ("0070049301234", "KR", "+49301234"),
        ("0612345678", "HU", "+3612345678"),
        ("alice", "GB", "alice"),
        ("", "GB", ""),
        ("+", "GB", "+"),
        ("12#", "GB", "12#"),
        ("\u0661\u0662", "GB", "\u0661\u0662"),
    ],
)
def test_numbers_to_e164(dialled: str, code: str, expected: str) -> None:
    assert to_e164(dialled, PLANS[code]) == expected


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        ("+442079460000", "GB", "02079460000"),
        ("+493012345", "GB", "00493012345"),
        ("+12125550100", "US", "12125550100"),
        ("+442079460000", "US", "011442079460000"),
        ("+390612345678", "IT", "0612345678"),
        ("02079460000", "GB", "02079460000"),
        ("alice", "GB", "alice"),
        ("", "GB", ""),
    ],
)
def test_numbers_to_what_is_dialled(number: str, code: str, expected: str) -> None:
    assert to_national(number, PLANS[code]) == expected


@pytest.mark.parametrize("code", sorted(PLANS))
def test_every_plan_leads_there_and_back(code: str) -> None:
    plan = PLANS[code]
    for number in (f"+{plan.code}345678901", "+999345678901"):
        assert to_e164(to_national(number, plan), plan) == number


def test_countries_are_written_in_any_case() -> None:
    assert country("de") == country("DE") == "DE"
    with pytest.raises(BadLiteral):
        country("D")


@pytest.mark.parametrize(
    ("text", "expected"), [("$1", r"\g<1>"), ("$$", "$"), ("$$1", "$1"), ("\\n", "\\\\n"), ("", "")]
)
def test_replacements_say_what_re_takes(text: str, expected: str) -> None:
    assert replacement(text) == expected


@pytest.mark.parametrize(
    ("number", "uri"),
    [
        ("+442079460000", "tel:+442079460000"),
        ("2001", "sip:2001@example.com"),
        ("+44 20", "sip:+44%2020@example.com"),
        ("alice", "sip:alice@example.com"),
        ("", "sip:example.com"),
    ],
)
def test_the_identity_of_a_number(number: str, uri: str, value: Callable[..., Any]) -> None:
    assert value(f'asserted("{number}")').uri.text == uri


def test_an_identity_is_set_in_a_branch_and_read_back(platform: Any, new_context: Any) -> None:
    context = new_context()
    text = 'on request { request.identity = asserted("+442079460000") reply(404, request.identity.uri.text) }'
    with pytest.raises(StopIteration):
        load_routes(text, [Builtins(platform), Texts(platform)]).run(context).send(None)
    assert context.request.get("p-asserted-identity") == b"<tel:+442079460000>"
    assert context.transaction.responses[0].reason == "tel:+442079460000"
