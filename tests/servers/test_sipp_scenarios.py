"""Every case of sipp-scenarios with a few calls, against one server, in the way an operator runs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sipp_runner.accounts import read_accounts
from sipp_runner.case import read_case
from sipp_runner.session import FOLDER, Session, Wishes
from sipp_runner.target import CALLEE, CALLER

CASES = sorted(file.parent.name for file in FOLDER.glob("*/case.toml"))
CALLS = 3


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    users = read_accounts(FOLDER / "users.csv")
    with Session(Wishes("example.com", CALLER, CALLEE, users, calls=CALLS)) as made:
        yield made


@pytest.mark.program("sipp")
@pytest.mark.parametrize("name", CASES)
def test_case(session: Session, name: str) -> None:
    result = session.perform(read_case(FOLDER / name))
    assert result.ok, "\n".join(result.problems)
    assert result.counts.successful >= CALLS


@pytest.mark.program("sipp")
def test_the_command_reports_to_people_and_to_ci(tmp_path: Path) -> None:
    junit = tmp_path / "results.xml"
    command = [sys.executable, str(FOLDER / "run.py"), "options", "call", "--calls", "2", "--junit", str(junit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("options ") and " ok " in lines[0] and "2 calls  0 failed" in lines[0]
    suite = ElementTree.parse(junit).getroot()
    assert [each.get("name") for each in suite] == ["options", "call"]
    assert suite.get("failures") == "0"


@pytest.mark.program("sipp")
def test_a_case_that_goes_wrong_is_told_with_what_sipp_says(tmp_path: Path) -> None:
    """The wrong password: the callee can't register, and the caller is never started."""
    junit = tmp_path / "results.xml"
    with Session(Wishes("example.com", CALLER, CALLEE, [])) as session:
        target = session.server_for(read_case(FOLDER / "call"))
        command = [
            sys.executable, str(FOLDER / "run.py"), "call", "--calls", "1", "--junit", str(junit),
            "--target", target.remote, "--callee", f"{CALLEE.user}:wrong",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1
    assert "call " in done.stdout and "FAILED" in done.stdout
    assert "register: exit code 1 instead of 0" in done.stdout
    assert "SIP/2.0 401" in done.stdout
    assert ElementTree.parse(junit).getroot().get("failures") == "1"
