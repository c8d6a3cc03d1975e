"""What is offered at a cursor, in lines that are not finished."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.editor.analysis import Analysis
from routing.language.editor.completion import Form, Offer, complete
from routing.language.environment import Environment

At = Callable[[str], tuple[Analysis, int]]
Offered = Callable[[str], list[Offer]]


@pytest.fixture
def offered(at: At) -> Offered:
    return lambda text: list(complete(*at(text)).offers)


def labels(offers: list[Offer], *forms: Form) -> list[str]:
    return [one.label for one in offers if not forms or one.form in forms]


def likely(offers: list[Offer]) -> set[str]:
    return {one.label for one in offers if one.rank == 0}


# -- behind a dot -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "on request {\n    request.uri.|\n    reply(404)\n}\n",
        "on request {\n    request.uri.us|\n    call user()\n}\n",
        "on request { if request.uri.|",
        'on request { ring(lookup(request.uri), for: 20s, edit: out) log("x", request.uri.|',
        "on request { for one in lookup(request.uri) { one.uri.|",
        "on request { let target = request.uri  target.|\n",
    ],
)
def test_properties_of_a_uri(offered: Offered, text: str) -> None:
    assert labels(offered(text)) == ["domain", "host", "parameter", "port", "scheme", "text", "user"]


def test_properties_have_their_types_and_descriptions(offered: Offered) -> None:
    code = next(one for one in offered("on reply { reply.| }") if one.label == "code")
    assert (code.form, code.detail, code.insert) == (Form.PROPERTY, "status code", "code")
    assert "The status code. Can be set." in code.text


def test_properties_of_kinds_and_lists(offered: Offered) -> None:
    assert labels(offered("on request { if source.ip.| }")) == ["length", "lower", "upper"]
    assert labels(offered("on request { let phones = lookup(request.uri)  if phones.| }")) == ["count", "empty"]


def test_tables_of_the_configuration(offered: Offered) -> None:
    assert labels(offered("on request { if source.ip in lists.| { drop() } }")) == ["denied", "trunks"]
    assert labels(offered("on request { if now in hours.| }")) == ["office"]
    tables = labels(offered("on request { if source.ip in | }"), Form.TABLE)
    assert tables == ["banned", "domains", "hours", "lists"]


def test_what_is_kept_with_the_call_also_when_it_is_stored_below(offered: Offered) -> None:
    text = "on request { log(call.|) }\nroute r() { call.caller = from.user  call.tries = 1 }"
    assert [(one.label, one.detail) for one in offered(text)] == [("caller", "text"), ("tries", "number")]


def test_shared_tables(offered: Offered) -> None:
    (found,) = offered("shared failures: number for 10m\non request { shared.| }")
    assert (found.label, found.detail) == ("failures", "number for 10m")


def test_a_shared_table_that_is_not_declared_is_offered_as_such(offered: Offered) -> None:
    (found,) = offered("on request { log(shared.y[user]) shared.| }")
    assert (found.label, found.detail) == ("y", "not declared")


def test_nothing_stands_behind_the_dot_of_something_unknown(offered: Offered) -> None:
    assert offered("on request { nobody.| }") == []


# -- statements -------------------------------------------------------------------------------------------------------


def test_a_statement_begins_with_a_word_a_function_or_a_name(offered: Offered) -> None:
    offers = offered('on request {\n    let number = "1"\n    |\n}\n')
    assert {"let", "if", "for", "match", "call"} <= set(labels(offers, Form.KEYWORD))
    assert {"reply", "relay", "ring", "log", "exists"} <= set(labels(offers, Form.FUNCTION))
    assert not {"lookup", "e164"} & set(labels(offers)), "their values would not be used"
    assert labels(offers, Form.LOCAL) == ["number"]
    assert "domains" not in labels(offers)


def test_else_is_offered_behind_a_block_alone(offered: Offered) -> None:
    assert "else" in labels(offered("on request { if 1 == 1 { drop() } | }"))
    assert "else" not in labels(offered("on request { let x = 1  drop() let y = 2 | }"))


def test_only_what_may_be_called_in_a_place_is_offered(offered: Offered) -> None:
    functions = labels(offered("branch out(branch) { | }"), Form.FUNCTION)
    assert "remove" in functions and not {"ring", "relay", "reply", "save"} & set(functions)
    assert "drop" in labels(offered("reply tidy(reply) { | }"), Form.FUNCTION)
    assert "relay" not in labels(offered("on dialog { | }"), Form.FUNCTION)


def test_functions_bring_their_signature_and_description(offered: Offered) -> None:
    ring = next(one for one in offered("on request { ri|") if one.label == "ring")
    assert ring.detail.startswith("ring(to: ") and ring.snippet == "ring($1)" and ring.insert == "ring()"
    assert "Ring all targets side by side" in ring.text and "may end the route" in ring.text
    save = next(one for one in offered("on request { sa|") if one.label == "save")
    assert save.snippet == "save()$0" and "An outcome" in save.text


def test_top_level_blocks(offered: Offered) -> None:
    words = ["branch", "on", "reply", "route", "shared", "test"]
    assert labels(offered("|")) == words
    assert labels(offered("on request { drop() }\n\nro|\n")) == words
    assert labels(offered("on |")) == ["dialog", "reply", "request"]


def test_routes_behind_call(offered: Offered) -> None:
    text = "on request {\n    call |\n}\nroute user(time: duration) { drop() }\nroute other() { drop() }\n"
    offers = offered(text)
    assert [(one.label, one.detail, one.snippet) for one in offers] == [
        ("other", "route other()", "other()$0"),
        ("user", "route user(time: duration)", "user($1)"),
    ]


@pytest.mark.parametrize("text", ["on request { let |", "route |", "on request { for |", "on request { 20|", "# on |"])
def test_nothing_is_offered_for_new_names_numbers_and_comments(offered: Offered, text: str) -> None:
    assert offered(text) == []


@pytest.mark.parametrize("text", ["on request { if a matches /x|", 'on request { if a == "x" { } # "|'])
def test_nothing_is_offered_in_patterns_and_behind_comments(offered: Offered, text: str) -> None:
    assert offered(text) == []


def test_types(offered: Offered) -> None:
    assert labels(offered("shared seen: |")) == ["duration", "number", "text", "truth"]
    assert {"uri", "list of text", "branch function"} <= set(labels(offered("route r(a: |")))


# -- values -----------------------------------------------------------------------------------------------------------


def test_names_of_the_block_and_of_those_around_it(offered: Offered) -> None:
    text = """route r(first: text) {
        let second = "x"
        if first == "" { let hidden = 1 }
        for third in lookup(request.uri) { log(first, |) }
        let later = 1
    }"""
    assert set(labels(offered(text), Form.LOCAL)) == {"first", "second", "third"}


def test_what_fits_comes_first(offered: Offered) -> None:
    text = "route r(time: duration, who: uri) { ring(who, for: |) }"
    offers = offered(text)
    assert "time" in likely(offers) and "who" not in likely(offers)
    assert offers[0].rank == 0


def test_branch_and_reply_functions_where_they_are_wanted(offered: Offered) -> None:
    functions = "\nbranch out(branch) { drop() }\nreply tidy(reply) { drop() }\n"
    assert likely(offered(f"on request {{ ring(to, edit: |) }}{functions}")) == {"out"}
    assert likely(offered(f"on request {{ ring(to, replies: |) }}{functions}")) == {"tidy"}


def test_named_arguments_that_are_not_given_yet(offered: Offered) -> None:
    offers = offered("on request { ring(lookup(request.uri), for: 20s, |) }")
    assert labels(offers, Form.LABEL) == ["edit:", "order:", "progress:", "redirects:", "replies:"]
    assert next(one for one in offers if one.label == "order:").insert == "order: "
    route = "\nroute user(time: duration, who: uri) { drop() }"
    assert labels(offered(f"on request {{ call user(20s, |) }}{route}"), Form.LABEL) == ["who:"]


def test_operators_behind_a_value(offered: Offered) -> None:
    assert labels(offered("on request { if user |")) == ["and", "in", "matches", "not", "or"]


# -- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["order: |", 'order: "|', 'order: "at|', 'order: "|at once")', 'order: "at once|", for: 1s)']
)
def test_values_of_a_type_that_has_few(offered: Offered, text: str) -> None:
    offers = [one for one in offered(f"on request {{ ring(to, {text}") if one.form is Form.VALUE]
    assert [one.insert for one in offers] == ['"at once"', '"by q"', '"one by one"']


def test_an_offer_stands_for_the_whole_text(at: At) -> None:
    analysis, offset = at('on request { ring(to, order: "at| on") drop() }')
    start, end = complete(analysis, offset).range
    assert analysis.source.text[start:end] == '"at on"'
    analysis, offset = at('on request { ring(to, order: "at|\n drop() }')
    start, end = complete(analysis, offset).range
    assert analysis.source.text[start:end] == '"at'


@pytest.mark.parametrize(
    "text",
    [
        'if request.method == "|',
        'if request.method == "IN|VITE" { drop() }',
        'if request.method in ["ACK", "|"] { drop() }',
        'match request.method { "|',
        'match request.method { "ACK", "|" => drop() }',
        'if "INVITE" == request.method or request.method != "|"',
    ],
)
def test_values_of_a_property_that_has_few(offered: Offered, text: str) -> None:
    assert "REGISTER" in labels(offered(f"on request {{ {text}"))


def test_transports_countries_and_headers(offered: Offered) -> None:
    assert labels(offered('on request { if source.transport == "|" }')) == ["tcp", "tls", "udp", "ws", "wss"]
    assert "GB" in labels(offered('on request { let x = e164(from.user, country: "|") }'))
    assert "User-Agent" in labels(offered('on request { remove(request.header["|"]) }'))
    assert "Retry-After" in labels(offered('on request { log(outcome.header["|'))
    assert "transport" in labels(offered('on request { if request.uri.parameter["|"] == "" { } }'))


def test_texts_that_may_be_anything_have_no_offers(offered: Offered) -> None:
    assert offered('on request { reply(404, "|") }') == []
    assert offered('on request { if from.user == "|" { } }') == []


# -- tests and words --------------------------------------------------------------------------------------------------


def test_lines_of_a_test(offered: Offered) -> None:
    assert labels(offered('test "x" {\n    given users alice\n    |\n}\n')) == ["after", "expect", "given"]
    assert offered('test "x" {\n    given users |\n}\n') == []


def test_the_word_that_is_being_typed_is_replaced(at: At) -> None:
    analysis, offset = at("on request { repl|y(404) }")
    start, end = complete(analysis, offset).range
    assert analysis.source.text[start:end] == "reply"


def test_every_offer_is_there_once(at: At, environment: Environment) -> None:
    for text in ("on request { |", "on request { if |", "on request { ring(|", "|"):
        offers = complete(*at(text)).offers
        assert len({(one.label, one.form) for one in offers}) == len(offers)
