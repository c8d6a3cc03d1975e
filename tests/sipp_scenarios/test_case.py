"""`case.toml`: what may stand in it, and that all mistakes are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sipp_runner.case import BadCase, Case, Party, read_case
from sipp_runner.session import FOLDER

CASES = sorted(file.parent for file in FOLDER.glob("*/case.toml"))
GOOD = """\
description = "One call"
calls = 4
rate = 2
time_limit = 10

[[party]]
name = "callee"
scenario = "callee.xml"
background = true

[[party]]
name = "caller"
scenario = "caller.xml"
account = "caller"
digest_uri = "{callee}@{domain}"
exit = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "one-call"
    made.mkdir()
    for name in ("caller.xml", "callee.xml"):
        (made / name).touch()
    return made


def read(folder: Path, text: str) -> Case:
    (folder / "case.toml").write_text(text)
    return read_case(folder)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(BadCase) as caught:
        read(folder, text)
    return caught.value.problems


def test_a_case_is_its_folder_its_load_and_its_parties_in_order(folder: Path) -> None:
    case = read(folder, GOOD)
    assert (case.name, case.folder, case.description) == ("one-call", folder, "One call")
    assert (case.calls, case.rate, case.time_limit) == (4, 2, 10)
    assert case.party == (
        Party("callee", "callee.xml", background=True),
        Party("caller", "caller.xml", account="caller", digest_uri="{callee}@{domain}", exit=1),
    )


def test_the_time_limit_grows_with_the_time_the_calls_take(folder: Path) -> None:
    case = read(folder, GOOD)
    assert case.seconds_for(4, 2) == 10
    assert case.seconds_for(200, 20) == pytest.approx(10 + (10 - 2) * 1.2)
    assert case.seconds_for(1, 100) == 10


def test_every_mistake_is_told(folder: Path) -> None:
    text = (
        'descriptoin = "x"\ncalls = "many"\nrate = true\n[[party]]\nname = "a"\nscenario = "other.xml"\n'
        '[[party]]\nscenario = "caller.xml"\ntransport = "sctp"\naccount = "me"\n'
    )
    told = problems(folder, text)
    expected = (
        "unknown key descriptoin (did you mean description?)",
        "calls must be a whole number",
        "rate must be a number",
        "description is missing",
        "party 1: scenario: there is no file other.xml in this folder",
        "party 2: name is missing",
        "party 2: transport must be one of udp, tcp",
        "party 2: account must be one of caller, callee",
    )
    for sentence in expected:
        assert any(each.endswith(sentence) for each in told), (sentence, told)
    assert len(told) == len(expected)
    assert all(each.startswith(str(folder / "case.toml")) for each in told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('description = "x"\n', "no [[party]]"),
        ("description =\n", "Invalid value"),
        (GOOD.replace("calls = 4", 'calls = 4\nroute = "no.route"'), "route: there is no file no.route in this folder"),
        (GOOD.replace("calls = 4", 'calls = 4\nname = "x"'), "unknown key name"),
    ],
)
def test_one_mistake(folder: Path, text: str, told: str) -> None:
    (problem,) = problems(folder, text)
    assert told in problem


def test_a_folder_without_a_case_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCase, match=r"case\.toml.*No such file"):
        read_case(tmp_path)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_cases_of_this_repository_are_right(folder: Path) -> None:
    case = read_case(folder)
    used = {party.scenario for party in case.party}
    assert used == {file.name for file in folder.glob("*.xml")}, "every XML file has its party"
    assert not case.description.endswith("."), "it is a line of a list"
    assert len({party.name for party in case.party}) == len(case.party)


def test_the_callee_registers_in_the_same_words_everywhere() -> None:
    """Each folder holds all it needs, so some files are there several times: they must not drift apart."""
    texts = {
        (FOLDER / name / "register.xml").read_text()
        for name in ("busy", "call", "callee-hangs-up", "cancel", "no-answer", "re-invite")
    }
    assert len(texts) == 1
