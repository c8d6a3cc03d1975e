"""No row of words breaks the reader of stories, and no story that it accepts breaks the server."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routing.language.problem import Severity, render
from routing.language.stories.deeds import VERBS
from routing.language.stories.story import Deed
from routing.program.rehearsal.coverage import Coverage
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.performance import Performance, perform
from routing.program.rehearsal.settings import Settings
from routing.runtime.loader import ParsedRoutes, parse_routes, read_tests

CAST = "given users alice, bob\ngiven user carol at desk q 0.9, mobile by tcp\ngiven peer eve\n"
VOCABULARY = """
given expect wait after users user peer dns time database fails alice bob carol desk mobile eve "1001" "sip:x@y" x@y
with without as from by q at for to uri body password then and no nothing got talk talks is not registered log event
within once twice times matching udp tcp tls busy down up silent its connection everything bindings rejected code why
INVITE BYE MESSAGE 180 486 400..499 5s 10 0.5 192.0.2.7 2001:db8::1 /x/ "X-A: 7" "X-A" "2026-01-01 00:00" true , .
"""
WORDS = [*VOCABULARY.split(), "2026-01-01", '"X-A: 7"', "\n", *VERBS]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(WORDS), max_size=30))
@example(["given"])
@example(["alice", "rings", "then"])
@example([",", ","])
def test_any_row_of_words_is_a_story_or_a_list_of_problems(words: list[str]) -> None:
    text = f'test "it" {{\n{CAST}{" ".join(words)}\n}}\n'
    stories, problems = read_tests(text)
    for problem in problems:
        assert problem.line >= 1 and problem.column >= 1 and problem.length >= 1
        assert render(problem, text)
    assert len(stories) == 1 or any(problem.severity is Severity.ERROR for problem in problems)


@given(st.text(max_size=80))
def test_any_text_in_a_test_is_a_story_or_a_list_of_problems(text: str) -> None:
    stories, problems = read_tests(f'test "it" {{\n{CAST}{text}\n}}\n')
    assert stories or problems


PHONES = st.sampled_from(["alice", "bob", "desk", "mobile", "eve"])
WHOM = st.sampled_from(
    ["alice", "bob", "carol", "desk", "eve", '"1001"', '"sip:x@nowhere.net"', '"sip:bob@192.0.2.99"']
)
TIMES = st.sampled_from(["1s", "5s", "20s", "200s"])
PLANS = st.sampled_from(
    [
        "rings", "rings 3s then answers", "answers", "is busy", "stays silent", "is down", "is up", "replies 180, 183",
        "replies 302", "redirects to carol", "answers then waits 2s then hangs up", "waits 1s then replies 503",
    ]
)  # fmt: skip
DEEDS = st.sampled_from(
    [
        "sends INFO", "hangs up", "cancels", "registers", "unregisters", "unregisters everything", "fetches bindings",
        "loses its connection", "sends INVITE", "registers for 60s by tcp",
    ]
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(PHONES, PLANS).map(" ".join),
    st.tuples(PHONES, st.sampled_from(["calls", "sends MESSAGE to", "sends OPTIONS to"]), WHOM).map(" ".join),
    st.tuples(PHONES, DEEDS).map(" ".join),
    TIMES.map(lambda time: f"wait {time}"),
    st.tuples(PHONES, st.sampled_from(["got nothing within 1s", "got no 699", "got no FOO"])).map(
        lambda pair: f"expect {pair[0]} {pair[1]}"
    ),
)
ROUTES = """\
shared calls: number for 1m

on request {
    if request.method == "REGISTER" { authenticate(as: to)  save() }
    shared.calls[from.user] = shared.calls[from.user] + 1
    if request.uri.domain not in domains { relay(edit: tidy) }
    ring(lookup(request.uri), for: 5s, order: "by q", replies: back)
    if outcome.code in 300..399 { ring(outcome.contacts, for: 5s) }
    reply(outcome)
}

branch tidy(branch) { branch.header["X-A"] = "1" }
reply back(reply) { if reply.code == 183 { drop() } }
"""


_do = Performance._do


def tried(performance: Performance, step: Deed) -> None:
    """Go on behind a step that can't be done: a call that is ended before it began, for example."""
    try:
        _do(performance, step)
    except StoryFailed:
        pass


def routes(folder: Path) -> ParsedRoutes:
    file = folder / "main.route"
    file.write_text(ROUTES, "utf-8")
    return parse_routes(file)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=100)
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
@example(steps=["alice calls bob", "alice cancels", "bob hangs up", "alice hangs up"])
@example(
    steps=["mobile registers", "mobile loses its connection", "eve calls carol", "desk is down", "eve calls carol"]
)
def test_no_story_breaks_the_server(tmp_path: Path, steps: list[str]) -> None:
    """What is asked for may be impossible, and what is expected may not come: nothing else may go wrong."""
    parsed = routes(tmp_path)
    text = 'test "it" {\n' + CAST + "\n".join(steps) + "\nexpect no event dropped\n}\n"
    (story,), _ = read_tests(text)
    config = Settings({}, Path("ringway.toml"), {}).of(story, Path("main.route"))
    told = perform(story, "main.test.route", config, parsed, Coverage())
    again = perform(story, "main.test.route", config, parsed, Coverage())
    assert told == again
    if told.failure is not None:
        assert "the server failed" not in told.failure.message, (told.failure, steps)
        assert "an error was logged" not in told.failure.message, (told.failure, steps)
        assert render(told.failure, text)
