"""The watch of compiled routes: it hears of every statement there is, and of each that runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing.language.problem import Span
from routing.runtime import Context, Module
from routing.runtime.loader import load_routes
from tests.routing.conftest import TABLES, finish

TEXT = """\
on request {
    let number = request.uri.user
    if number == "nobody"          { reply(404) }
    else if number == "bob"        { call user() }
    match number { "x" => reply(486)  else => log(number) }
    for one in [1, 2]              { log(one) }
    exists(request.uri) else       { reply(404) }
    drop()
}

route user() {
    log("bob")
    reply(200)
}

branch unused(branch) { remove(branch.header["X-A"]) }
reply tidy(reply) { reply.code = 480 }
on reply { log("back") }
"""


class Watch:
    def __init__(self) -> None:
        self.known: list[Span] = []
        self.ran: list[Span] = []

    def there_is(self, step: Span) -> None:
        self.known.append(step)

    def runs(self, step: Span) -> None:
        self.ran.append(step)


def text_of(span: Span) -> str:
    line = TEXT.split("\n")[span.line - 1]
    return line[span.column - 1 : span.end_column - 1]


def run(modules: list[Module], context: Context) -> Watch:
    watch = Watch()
    routes = load_routes(TEXT, modules, TABLES, watch=watch)
    finish(routes.run(context))
    return watch


def test_every_statement_is_known_whether_it_runs_or_not(modules: list[Module], new_context: Any) -> None:
    watch = run(modules, new_context())
    texts = [text_of(span) for span in watch.known]
    for statement in (
        "let number = request.uri.user", 'number == "nobody"', "reply(404)", "call user()", "reply(486)", "log(number)",
        "log(one)", "exists(request.uri) else       { reply(404) }", "drop()", 'log("bob")', "reply(200)",
        'remove(branch.header["X-A"])', "reply.code = 480", 'log("back")',
    ):  # fmt: skip
        assert statement in texts, statement
    assert len(set(watch.known)) >= len(texts) - 1  # the subject of a match stands for itself twice


def test_each_statement_that_runs_is_told_in_order(modules: list[Module], new_context: Any) -> None:
    watch = run(modules, new_context())
    assert [text_of(span) for span in watch.ran] == [
        "let number = request.uri.user", 'number == "nobody"', 'number == "bob"', "call user()", 'log("bob")',
        "reply(200)",
    ]  # fmt: skip


def test_turns_of_a_loop_are_told_one_by_one(modules: list[Module], recorder: Any, new_context: Any) -> None:
    recorder.answers["exists"] = True
    context = new_context()
    context.request.uri = context.request.uri.replace(user="someone")
    watch = run(modules, context)
    texts = [text_of(span) for span in watch.ran]
    assert texts.count("log(one)") == 2
    assert texts[-2:] == ["exists(request.uri) else       { reply(404) }", "drop()"]
    assert [one[0] for one in recorder.calls] == ["exists"]


def test_without_a_watch_nothing_of_it_is_in_the_code(modules: list[Module], load: Callable[[str], Any]) -> None:
    plain = load(TEXT).run.__code__
    watched = load_routes(TEXT, modules, TABLES, watch=Watch()).run
    assert "watch_runs" not in plain.co_names
    assert "watch_runs" in watched.__code__.co_names  # type: ignore[attr-defined]
