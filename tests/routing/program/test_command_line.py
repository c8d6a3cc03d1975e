"""The `ringway` command: words, exit codes, what is printed and what is asked for."""

import io
import json
from pathlib import Path

import pytest

from routing.program import command_line
from routing.program.command_line import main
from routing.program.exit_codes import BAD_CONFIGURATION, FAILURE, OK, TEMPORARY, USAGE

ROUTE = 'on request { reply(404, "Nobody") }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good configuration and a database, which is the current one."""
    (tmp_path / "ringway.toml").write_text('domains = ["example.com", "example.org"]\n')
    (tmp_path / "main.route").write_text(ROUTE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RINGWAY_CONFIG", raising=False)
    assert main(["db", "init"]) == OK
    return tmp_path


def usage_error(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == USAGE
    return capsys.readouterr().err


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek"], "ringway: unknown command `chek`: did you mean `check`?"),
        (["user", "lst"], "ringway user: unknown command `lst`: did you mean `list`?"),
        (
            ["zzzz"],
            "known are run, check, explain, test, quickstart, reload, rollback, versions, status, user, ",
        ),
        (["user"], "Try `ringway user --help`."),
        (["run", "--fork"], "unrecognized arguments: --fork"),
        (["quickstart", "--port", "65536"], "65536 is no port: 0 to 65535"),
        (["quickstart", "--port", "sip"], "sip is no port: 0 to 65535"),
        (["user", "add", "1001", "--generate", "--password-stdin"], "not allowed with argument"),
    ],
)
def test_a_wrong_word_is_a_usage_error(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert said in usage_error(capsys, *words)


def test_without_words_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == OK
    shown = capsys.readouterr().out
    for command in ("run", "check", "quickstart", "user", "reg", "db", "version"):
        assert f"\n    {command}" in shown


@pytest.mark.parametrize("word", ["version", "-v", "--version"])
def test_version(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert main([word]) == OK
    assert capsys.readouterr().out.startswith("ringway 0.")


@pytest.mark.parametrize(
    "words", [["-c"], ["-f", "ringway.toml", "-c"], ["-c", "ringway.toml"], ["check", "-f", "ringway.toml"]]
)
@pytest.mark.usefixtures("folder")
def test_short_spellings_of_check(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == OK
    assert capsys.readouterr().out.endswith("ringway.toml: good\n")


def test_a_file_alone_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(command_line, "_run", lambda asked: ran.append(asked.file) or OK)
    assert main(["-f", "some.toml"]) == OK
    assert ran == ["some.toml"]


# -- errors of every command ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["run"], ["user", "list"], ["reg", "list"], ["db", "init"], ["db", "check"], ["check"]]
)
def test_without_a_configuration_it_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RINGWAY_CONFIG", raising=False)
    monkeypatch.setattr("routing.program.config.SYSTEM_FILE", tmp_path / "none.toml")
    assert main(words) == BAD_CONFIGURATION
    said = capsys.readouterr().err
    assert f"looked at {tmp_path}/ringway.toml, {tmp_path}/none.toml" in said
    assert "ringway quickstart" in said


@pytest.mark.parametrize("words", [["run"], ["user", "list"], ["reg", "list"], ["db", "check"]])
def test_a_wrong_configuration_stops_every_command(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (folder / "ringway.toml").write_text('domain = ["example.com"]\nnode = 1\n')
    assert main(words) == BAD_CONFIGURATION
    said = capsys.readouterr().err
    assert said.count("error: ") == 3
    assert "error: ringway.toml:1:1: unknown key `domain`" in said


def test_run_refuses_a_wrong_route_file_before_anything_is_started(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "main.route").write_text("on request { replay(404) }\n")
    assert main(["run"]) == BAD_CONFIGURATION
    said = capsys.readouterr().err
    assert "error: main.route:1:14: " in said
    assert "did you mean `reply`?" in said


@pytest.mark.parametrize("words", [["user", "list"], ["reg", "list"], ["db", "check"]])
def test_a_database_that_is_not_there_is_a_temporary_failure(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (folder / "ringway.db").unlink()
    assert main(words) == TEMPORARY
    assert capsys.readouterr().err.startswith("error: ")


def test_a_reader_that_went_away_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(asked: object) -> int:
        raise BrokenPipeError

    redirected: list[int] = []
    monkeypatch.setattr(command_line, "_version", closed)
    monkeypatch.setattr("os.dup2", lambda old, new: redirected.append(new))
    assert main(["version"]) == FAILURE
    assert len(redirected) == 1


# -- users ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_a_user_from_the_first_to_the_last_day(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a secret\nother"))
    assert main(["user", "add", "1001", "--password-stdin"]) == OK
    assert main(["user", "add", "1002@example.org", "--generate"]) == OK
    added = capsys.readouterr().out.splitlines()[-3:]
    assert added[:2] == ["added 1001@example.com", "added 1002@example.org"]
    assert added[2].startswith("password: ")
    assert main(["user", "list"]) == OK
    assert capsys.readouterr().out.splitlines() == [
        "ADDRESS           ALGORITHMS",
        "1001@example.com  MD5, SHA-256, SHA-512-256",
        "1002@example.org  MD5, SHA-256, SHA-512-256",
    ]
    assert main(["user", "list", "--json"]) == OK
    assert [user["address"] for user in json.loads(capsys.readouterr().out)] == ["1001@example.com", "1002@example.org"]
    assert main(["user", "passwd", "1001", "--password-stdin"]) == OK
    assert main(["user", "rm", "1001"]) == OK
    assert capsys.readouterr().out == "changed 1001@example.com\nremoved 1001@example.com\n"


@pytest.mark.usefixtures("folder")
def test_the_password_is_asked_for_twice(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["one", "two", "same", "same"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert main(["user", "add", "1001"]) == FAILURE
    assert "the two passwords differ" in capsys.readouterr().err
    assert main(["user", "add", "1001"]) == OK


@pytest.mark.usefixtures("folder")
def test_nobody_to_ask_for_the_password(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    assert main(["user", "add", "1001"]) == FAILURE
    assert "--password-stdin or --generate" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_done_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "1001", "--generate"]) == OK
    capsys.readouterr()
    assert main(["user", "add", "1001", "--generate"]) == FAILURE
    assert main(["user", "rm", "1002"]) == FAILURE
    assert main(["user", "add", "1001@example.net", "--generate"]) == FAILURE
    said = capsys.readouterr().err.splitlines()
    assert [line.startswith("error: ") for line in said] == [True] * 3


@pytest.mark.usefixtures("folder")
def test_an_empty_list_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["user", "list"]) == OK
    assert main(["user", "list", "--json"]) == OK
    assert main(["reg", "list"]) == OK
    assert capsys.readouterr().out.splitlines() == [
        "no users; `ringway user add USER` adds one", "[]", "nobody is registered",
    ]  # fmt: skip


@pytest.mark.usefixtures("folder")
def test_removing_registrations_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reg", "rm", "1001"]) == FAILURE
    assert "1001 has no registrations" in capsys.readouterr().err


# -- the database -----------------------------------------------------------------------------------------------------


def test_the_database_is_made_once_and_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringway.db").unlink()
    for _ in range(2):
        assert main(["db", "init"]) == OK
    assert main(["db", "check"]) == OK
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("ringway.db: added tables for accounts and bindings")
    assert (second, third) == ("ringway.db: was up to date", "ringway.db: good")


def test_differences_in_the_database_are_findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringway.db").unlink()
    (folder / "ringway.db").touch()
    assert main(["db", "check", "--json"]) == FAILURE
    found = json.loads(capsys.readouterr().out)
    assert "table version is missing" in [finding["problem"] for finding in found]
