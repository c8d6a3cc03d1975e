"""`ringway fmt`: what it changes, what it says, what it never touches."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from routing.program.command_line import main
from routing.program.exit_codes import FAILURE, OK, USAGE
from routing.program.format_command import Mode, format_files

UGLY = "on request{reply( 404 )}  # why\n"
GOOD = "on request { reply(404) }  # why\n"
WRONG = "on request {\n    reply(404\n}\n"
SHOWN = 'error: {name}:3:1: expected "," or ")" before "}}"\n    }}\n    ^\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ugly.route").write_text(UGLY)
    (tmp_path / "good.route").write_text(GOOD)
    (tmp_path / "wrong.route").write_text(WRONG)
    return tmp_path


def piped(text: bytes, mode: Mode) -> int:
    return format_files([Path("-")], mode, {}, io.BytesIO(text))


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_brought_into_its_layout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "ugly.route", "good.route"]) == OK
    assert (folder / "ugly.route").read_text() == GOOD
    assert capsys.readouterr() == ("formatted ugly.route\n", "")
    assert main(["fmt", "ugly.route", "good.route"]) == OK
    assert capsys.readouterr() == ("", "")


def test_a_file_that_is_good_is_not_written(folder: Path) -> None:
    before = (folder / "good.route").stat()
    assert main(["fmt", "good.route"]) == OK
    after = (folder / "good.route").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_check_names_what_would_change_and_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "good.route"]) == OK
    assert main(["fmt", "--check", "good.route", "ugly.route"]) == FAILURE
    assert capsys.readouterr() == ("would change ugly.route\n", "")
    assert (folder / "ugly.route").read_text() == UGLY


def test_diff_shows_what_would_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--diff", "ugly.route", "good.route"]) == FAILURE
    assert capsys.readouterr().out == (
        "--- ugly.route\n+++ ugly.route (formatted)\n@@ -1 +1 @@\n"
        "-on request{reply( 404 )}  # why\n+on request { reply(404) }  # why\n"
    )
    assert (folder / "ugly.route").read_text() == UGLY


def test_diff_tells_of_a_last_line_without_an_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "open.route").write_text(GOOD.rstrip("\n"))
    assert main(["fmt", "--diff", "open.route"]) == FAILURE
    assert "\\ No newline at end of file\n" in capsys.readouterr().out


def test_a_file_with_mistakes_is_left_alone_and_the_others_are_seen_to(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fmt", "wrong.route", "ugly.route"]) == FAILURE
    assert capsys.readouterr() == ("formatted ugly.route\n", SHOWN.format(name="wrong.route"))
    assert (folder / "wrong.route").read_text() == WRONG


def test_names_that_nothing_has_are_no_affair_of_the_layout(folder: Path) -> None:
    (folder / "new.route").write_text("on request {\n    not_yet_written(1)\n}\n")
    assert main(["fmt", "new.route"]) == OK


def test_a_folder_stands_for_all_route_files_in_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrong.route").unlink()
    (folder / "routes").mkdir()
    (folder / "routes" / "inner.route").write_text(UGLY)
    assert main(["fmt", "."]) == OK
    assert capsys.readouterr().out == "formatted routes/inner.route\nformatted ugly.route\n"
    (folder / "empty").mkdir()
    assert main(["fmt", "empty"]) == FAILURE
    assert capsys.readouterr().err == "error: empty: there are no route files in this folder\n"


def test_a_configuration_stands_for_its_routes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringway.toml").write_text('domains = ["example.com"]\nroutes = "ugly.route"\n')
    assert main(["fmt", "--check"]) == FAILURE
    assert main(["fmt", "ringway.toml"]) == OK
    assert capsys.readouterr().out == "would change ugly.route\nformatted ugly.route\n"
    (folder / "ringway.toml").write_text("domains = [\n")
    assert main(["fmt", "ringway.toml"]) == FAILURE
    assert capsys.readouterr().err.startswith("error: ringway.toml:2:1: ")


# -- standard input ---------------------------------------------------------------------------------------------------


def test_standard_input_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    for text in (UGLY, GOOD):
        assert piped(text.encode(), Mode.WRITE) == OK
        assert capsys.readouterr() == (GOOD, "")


def test_standard_input_with_a_mistake_gives_nothing_but_the_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert piped(WRONG.encode(), Mode.WRITE) == FAILURE
    assert capsys.readouterr() == ("", SHOWN.format(name="standard input"))


def test_standard_input_can_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert piped(UGLY.encode(), Mode.CHECK) == FAILURE
    assert piped(GOOD.encode(), Mode.CHECK) == OK
    assert capsys.readouterr() == ("would change standard input\n", "")


# -- what can't be read or written ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"on request {\n\xff }\n", "bad.route:2: this line is not UTF-8 text"),
        (b"#" * 1_000_001, "bad.route: larger than 1000000 bytes; this is no route file"),
    ],
)
def test_files_that_are_no_route_files(
    folder: Path, capsys: pytest.CaptureFixture[str], data: bytes, message: str
) -> None:
    (folder / "bad.route").write_bytes(data)
    assert main(["fmt", "bad.route"]) == FAILURE
    assert capsys.readouterr() == ("", f"error: {message}\n")
    assert (folder / "bad.route").read_bytes() == data


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "none.route"]) == FAILURE
    assert capsys.readouterr().err == "error: none.route: can't be read: No such file or directory\n"


@pytest.mark.usefixtures("folder")
def test_wrong_arguments_are_a_matter_of_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fmt", "--chekc"])
    assert ended.value.code == USAGE


def test_mode_and_links_stay(folder: Path) -> None:
    os.chmod(folder / "ugly.route", 0o640)
    (folder / "link.route").symlink_to("ugly.route")
    assert main(["fmt", "link.route"]) == OK
    assert (folder / "link.route").is_symlink()
    assert (folder / "ugly.route").read_text() == GOOD
    assert stat.S_IMODE((folder / "ugly.route").stat().st_mode) == 0o640
    assert not [name for name in os.listdir(folder) if name.startswith(".")]


def test_a_file_that_can_not_be_replaced_stays_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, step, full)
            assert main(["fmt", "ugly.route"]) == FAILURE
        assert capsys.readouterr().err == "error: ugly.route: can't be written: No space left on device\n"
        assert (folder / "ugly.route").read_text() == UGLY
        assert not [name for name in os.listdir(folder) if name.startswith(".")]


def test_a_file_that_may_not_be_written_stays_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    assert main(["fmt", "ugly.route"]) == FAILURE
    assert capsys.readouterr().err == "error: ugly.route: can't be written: Permission denied\n"
    assert (folder / "ugly.route").read_text() == UGLY


def test_a_file_of_somebody_else_can_be_formatted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refused)
    assert main(["fmt", "ugly.route"]) == OK
    assert (folder / "ugly.route").read_text() == GOOD


def test_a_fault_of_the_layout_is_told_and_nothing_is_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("routing.language.formatter.Formatter.rendered", lambda self: "on request { drop() }\n")
    assert main(["fmt", "ugly.route"]) == FAILURE
    assert capsys.readouterr().err.startswith("error: ugly.route: left as it is: a fault of `ringway fmt`")
    assert (folder / "ugly.route").read_text() == UGLY
