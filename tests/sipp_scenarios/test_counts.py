"""What SIPp counted, and how results are written for CI."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from sipp_runner.counts import Counts, read_counts
from sipp_runner.junit import write_junit
from sipp_runner.performance import Result

HEADER = "StartTime;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);FailedUnexpectedMessage(C);Retransmissions(C);\n"


def test_the_last_row_counts(tmp_path: Path) -> None:
    file = tmp_path / "sipp.csv"
    file.write_text(HEADER + "12:00;1;1;0;0;0;\n12:01;8;9;2;1;5;\n")
    assert read_counts(file) == Counts(successful=9, failed=2, retransmissions=5, unexpected=1)


def test_a_sipp_that_ended_early_counted_nothing(tmp_path: Path) -> None:
    assert read_counts(tmp_path / "none.csv") == Counts()
    (tmp_path / "header.csv").write_text(HEADER)
    assert read_counts(tmp_path / "header.csv") == Counts()


def test_counts_add_up() -> None:
    assert Counts(1, 2, 3, 4) + Counts(10, 20, 30, 40) == Counts(11, 22, 33, 44)


def test_the_line_for_people() -> None:
    right = Result("call", 10, seconds=1.24, counts=Counts(30, 0, 2))
    assert right.line().split() == ["call", "ok", "10", "calls", "0", "failed", "2", "retransmissions", "1.2", "s"]
    wrong = Result("busy", 3, counts=Counts(0, 3), problems=["caller: exit code 1 instead of 0"])
    assert wrong.line().split() == ["busy", "FAILED", "3", "calls", "3", "failed", "0", "retransmissions", "0.0", "s"]


def test_junit_holds_what_went_wrong(tmp_path: Path) -> None:
    file = tmp_path / "results.xml"
    bad = "caller: exit code 1\nreceived 'SIP/2.0 500 <&>\x00\x1b[31m'"
    write_junit([Result("call", 10, 1.5), Result("busy", 10, 0.5, problems=[bad, "another"])], file)
    suite = ElementTree.parse(file).getroot()
    assert suite.attrib == {
        "name": "sipp-scenarios", "tests": "2", "failures": "1", "errors": "0", "time": "2.000",
    }  # fmt: skip
    call, busy = suite
    assert call.find("failure") is None and call.get("time") == "1.500"
    failure = busy.find("failure")
    assert failure is not None
    assert failure.get("message") == "caller: exit code 1"
    assert failure.text == "caller: exit code 1\nreceived 'SIP/2.0 500 <&>[31m'\nanother"
