"""The order of the parties, what they are told, and the verdict, with a stand-in for SIPp that does as it is named."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from pathlib import Path

import pytest
from sipp_runner.case import Case, Party
from sipp_runner.performance import Performance, Result
from sipp_runner.target import CALLEE, Target

# Notes its arguments and when it ran; the scenario's name says what it does.
STAND_IN = """\
#!{python} -IS
import json, socket, sys, time
words = sys.argv[1:]
after = dict(zip(words, words[1:]))
what, calls = after["-sf"].rpartition("/")[2].removesuffix(".xml").split("-")[0], int(after["-m"])
name = after["-stf"].removesuffix(".csv")
with open(name + ".told", "w") as file:
    json.dump({{"words": words, "start": time.time()}}, file)
if what == "waits":
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((after["-i"], int(after["-p"])))
    time.sleep(0.6)
if what == "hangs":
    time.sleep(60)
good = calls - 1 if what in ("fails", "loses") else calls
repeats = 3 if what == "repeats" else 0
with open(after["-stf"], "w") as file:
    print("SuccessfulCall(C);FailedCall(C);FailedUnexpectedMessage(C);Retransmissions(C);", file=file)
    print(f"{{good}};{{calls - good}};0;{{repeats}};", file=file)
if what == "fails":
    with open(after["-error_file"], "w") as file:
        file.write("unexpected 500")
sys.exit(1 if what == "fails" else 0)
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "sipp"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def perform(folder: Path, *parties: Party, limit: float = 20, calls: int = 5) -> Result:
    case = Case("made-up", folder, "A case", parties, time_limit=limit)
    return Performance(case, Target("127.0.0.1", 5060), folder, folder / "list", calls, 10).run()


def told(folder: Path, name: str) -> dict[str, str]:
    words = json.loads((folder / f"{name}.told").read_text())["words"]
    return dict(itertools.pairwise(words))


def started(folder: Path, name: str) -> float:
    return float(json.loads((folder / f"{name}.told").read_text())["start"])


def test_parties_run_one_after_another_and_those_in_the_background_beside(tmp_path: Path) -> None:
    result = perform(
        tmp_path,
        Party("first", "succeeds.xml", calls=1),
        Party("callee", "waits.xml", background=True),
        Party("caller", "succeeds.xml"),
    )
    assert result.ok, result.problems
    assert (result.counts.successful, result.counts.failed) == (1 + 5 + 5, 0)
    assert started(tmp_path, "first") < started(tmp_path, "callee") < started(tmp_path, "caller")
    assert started(tmp_path, "caller") < started(tmp_path, "callee") + 0.6  # it still waited then
    assert result.seconds >= 0.6


def test_what_a_party_is_told(tmp_path: Path) -> None:
    callee = Party("callee", "waits.xml", background=True)
    caller = Party("caller", "succeeds.xml", "tcp", "callee", "{callee}@{domain}", users=True)
    assert perform(tmp_path, callee, caller, calls=7).ok
    words = json.loads((tmp_path / "caller.told").read_text())["words"]
    options = told(tmp_path, "caller")
    assert words[0] == "127.0.0.1:5060"
    assert (options["-m"], options["-r"], options["-t"]) == ("7", "10", "t1")
    assert (options["-au"], options["-ap"], options["-auth_uri"]) == (CALLEE.user, CALLEE.password, "1002@example.com")
    assert options["-inf"] == str(tmp_path / "list")
    keys = {words[index + 1]: words[index + 2] for index, word in enumerate(words) if word == "-key"}
    assert (keys["domain"], keys["caller"], keys["callee"]) == ("example.com", "1001", "1002")
    assert keys["callee_port"] == told(tmp_path, "callee")["-p"]
    assert "-inf" not in told(tmp_path, "callee") and "-au" not in told(tmp_path, "callee")


def test_a_party_that_fails_ends_the_case_with_what_it_said(tmp_path: Path) -> None:
    result = perform(tmp_path, Party("caller", "fails.xml"), Party("next", "succeeds.xml"))
    (problem,) = result.problems
    assert problem == "caller: exit code 1 instead of 0; 4 of 5 calls went right\nunexpected 500"
    assert not (tmp_path / "next.told").exists()
    assert result.counts.failed == 1


def test_a_failure_can_be_what_is_right(tmp_path: Path) -> None:
    assert perform(tmp_path, Party("caller", "fails.xml", exit=1)).ok


def test_an_exit_code_of_0_with_a_call_missing_is_wrong(tmp_path: Path) -> None:
    assert perform(tmp_path, Party("caller", "loses.xml")).problems == ["caller: 4 of 5 calls went right"]


def test_a_party_that_hangs_is_ended_at_the_time_limit(tmp_path: Path) -> None:
    begin = time.monotonic()
    result = perform(tmp_path, Party("caller", "hangs.xml"), limit=1)
    assert 0.9 < time.monotonic() - begin < 5
    assert result.problems == ["caller: did not end in time; 0 of 5 calls went right"]


def test_a_callee_that_never_listens_is_told(tmp_path: Path) -> None:
    result = perform(tmp_path, Party("callee", "succeeds.xml", background=True), Party("caller", "succeeds.xml"))
    assert result.problems[0].startswith("callee: did not open its port ")
    assert not (tmp_path / "caller.told").exists()


def test_too_many_retransmissions_are_wrong(tmp_path: Path) -> None:
    assert perform(tmp_path, Party("caller", "repeats.xml")).problems == ["3 retransmissions, more than 0"]
    assert perform(tmp_path, Party("caller", "repeats.xml"), calls=30).ok
