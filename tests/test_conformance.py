"""docs/conformance.md says what the marks of the tests say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import PAGE, ROOT, Shown, page, summary, titles


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def collect(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("--collect-only", *arguments)


def test_the_page_is_what_the_tests_say(tmp_path: Path) -> None:
    made = tmp_path / "conformance.md"
    collected = collect("--conformance", str(made), "tests")
    assert collected.returncode == 0, collected.stdout[-3000:]
    assert PAGE.read_text("utf-8") == made.read_text("utf-8"), "out of date: run ./dev conformance"


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        ('conformance("RFC 3261 16.77")', "conformance.toml has no title for RFC 3261 16.77"),
        ('conformance("RFC 9999 1")', "conformance.toml has no title for RFC 9999 1"),
        ('conformance("section 16.7")', """the mark says 'section 16.7', but not "RFC 3261 16.7\""""),
        ('row("A99")', "there is no row 'A99' in conformance.toml"),
    ],
)
def test_a_mark_that_names_nothing_ends_the_run(tmp_path: Path, mark: str, complaint: str) -> None:
    sample = tmp_path / "test_sample.py"
    sample.write_text(f"import pytest\n@pytest.mark.{mark}\ndef test_it(): pass\n")
    collected = collect("-c", str(ROOT / "pyproject.toml"), "-p", "tests.conformance", str(sample))
    assert collected.returncode != 0
    assert complaint in collected.stdout + collected.stderr


def test_sections_stand_in_the_order_of_the_rfc() -> None:
    shown = Shown()
    for section in ("A", "16.10", "9.1", "16.7", "8"):
        shown.sections["3261", section] = {("tests/test_x.py", "test_that_it_works")}
    heads = [line.split()[0].strip("*") for line in page(shown).splitlines() if line.startswith("**")]
    assert heads == ["8", "9.1", "16.7", "16.10", "A"]


def test_a_test_is_shown_in_words_once_and_linked() -> None:
    shown = Shown()
    shown.rows["A03"] = {("tests/net/test_x.py", "test_one"), ("tests/net/test_x.py", "test_the_other_one")}
    text = page(shown)
    assert f"| A03 | {titles()['rows']['A03']} | [net/test_x.py](../tests/net/test_x.py): one; the other one |" in text


def test_rows_without_a_test_are_named() -> None:
    text = page(Shown())
    assert "Without a test: A01, A02," in text
    assert "- A24: WS handshake" in text


def test_rows_of_a_run_are_counted_by_their_worst_outcome() -> None:
    outcomes = {"A01": "passed", "A02": "passed", "A03": "passed", "A05": "passed", "B01": "failed", "C32": "skipped"}
    assert list(summary(outcomes)) == [
        "attack rows passed: 4 (A01-A03 A05)",
        "attack rows skipped: 1 (C32)",
        "attack rows failed: 1 (B01)",
    ]
    assert list(summary({})) == []


SAMPLE = """
import pytest
@pytest.mark.row("A01")
def test_good(): pass
@pytest.mark.row("A01", "A03")
def test_bad(): assert False
@pytest.mark.row("A02")
def test_skipped(): pytest.skip("here")
@pytest.mark.row("A02", "B01", "B02")
def test_good_too(): pass
"""


def test_the_end_of_a_run_says_which_rows_were_shown(tmp_path: Path) -> None:
    sample = tmp_path / "test_sample.py"
    sample.write_text(SAMPLE)
    printed = run("-c", str(ROOT / "pyproject.toml"), "-p", "tests.conformance", str(sample)).stdout
    assert "attack rows passed: 2 (B01-B02)\n" in printed
    assert "attack rows skipped: 1 (A02)\n" in printed
    assert "attack rows failed: 2 (A01 A03)\n" in printed
