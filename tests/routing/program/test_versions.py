"""The versions that are kept: numbers, bounds, what is on the disk, and what a restart finds there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from routing.program.versions import KEPT, Texts, Versions

NAMES = ("ringway.toml", "main.route")


def texts(number: int) -> Texts:
    return Texts("domains = []\n", f"# {number}\n")


def filled(folder: Path | None, count: int) -> Versions:
    versions = Versions(folder, lambda: 1_800_000_000.0)
    for number in range(1, count + 1):
        versions.use(texts(number), "reload")
    if folder is not None:
        versions.store(NAMES)
    return versions


def test_each_new_text_is_a_version_and_the_same_text_is_the_same_one() -> None:
    versions = filled(None, 3)
    assert [version.number for version in versions.all()] == [1, 2, 3]
    again = versions.use(texts(2), "reload")
    assert (again.number, versions.current, len(versions.all())) == (2, again, 3)
    assert versions.use(texts(9), "reload").number == 4


def test_the_hash_tells_both_texts_apart() -> None:
    assert len({Texts(*pair).hash for pair in (("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", ""))}) == 4


def test_before_the_one_in_force_comes_the_next_older_one() -> None:
    versions = filled(None, 3)
    second = versions.find(None)
    assert second is not None and second.number == 2
    versions.use(second.texts, second.why)
    first = versions.find(None)
    assert first is not None and first.number == 1
    versions.use(first.texts, first.why)
    assert versions.find(None) is None
    assert versions.find(3) is not None
    assert versions.find(4) is None
    assert Versions(None, lambda: 0.0).find(None) is None


def test_ten_are_kept_and_the_one_in_force_always(tmp_path: Path) -> None:
    versions = filled(tmp_path / "versions", 14)
    assert [version.number for version in versions.all()] == list(range(5, 15))
    assert sorted(map(int, os.listdir(tmp_path / "versions"))) == list(range(5, 15))
    oldest = versions.all()[0]
    versions.use(oldest.texts, oldest.why)
    for number in range(20, 20 + KEPT):
        versions.use(texts(number), "reload")
        assert versions.current in versions.all()
        assert len(versions.all()) == KEPT


def test_the_files_are_those_of_the_operator_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    filled(tmp_path / "versions", 1)
    assert sorted(os.listdir(tmp_path / "versions" / "1")) == ["main.route", "ringway.toml", "version.json"]
    assert (tmp_path / "versions/1/main.route").read_text() == "# 1\n"
    for folder in ("versions", "versions/1"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_restart_finds_them_and_goes_on_counting(tmp_path: Path) -> None:
    before = filled(tmp_path, 3)
    found = Versions(tmp_path, lambda: 0.0)
    assert found.all() == before.all()
    assert found.current is None
    assert found.use(texts(3), "start").number == 3
    assert found.use(texts(4), "reload").number == 4


def test_what_is_damaged_is_passed_over(tmp_path: Path) -> None:
    filled(tmp_path, 4)
    (tmp_path / "1" / "main.route").unlink()
    (tmp_path / "2" / "version.json").write_text("{}")
    (tmp_path / "3" / "version.json").write_text('{"configuration": "../../etc/passwd", "routes": 1}')
    (tmp_path / "5.123").mkdir()  # a kill in the middle
    (tmp_path / "notes").mkdir()
    found = Versions(tmp_path, lambda: 0.0)
    assert [version.number for version in found.all()] == [4]
    found.store(NAMES)
    assert sorted(os.listdir(tmp_path)) == ["4", "notes"]


def test_files_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    versions = Versions(tmp_path, lambda: 0.0)
    versions.use(Texts("a", "b"), "start")
    versions.store(("same", "same"))
    assert Versions(tmp_path, lambda: 0.0).all()[0].texts == Texts("a", "b")


def test_a_folder_that_cannot_be_written_is_an_error_for_who_stores(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    versions = Versions(tmp_path / "file" / "versions", lambda: 0.0)
    versions.use(texts(1), "start")
    with pytest.raises(OSError):
        versions.store(NAMES)
    assert len(versions.all()) == 1
