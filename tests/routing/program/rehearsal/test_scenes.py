"""What an expectation looks at, how long it waits, and what ends its waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsing import failure, passes, told

CAST = "given users alice, bob, carol\n"


# -- what it looks at -------------------------------------------------------------------------------------------------


def test_all_deeds_since_the_expectation_before_count(tmp_path: Path) -> None:
    passes(tmp_path, CAST + "alice calls bob\nwait 5s\ncarol calls bob\nexpect bob got INVITE twice")


def test_an_expectation_ends_a_scene_and_the_next_deed_begins_one(tmp_path: Path) -> None:
    lines = CAST + "alice calls bob\nexpect bob got INVITE once\nexpect bob got INVITE once\ncarol calls bob\n"
    passes(tmp_path, lines + "expect bob got INVITE once with from carol")
    assert failure(tmp_path, lines + "expect bob got INVITE with from alice")[3] == (
        "bob got INVITE, but its from is `sip:carol@example.com`"
    )


def test_time_that_passes_begins_no_scene(tmp_path: Path) -> None:
    passes(tmp_path, CAST + "alice calls bob\nexpect bob got INVITE\nwait 10s\nexpect bob got INVITE")


def test_a_plan_for_later_begins_no_scene_but_one_for_a_call_that_rings_does(tmp_path: Path) -> None:
    begin = CAST + "bob rings\nalice calls bob\nexpect bob got INVITE\n"
    passes(tmp_path, begin + "carol is busy\ncarol is down\nexpect bob got INVITE")
    assert failure(tmp_path, begin + "bob answers\nexpect bob got INVITE")[3] == "bob got no INVITE"


def test_times_count_from_the_last_deed(tmp_path: Path) -> None:
    lines = CAST + "bob rings 2s then answers\nalice calls bob\nafter 5s carol calls bob\n"
    passes(tmp_path, lines + "expect carol got 200 after 2s\nexpect alice got 200")
    assert (
        failure(tmp_path, lines + "expect alice got 200 after 2s")[3]
        == "alice got 200 3.000 s before the last deed, and not after 2 to 3 s"
    )


def test_logs_and_events_of_an_earlier_scene_count_no_more(tmp_path: Path) -> None:
    routes = 'on request {\n    log("call of", from.user)\n    reply(486)\n}\n'
    lines = CAST + 'alice calls bob\nexpect log "call of alice"\nexpect event call with code 486\ncarol calls bob\n'
    routes = routes.replace("reply(486)", "ring(to.uri)  reply(486)")
    passes(tmp_path, lines.replace(" with code 486", "") + 'expect log "call of carol"\nexpect no log "alice"', routes)


# -- how long it waits ------------------------------------------------------------------------------------------------


def test_it_waits_no_longer_than_it_must(tmp_path: Path) -> None:
    one = passes(tmp_path, CAST + "bob rings 3s then answers\nalice calls bob\nexpect alice got 200")
    assert one.seconds == 3.0


def test_what_must_not_come_is_waited_for_until_all_is_quiet(tmp_path: Path) -> None:
    one = passes(tmp_path, CAST + "bob rings\nalice calls bob\nexpect carol got nothing")
    assert one.seconds == 20.0  # the route gives up then, and nobody waits any more


def test_or_as_long_as_is_said(tmp_path: Path) -> None:
    assert passes(tmp_path, CAST + "bob rings\nalice calls bob\nexpect carol got nothing within 5s").seconds == 5.0
    assert passes(tmp_path, CAST + "expect carol got nothing within 5s").seconds == 5.0


def test_a_count_is_known_at_the_end_only(tmp_path: Path) -> None:
    lines = CAST + "bob answers then waits 5s then hangs up\nalice calls bob\n"
    assert passes(tmp_path, lines + "expect alice got BYE once").seconds == 5.0
    assert passes(tmp_path, lines + "expect alice got 200 once within 2s").seconds == 2.0


def test_how_often_may_be_a_range(tmp_path: Path) -> None:
    lines = CAST + "alice calls bob 7 times\nexpect bob got INVITE "
    passes(tmp_path, lines + "5..10 times")
    passes(tmp_path, lines + "0..7 times")
    assert failure(tmp_path, lines + "8..10 times")[3] == "bob got INVITE 7 times, and not 8 to 10 times"
    assert failure(tmp_path, lines + "1..3 times")[3] == "bob got INVITE 7 times, and not 1 to 3 times"


def test_chance_is_the_same_each_time_and_no_constant(tmp_path: Path) -> None:
    routes = "on request {\n    if chance(30) { reply(486) }\n    reply(404)\n}\n"
    passes(tmp_path, CAST + "alice calls bob 100 times\nexpect alice got 486 20..40 times", routes)


def test_a_week_may_pass_and_another_one(tmp_path: Path) -> None:
    one = passes(tmp_path, CAST + "wait 1d\nwait 1d\nalice calls bob\nexpect alice and bob talk")
    assert one.seconds == 2 * 86_400.0


def test_too_many_are_too_many_at_once(tmp_path: Path) -> None:
    lines = CAST + "bob rings 60s then answers\nalice calls bob\ncarol calls bob\nexpect bob got INVITE once"
    one = told(tmp_path, lines)
    assert one.failure is not None
    assert one.seconds == 0.0


def test_a_silent_peer_of_a_message_is_waited_for_until_its_transaction_ends(tmp_path: Path) -> None:
    one = told(tmp_path, CAST + "bob stays silent\nalice sends MESSAGE to bob\nexpect alice got 200")
    assert one.failure is not None
    assert 20.0 <= one.seconds <= 40.0


@pytest.mark.parametrize(
    ("words", "good"),
    [
        ("within 3s", True), ("within 2999ms", False), ("after 3s", True), ("after 2s", False), ("after 2001ms", True),
        ("after 3001ms", False), ("after 1s..3s", False), ("after 1s..3001ms", True), ("after 3s..4s", True),
    ],
)  # fmt: skip
def test_the_edges_of_a_time(tmp_path: Path, words: str, good: bool) -> None:
    one = told(tmp_path, CAST + f"bob rings 3s then answers\nalice calls bob\nexpect alice got 200 {words}")
    assert (one.failure is None) is good


# -- several phones and messages --------------------------------------------------------------------------------------


def test_messages_in_order_with_others_between(tmp_path: Path) -> None:
    lines = CAST + "bob replies 180, 183, 181 then rings 1s then answers\nalice calls bob\n"
    passes(tmp_path, lines + "expect alice got 180, 181, 200")
    passes(tmp_path, lines + "expect alice got 180, 180")
    assert failure(tmp_path, lines + "expect alice got 181, 183")[3] == "alice got no 183"


def test_conditions_are_about_the_last_one(tmp_path: Path) -> None:
    lines = CAST + 'bob replies 183 then rings 1s then answers with "X-A: 1"\nalice calls bob\n'
    passes(tmp_path, lines + 'expect alice got 183, 200 with "X-A: 1"')
    assert failure(tmp_path, lines + 'expect alice got 200, 183 with "X-A: 1"')[3] == "alice got no 183"


def test_a_condition_chooses_among_several(tmp_path: Path) -> None:
    lines = CAST + 'alice calls bob with "X-A: 1"\ncarol calls bob with "X-A: 2"\n'
    passes(tmp_path, lines + 'expect bob got INVITE with "X-A: 2"\nexpect bob got INVITE once with "X-A: 1"')
    passes(tmp_path, lines + 'expect bob got no INVITE with "X-A: 3"\nexpect bob got INVITE 0 times with "X-A: 3"')


def test_phones_in_order(tmp_path: Path) -> None:
    routes = 'on request {\n    ring(lookup(request.uri), for: 5s, order: "by q")\n    reply(outcome)\n}\n'
    lines = "given users alice\ngiven user dave at a q 1, b q 0.5, c q 0.2\na rings\nb rings\nalice calls dave\n"
    passes(tmp_path, lines + "expect a then b then c got INVITE", routes)
    assert failure(tmp_path, lines + "expect a then c then b got INVITE", routes)[3] == "b got INVITE before c"


def test_a_challenge_counts_where_it_is_named(tmp_path: Path) -> None:
    routes = "on request {\n    authenticate(as: from)\n    ring(lookup(request.uri))\n    reply(outcome)\n}\n"
    passes(tmp_path, CAST + "alice calls bob\nexpect alice got 407, 200\nexpect alice got no 400..699", routes)
    lines = CAST + "alice calls bob without password\nexpect alice got no 400..699"
    assert failure(tmp_path, lines, routes)[3] == "alice got 407 Proxy Authentication Required after 0.000 s"
