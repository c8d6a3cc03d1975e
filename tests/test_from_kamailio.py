"""docs/from-kamailio.md: every name of ours exists, the routes that are shown work, the lines are counted right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routing.language.kamailio import KAMAILIO
from routing.language.mistakes import FOREIGN
from routing.language.problem import Severity
from routing.language.types import Type
from routing.program.check import check_file
from routing.program.config import examine
from routing.program.server import MODULES
from routing.runtime import Domains
from routing.runtime.functions import function_table
from routing.runtime.loader import check_routes
from routing.runtime.properties import ATTRIBUTES, KEYED, ROOTS
from tests.rehearsing import perform

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "from-kamailio.md").read_text("utf-8")
FUNCTIONS = function_table(MODULES)
TABLES, WHOLE = PAGE.split("## A whole configuration")
ROWS = [
    (left.strip(), right.strip())
    for left, right in re.findall(r"^\| ((?:[^|\\\n]|\\.)+) \| ((?:[^|\\\n]|\\.)+) \|$", TABLES, re.MULTILINE)
    if left not in ("Kamailio", "---")
]
SPANS = [span for _, right in ROWS for span in re.findall(r"`([^`]+)`", right)]
PARTS = {part.partition("\n")[0]: part for part in WHOLE.split("\n### ")[1:]}
LOOKED_FOR = """\
request_route route[ branch_route onreply_route failure_route event_route[...] t_relay() record_route() loose_route()
save("location") lookup("location") auth_check() www_authorize() auth_challenge() is_method( has_totag() sl_send_reply(
send_reply() ds_select_dst() ds_next_dst() ds_is_from_list() allow_source_address() fix_nated_register()
add_contact_alias() rtpengine_manage() pike_check_req() xlog() $ru $rU $rd $fu $fU $fd $tu $tU $ci $cs $rm $si $sp $ua
$du $avp(x) $var(x) $dlg_var(x) $sht(t=>k)
"""
"""What people who come from there look for."""

BLOCKS = {"route", "branch", "reply", "users"}
TEMPLATES = (
    "on request {{ {} drop() }}",
    "on request {{ {} }}",
    "on request {{ if {} {{ drop() }} drop() }}",
    "on request {{ log({}) drop() }}",
    "on request {{ relay(edit: one) }} branch one(branch) {{ {} }}",
    "on request {{ drop() }} on reply {{ log({}) }}",
    "on request {{ drop() }} on dialog {{ {} }}",
)


def fences(language: str, text: str = WHOLE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


# -- tables -----------------------------------------------------------------------------------------------------------


def test_there_are_many_rows_and_none_is_empty() -> None:
    assert len(ROWS) > 80
    assert all(left and right for left, right in ROWS)
    assert len({left for left, _ in ROWS}) >= len(ROWS) - 1


@pytest.mark.parametrize("word", LOOKED_FOR.split())
def test_what_people_look_for_is_there(word: str) -> None:
    assert any(word in left for left, _ in ROWS)


def test_every_function_of_ours_exists() -> None:
    called = {name for span in SPANS for name in re.findall(r"(?<![.\w])([a-z_0-9]+)\(", span)}
    assert called > {"relay", "ring", "limit", "authenticate"}
    assert called - set(FUNCTIONS) <= BLOCKS


def type_of(path: str) -> Type:
    """The type of a path; KeyError when there is no such property."""
    first, *others = path.split(".")
    kind = ROOTS[first].type if first in ROOTS else Type(first)
    for name in others:
        found = kind.name if kind.name in ATTRIBUTES else "text" if kind.base is not None else kind.name
        kind = ATTRIBUTES[found][name].type
    return KEYED[kind.name].type if kind.name in KEYED else kind


def paths() -> set[str]:
    pattern = re.compile(r"(?<![.\w\"])((?:request|from|to|source|outcome|reply|branch)(?:\.\w+)+)")
    return {path for span in SPANS for path in pattern.findall(span)}


@pytest.mark.parametrize("path", sorted(paths()))
def test_every_property_of_ours_exists(path: str) -> None:
    assert type_of(path).name


def test_paths_are_found_and_wrong_ones_are_told() -> None:
    assert len(paths()) > 25
    with pytest.raises(KeyError):
        type_of("request.ury")


def complete() -> list[str]:
    """What is written out and can be checked as it is."""
    left_open = re.compile(
        r"\.\.\.|NAME|^on |^route |\[lists\]|modparam|^shared |^\$|RINGWAY|^ringway |ringway\.toml|\[\w+\]$"
    )
    words = {"if", "match", "for", "matches", "call.x", *FUNCTIONS}
    spans = [span for span in dict.fromkeys(SPANS) if not left_open.search(span) and span not in words]
    return [span for span in spans if span != "reply(code, reason)"]


@pytest.mark.parametrize("span", complete())
def test_what_is_written_out_is_right_somewhere(span: str) -> None:
    tables = {"domains": Domains(("example.com",))}
    shared = "shared t: number for 10m\n" if "shared" in span else ""
    texts = [shared + template.format(span) for template in TEMPLATES]
    found = [check_routes(text, MODULES, tables) for text in texts]
    errors = [[one.message for one in problems if one.severity is Severity.ERROR] for problems in found]
    assert [] in errors, errors


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)


def kamailios() -> list[str]:
    """The functions of the second table that are no functions of ours."""
    named = {name for left, _ in ROWS for name in re.findall(r"`([a-z_0-9]+)\(", left)}
    return sorted(named - set(FUNCTIONS) - {"route", "modparam"})


@pytest.mark.parametrize("name", kamailios())
def test_who_writes_one_of_theirs_is_told_ours(name: str) -> None:
    (problem,) = check_routes(f"on request {{ {name}() drop() }}", MODULES, {})
    assert problem.message == f"there is no function `{name}`"
    assert problem.hint == (FOREIGN.get(name) or KAMAILIO[name])


def test_hints_name_what_there_is() -> None:
    assert set(KAMAILIO) - set(kamailios()) == set()
    assert not set(KAMAILIO) & set(FUNCTIONS)
    called = {name for hint in KAMAILIO.values() for name in re.findall(r"`(?:[\w ]+= )?([a-z_0-9]+)\(", hint)}
    assert called and called <= set(FUNCTIONS)


# -- the configuration side by side -----------------------------------------------------------------------------------


def lines(texts: list[str]) -> int:
    """Those that say something."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for text in texts for line in text.splitlines())


def counted() -> dict[str, tuple[int, int]]:
    rows = re.findall(r"^\| ([\w* ]+) \| (\d+) \| (\d+) \|", WHOLE, re.MULTILINE)
    return {name.strip("*").lower(): (int(theirs), int(ours)) for name, theirs, ours in rows}


def test_the_lines_are_counted_right() -> None:
    table = counted()
    together = table.pop("together")
    assert list(table) == [name.lower() for name in PARTS]
    for name, part in PARTS.items():
        ours = [*fences("route", part), *fences("toml", part)]
        assert table[name.lower()] == (lines(fences("kamailio", part)), lines(ours)), name
    assert together == (lines(fences("kamailio")), lines([*fences("route"), *fences("toml")]))
    assert together[0] > 4 * together[1]


def test_the_routes_are_checked_without_a_word(tmp_path: Path) -> None:
    file = tmp_path / "main.route"
    file.write_text("\n".join(fences("route")), "utf-8")
    assert check_file(file, {}).shown == ()


def test_the_settings_are_right(tmp_path: Path) -> None:
    (text,) = fences("toml")
    file = tmp_path / "ringway.toml"
    file.write_text(text, "utf-8")
    assert examine(file, {}).rendered() == []


STORIES = """\
test {
    given users alice, bob
    given peer stranger at 203.0.113.66
    given peer one at "one.example.net"
    given peer two at "two.example.net"
    given peer voicemail at "voicemail.example.net"
}

test "users call each other" {
    alice calls bob
    expect alice and bob talk
}

test "voicemail" {
    bob is busy
    alice calls bob
    expect alice and voicemail talk
}

test "the second gateway" {
    one is down
    alice calls "+442079460148"
    expect alice and two talk
}

test "no gateway" {
    one is down
    two is down
    alice calls "+442079460148"
    expect alice got 503 "No gateway"
}

test "no calls of strangers through the gateways" {
    stranger calls "+442079460148"
    expect stranger got 404
    stranger calls "carol@elsewhere.example"
    expect stranger got 403 "Not relaying"
    expect one got nothing
}

test "a private address in a re-INVITE" {
    alice calls bob
    expect alice and bob talk
    alice sends INVITE with "Contact: <sip:alice@192.168.1.20>"
    expect bob got INVITE with "Contact: <sip:alice@198.51.100.11:5060>"
}

test "floods and scanners" {
    stranger sends OPTIONS to "sip:example.com" 30 times
    expect stranger got 200 20 times
    alice calls bob with "User-Agent: friendly-scanner"
    expect alice got nothing
}

test "a wrong password" {
    alice calls bob with password "guess"
    expect alice got 407 twice
}
"""


def test_the_routes_do_what_is_said(tmp_path: Path) -> None:
    performed = perform(tmp_path, STORIES, "\n".join(fences("route")))
    assert performed.mistakes == []
    assert [(told.story.name, told.failure) for told in performed.told if told.failure] == []
    assert len(performed.told) == STORIES.count('\ntest "')
