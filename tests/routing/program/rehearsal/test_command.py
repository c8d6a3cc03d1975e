"""`ringway test`: which files it takes, what it shows, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routing.program.command_line import main
from routing.program.exit_codes import BAD_CONFIGURATION, FAILURE, OK

ROUTE = """\
on request {
    if request.method == "REGISTER" { save() }
    if from.user in lists.friends   { reply(486) }
    ring(lookup(request.uri), for: 20s)
    reply(outcome)
}
"""
TESTS = """\
test {
    given users alice, bob
}
test "a call" {
    alice calls bob
    expect alice and bob talk
}
test "a friend is told to go away" {
    given lists.friends "alice"
    alice calls bob
    expect alice got 486
}
"""
WRONG = 'test "a wrong one" {\n    given users alice, bob\n    alice calls bob\n    expect alice got 404\n}\n'
CONFIGURATION = 'domains = ["example.com"]\nroutes = "main.route"\n[lists]\nfriends = ["carol"]\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("RINGWAY_CONFIG", "RINGWAY_LOG__LEVEL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "ringway.toml").write_text(CONFIGURATION)
    (tmp_path / "main.route").write_text(ROUTE)
    (tmp_path / "main.test.route").write_text(TESTS)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str, code: int = OK) -> str:
        assert main(["test", *words]) == code
        captured = capsys.readouterr()
        assert captured.err == "" or code == BAD_CONFIGURATION
        return captured.out + captured.err

    return call


def without_time(text: str) -> str:
    return text.rpartition(" in ")[0]


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_tests_that_pass(run: Any) -> None:
    assert without_time(run()) == "main.test.route: 2 tests passed\n2 tests passed"


def test_tests_may_stand_in_the_route_file_and_beside_it(run: Any, folder: Path) -> None:
    (folder / "main.route").write_text(ROUTE + 'test "inside" {\n    expect nobody talks\n}\n')
    assert without_time(run()) == "main.route: 1 test passed\nmain.test.route: 2 tests passed\n3 tests passed"


def test_each_test_by_its_name(run: Any) -> None:
    assert without_time(run("-v")).splitlines()[:2] == [
        "ok  main.test.route:4  a call",
        "ok  main.test.route:8  a friend is told to go away",
    ]


def test_a_test_that_fails(run: Any, folder: Path) -> None:
    (folder / "main.test.route").write_text(TESTS + WRONG.replace("    given users alice, bob\n", ""))
    shown = run(code=FAILURE)
    assert without_time(shown) == (
        'FAILED  main.test.route:13  "a wrong one"\n'
        "error: main.test.route:15:22: alice got no 404\n"
        "        expect alice got 404\n"
        "                         ^^^\n"
        "  hint: it got 200 OK\n"
        "what happened, by seconds, with the lines of the routes that ran:\n"
        "    0.000    alice -> ringway  INVITE sip:bob@example.com\n"
        '              2  if request.method == "REGISTER" { save() }\n'
        '              3  if from.user in lists.friends   { reply(486) }\n'
        "              4  ring(lookup(request.uri), for: 20s)\n"
        "    0.000  ringway -> bob      INVITE sip:bob@198.51.100.12:5060\n"
        "    0.000      bob -> ringway  200 OK\n"
        "    0.000  ringway -> alice    200 OK\n"
        "    0.000    alice -> ringway  ACK sip:bob@198.51.100.12:5060\n"
        "    0.000  ringway -> bob      ACK sip:bob@198.51.100.12:5060\n"
        "\n"
        "main.test.route: 3 tests: 2 passed, 1 failed\n"
        "3 tests: 2 passed, 1 failed"
    )  # fmt: skip


def test_some_of_the_tests(run: Any) -> None:
    assert without_time(run("-k", "FRIEND")) == "main.test.route: 1 test passed\n1 test passed"
    assert run("-k", "frend is told to go away", code=FAILURE) == (
        'no test has "frend is told to go away" in its name: did you mean `a friend is told to go away`?\n'
    )
    assert run("-k", "zzz", code=FAILURE).endswith("known: a call, a friend is told to go away\n")


def test_coverage(run: Any) -> None:
    assert without_time(run("--coverage", "-k", "a call")).splitlines() == [
        "main.test.route: 1 test passed",
        "main.route: 50 %, 3 of 6 statements; these never ran:",
        "     2  save()",
        "     3  reply(486)",
        "     5  reply(outcome)",
        "1 test passed",
    ]


def test_coverage_of_everything(run: Any, folder: Path) -> None:
    (folder / "main.route").write_text("on request {\n    reply(486)\n}\n")
    (folder / "main.test.route").write_text(TESTS.replace("alice and bob talk", "alice got 486"))
    assert "main.route: 100 %, 1 of 1 statements\n" in run("--coverage")


def test_nothing_to_test(run: Any, folder: Path) -> None:
    (folder / "main.test.route").unlink()
    assert run(code=FAILURE) == 'there is no test in main.route: one begins with `test "..." {`\n'
    (folder / "empty").mkdir()
    assert run("empty", code=FAILURE) == 'there is no test in no route file: one begins with `test "..." {`\n'


# -- which files ------------------------------------------------------------------------------------------------------


def test_files_of_every_kind(run: Any, folder: Path) -> None:
    for name in ("main.route", "main.test.route", "ringway.toml", str(folder / "main.route"), "."):
        assert "2 tests passed" in run(name)


def test_a_file_that_is_named_twice_is_tested_once(run: Any) -> None:
    assert run("main.route", "main.test.route").count("main.test.route: 2 tests passed") == 1


def test_a_folder_with_all_below_it(run: Any, folder: Path) -> None:
    below = folder / "routes" / "deep"
    below.mkdir(parents=True)
    (below / "other.route").write_text(ROUTE.replace("lists.friends", '["carol"]') + WRONG.replace("404", "200"))
    shown = run(".")
    assert "main.test.route: 2 tests passed\n" in shown
    assert "routes/deep/other.route: 1 test passed\n" in shown
    assert "3 tests passed" in shown


def test_the_configuration_one_folder_up_counts_too(run: Any, folder: Path) -> None:
    (folder / "routes").mkdir()
    (folder / "main.route").rename(folder / "routes" / "main.route")
    (folder / "main.test.route").rename(folder / "routes" / "main.test.route")
    assert "2 tests passed" in run("routes/main.route")
    assert "2 tests passed" in run("routes")


def test_a_configuration_that_is_named(run: Any, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    other = folder / "elsewhere" / "other.toml"
    other.write_text(CONFIGURATION.replace("carol", "bob").replace('"main.route"', '"../main.route"'))
    (folder / "main.test.route").write_text(TESTS + WRONG.replace("404", "200").replace("given users alice, bob", ""))
    assert "3 tests passed" in run("-f", "elsewhere/other.toml")
    assert "3 tests passed" in run("main.route", "-f", "elsewhere/other.toml")
    other.write_text(CONFIGURATION.replace("carol", "alice").replace('"main.route"', '"../main.route"'))
    assert "3 tests: 1 passed, 2 failed" in run("main.route", "-f", "elsewhere/other.toml", code=FAILURE)


def test_without_any_configuration_the_domain_is_example_com(run: Any, folder: Path) -> None:
    (folder / "ringway.toml").unlink()
    (folder / "main.route").write_text("on request { if to.domain in domains { reply(486) } drop() }\n")
    (folder / "main.test.route").write_text(TESTS.replace("alice and bob talk", "alice got 486"))
    assert "2 tests passed" in run("main.route")


def test_nothing_is_written_and_the_database_is_not_asked(run: Any, folder: Path) -> None:
    before = sorted(folder.iterdir())
    run()
    assert sorted(folder.iterdir()) == before


# -- mistakes ---------------------------------------------------------------------------------------------------------


def test_mistakes_in_tests(run: Any, folder: Path) -> None:
    (folder / "main.test.route").write_text(TESTS.replace("alice got 486", "alice gets 486"))
    assert run(code=FAILURE) == (
        "error: main.test.route:11:18: expected `then`, `and`, `got`, `talk` or `talks` before `gets`\n"
        "        expect alice gets 486\n"
        "                     ^^^^\n"
        "  hint: as in `expect bob got INVITE` or `expect alice and bob talk`\n"
        "1 mistake\n"
    )


def test_a_wrong_file_of_tests_leaves_those_in_the_route_file(run: Any, folder: Path) -> None:
    (folder / "main.route").write_text(ROUTE + 'test "inside" {\n    expect nobody talks\n}\n')
    (folder / "main.test.route").write_text("test { given }\n")
    shown = run(code=FAILURE)
    assert "main.route: 1 test passed\n" in shown
    assert shown.endswith("1 mistake; 1 test passed\n")


def test_warnings_are_shown_and_keep_nothing_from_running(run: Any, folder: Path) -> None:
    (folder / "main.test.route").write_text(TESTS + 'test "nothing" { alice calls bob }\n')
    shown = run()
    assert shown.startswith("warning: main.test.route:13:6: this test expects nothing\n")
    assert "3 tests passed" in shown


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        (ROUTE.replace("reply(outcome)", "replay(outcome)"), "main.route:5:5: there is no function `replay`"),
        (ROUTE.replace("reply(outcome)", "reply(outcome"), 'main.route:6:1: expected "," or ")" before "}"'),
    ],
)
def test_mistakes_in_the_routes_are_told_once(run: Any, folder: Path, routes: str, said: str) -> None:
    (folder / "main.route").write_text(routes)
    shown = run(code=FAILURE)
    assert shown.count(f"error: {said}\n") == 1
    assert shown.endswith("1 mistake\n")


def test_a_setting_that_is_wrong(run: Any, folder: Path) -> None:
    (folder / "main.test.route").write_text(
        'test "it" {\n    given users alice\n    given registrar.min_expires 1d\n    expect nobody talks\n}\n'
        'test "it too" {\n    given registrar.min_expiry 5\n    expect nobody talks\n}\n'
    )
    shown = run(code=FAILURE)
    assert "error: main.test.route:3:11: registrar.min_expires: expected a whole number" in shown
    assert "main.test.route:7:11: unknown key `min_expiry` in [registrar]\n" in shown
    assert "  hint: did you mean `min_expires`?\n" in shown
    assert shown.endswith("2 mistakes\n")


def test_a_configuration_that_is_wrong(run: Any, folder: Path) -> None:
    (folder / "ringway.toml").write_text("domains = 1\n")
    for words in ([], ["main.route"], ["."], ["ringway.toml"]):
        assert "ringway.toml:1:11: domains: expected a list, found 1" in run(*words, code=BAD_CONFIGURATION)


def test_files_that_are_not_there(run: Any, folder: Path) -> None:
    assert "missing.route: can't be read: No such file" in run("missing.route", code=BAD_CONFIGURATION)
    assert "missing.toml: can't be read: No such file" in run("missing.toml", code=BAD_CONFIGURATION)
    assert "missing.toml: can't be read" in run("main.route", "-f", "missing.toml", code=BAD_CONFIGURATION)
    (folder / "main.route").unlink()
    assert "main.route: can't be read: No such file" in run("main.test.route", code=BAD_CONFIGURATION)


# -- for programs -----------------------------------------------------------------------------------------------------


def test_json(run: Any, folder: Path) -> None:
    (folder / "main.test.route").write_text(TESTS + WRONG.replace("    given users alice, bob\n", ""))
    document = json.loads(run("--json", "--coverage", code=FAILURE))
    assert document["good"] is False
    assert [(test["name"], test["passed"]) for test in document["tests"]] == [
        ("a call", True), ("a friend is told to go away", True), ("a wrong one", False),
    ]  # fmt: skip
    wrong = document["tests"][2]
    assert (wrong["file"], wrong["line"], wrong["seconds"]) == ("main.test.route", 13, 0.0)
    assert wrong["failure"] == {
        "file": "main.test.route", "line": 15, "column": 22, "length": 3, "message": "alice got no 404",
        "hint": "it got 200 OK", "severity": "error",
    }  # fmt: skip
    assert wrong["ladder"][0] == {
        "kind": "message", "time": 0.0, "source": "alice", "target": "ringway", "text": "INVITE sip:bob@example.com",
        "again": False,
    }  # fmt: skip
    assert wrong["ladder"][1] == {"kind": "line", "time": 0.0, "line": 2}
    assert document["mistakes"] == [] and document["problems"] == []
    assert document["coverage"] == [
        {
            "file": "main.route", "percent": 66.7, "statements": 6, "ran": 4,
            "never_ran": [
                {"line": 2, "column": 39, "statement": "save()"},
                {"line": 5, "column": 5, "statement": "reply(outcome)"},
            ],
        }
    ]  # fmt: skip


def test_json_of_mistakes(run: Any, folder: Path) -> None:
    (folder / "main.test.route").write_text(TESTS.replace("alice got", "alise got"))
    document = json.loads(run("--json", code=FAILURE))
    assert document["good"] is False
    (problem,) = document["problems"]
    assert (problem["line"], problem["column"], problem["hint"]) == (11, 12, "did you mean `alice`?")
    assert document["mistakes"][0].startswith("error: main.test.route:11:12: ")
    assert "coverage" not in document


def test_json_of_what_is_good(run: Any) -> None:
    assert json.loads(run("--json"))["good"] is True


# -- the other commands -----------------------------------------------------------------------------------------------


def test_check_looks_at_the_tests_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "ringway.toml"]) == OK
    assert main(["check", "main.route"]) == OK
    assert main(["check", "main.test.route"]) == OK
    (folder / "main.test.route").write_text(TESTS.replace("alice got", "alise got").replace('"alice"', "1..2"))
    capsys.readouterr()
    for name in ("ringway.toml", "main.route", "main.test.route"):
        assert main(["check", name]) == FAILURE
        shown = capsys.readouterr().out
        assert "error: main.test.route:9:25: expected a value before `1..2`\n" in shown
        assert "error: main.test.route:11:12: nobody is called `alise` here\n" in shown
        assert shown.endswith(f"{name}: 2 mistakes\n")


def test_check_looks_at_settings_of_tests(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = 'test "x" {\n    given registrar.contacts "many"\n    expect nobody talks\n}\n'
    (folder / "main.route").write_text(ROUTE + inside)
    assert main(["check", "main.route"]) == FAILURE
    assert "main.route:8:11: registrar.contacts: expected " in capsys.readouterr().out


def test_check_knows_the_tables_that_tests_give_where_there_is_no_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "main.test.route").write_text(TESTS.replace("lists.friends", "lists.fiends"))
    assert main(["check", "main.route"]) == OK  # a configuration says what there is
    (folder / "ringway.toml").unlink()
    assert main(["check", "main.route"]) == FAILURE
    assert "did you mean `lists.fiends`?" in capsys.readouterr().out
    (folder / "main.test.route").write_text(TESTS)
    assert main(["check", "main.route"]) == OK
    (folder / "main.test.route").write_text(TESTS + 'test "x" { given hours.x "never" }\n')
    assert main(["check", "main.route"]) == FAILURE
    assert "main.test.route:13:18: hours.x: expected a time window" in capsys.readouterr().out
    (folder / "main.test.route").write_bytes(b"\xff\n")
    assert main(["check", "main.route"]) in (FAILURE, BAD_CONFIGURATION)


def test_check_says_what_is_wrong_with_the_configuration_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "ringway.toml").write_text("domains = 1\n")
    (folder / "main.route").write_text("on request { drop() }\n")
    (folder / "main.test.route").write_text("test { given }\n")
    assert main(["check", "ringway.toml"]) == FAILURE
    assert capsys.readouterr().out.endswith("ringway.toml: 1 mistake\n")


def test_a_wrong_file_of_tests_keeps_no_server_from_starting(folder: Path) -> None:
    from routing.program.check import checked_config

    (folder / "main.test.route").write_text("test { given }\n")
    assert checked_config(folder / "ringway.toml", {}).domains == ("example.com",)


def test_a_wrong_test_in_the_route_file_does(folder: Path) -> None:
    from routing.program.check import checked_config
    from sipcore.errors import ConfigurationError

    (folder / "main.route").write_text(ROUTE + "test { given }\n")
    with pytest.raises(ConfigurationError, match="expected `user`, `users`"):
        checked_config(folder / "ringway.toml", {})
