"""`ringway lsp`: the real program behind its pipes, driven as an editor drives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routing.language.formatter import format_routes
from routing.language.problem import Report
from tests.json_rpc import Client, ServerError

CONFIGURATION = """domains = ["example.com"]

[lists]
trunks = ["192.0.2.0/24"]

[hours]
office = "Mon-Fri 09:00-17:30"
"""
ROUTES = """# Everything begins here.
on request {
    if source.ip in lists.trunks { call user(20s) }
    let phones = lookup(request.uri)
    if phones.empty { reply(404) }
    call user(time: 30s)
}

# Rings a user.
route user(time: duration) {
    ring(lookup(request.uri), for: time, edit: tidy)
    call.last = outcome.code
    reply(outcome)
}

branch tidy(branch) { remove(branch.header["X-*"]) }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "ringway.toml").write_text(CONFIGURATION)
    (folder / "routes" / "deep").mkdir(parents=True)
    (folder / "main.route").write_text(ROUTES)
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    snippets = {"textDocument": {"completion": {"completionItem": {"snippetSupport": True}}}}
    with Client(folder, snippets) as client:
        yield client


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after edits, whose columns are counted in characters."""
    lines = text.splitlines(keepends=True)

    def offset(place: dict[str, int]) -> int:
        return sum(map(len, lines[: place["line"]])) + place["character"]

    for edit in sorted(edits, key=lambda one: offset(one["range"]["start"]), reverse=True):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text


def labels(completions: dict[str, Any]) -> list[str]:
    return [item["label"] for item in completions["items"]]


def test_it_says_what_it_can_do(client: Client) -> None:
    offered = client.capabilities
    for name in (
        "completionProvider", "hoverProvider", "definitionProvider", "referencesProvider", "renameProvider",
        "documentFormattingProvider", "documentSymbolProvider", "codeActionProvider", "signatureHelpProvider",
        "documentHighlightProvider",
    ):  # fmt: skip
        assert offered.get(name), name
    assert offered["textDocumentSync"]["change"] == 1


# -- mistakes ---------------------------------------------------------------------------------------------------------


def test_a_good_file_has_no_mistakes_also_in_a_folder_far_below(client: Client) -> None:
    for name in ("main.route", "routes/main.route", "routes/deep/main.route"):
        assert client.open(name, ROUTES) == []


def test_all_mistakes_are_shown_as_check_shows_them(client: Client) -> None:
    found = client.open("wrong.route", "on request {\n    ring(lookup(request.ury), for: 20)\n    repli(480)\n}\n")
    assert [(one["message"], one["severity"], one["source"]) for one in found] == [
        ("a request has no `ury`\ndid you mean `uri`?", 1, "ringway"),
        ("expected a duration, this is a number\na duration has a unit: 20s", 1, "ringway"),
        ("there is no function `repli`\ndid you mean `reply`?", 1, "ringway"),
    ]
    assert found[0]["range"] == {"start": {"line": 1, "character": 24}, "end": {"line": 1, "character": 27}}


def test_mistakes_come_and_go_while_somebody_types(client: Client) -> None:
    assert client.open("typed.route", "on request { reply(404) }\n") == []
    client.change("typed.route", "on request { reply(404)\n", 2)
    client.change("typed.route", "on request { reply(40) }\n", 3)
    (found,) = client.diagnostics("typed.route", 3)
    assert found["message"] == "a final status code is a whole number from 200 to 699"
    client.change("typed.route", "on request { reply(404) }\n", 4)
    assert client.diagnostics("typed.route", 4) == []


def test_what_is_not_used_is_only_faded(client: Client) -> None:
    (found,) = client.open("unused.route", "on request { drop() }\nroute spare() { drop() }\n")
    assert (found["message"], found["severity"], found["tags"]) == ("route `spare` is never called", 2, [1])


def test_a_half_typed_line_hides_no_other_mistakes(client: Client) -> None:
    text = "on request {\n    request.uri.\n    call user()\n}\n\nroute user() {\n    rely()\n}\n"
    found = client.open("half.route", text)
    assert [(one["range"]["start"]["line"], one["message"].split("\n")[0]) for one in found] == [
        (2, "`call` is a word of the language"),
        (6, "there is no function `rely`"),
    ]


def test_a_closed_file_shows_nothing(client: Client) -> None:
    assert client.open("closed.route", "on request {")
    client.tell("textDocument/didClose", {"textDocument": {"uri": client.uri("closed.route")}})
    assert client.diagnostics("closed.route") == []


def test_a_change_of_the_configuration_is_noticed(tmp_path: Path) -> None:
    text = "on request {\n    if source.ip in lists.friends { drop() }\n    reply(404)\n}\n"
    (tmp_path / "ringway.toml").write_text(CONFIGURATION)
    with Client(tmp_path) as client:
        (found,) = client.open("main.route", text)
        assert found["message"].startswith("there is no table `lists.friends`")
        (tmp_path / "ringway.toml").write_text(CONFIGURATION.replace("trunks", "friends"))
        changed = {"changes": [{"uri": client.uri("ringway.toml"), "type": 2}]}
        client.tell("workspace/didChangeWatchedFiles", changed)
        assert client.diagnostics("main.route") == []
        (tmp_path / "ringway.toml").write_text("domains = [\n")
        client.tell("textDocument/didSave", {"textDocument": {"uri": client.uri("main.route")}})
        (found,) = client.diagnostics("main.route")
        assert found["severity"] == 2
        assert found["message"].startswith("ringway.toml line 2: ")


def test_a_file_of_tests_and_a_text_in_no_file(client: Client) -> None:
    text = 'test "x" {\n    given users alice, bob\n    alice cals bob\n}\n'
    (found,) = client.open("main.test.route", text)
    assert found["message"] == "expected what `alice` does before `cals`\ndid you mean `calls`?"
    untitled = {
        "uri": "untitled:Untitled-1",
        "languageId": "ringway-route",
        "version": 1,
        "text": "on request { dorp() }",
    }
    client.tell("textDocument/didOpen", {"textDocument": untitled})
    found = client.wait_for("textDocument/publishDiagnostics", lambda given: given["uri"].startswith("untitled"))
    assert "there is no function `dorp`" in found["diagnostics"][0]["message"]


# -- while typing -----------------------------------------------------------------------------------------------------


def test_completion_in_a_line_that_is_being_typed(client: Client) -> None:
    text = "on request {\n    request.uri.\n    reply(404)\n}\n"
    client.open("completion.route", text)
    found = client.at("completion", "completion.route", 1, 16)
    assert labels(found) == ["domain", "host", "parameter", "port", "scheme", "text", "user"]
    user = found["items"][-1]
    assert user["detail"] == "text"
    assert "The user part, escapes undone. Can be set." in user["documentation"]["value"]
    assert user["textEdit"]["range"]["start"] == {"line": 1, "character": 16}


def test_completion_of_functions_brings_a_snippet(client: Client) -> None:
    client.open("snippet.route", "on request {\n    ri\n}\n")
    found = client.at("completion", "snippet.route", 1, 6)
    ring = next(item for item in found["items"] if item["label"] == "ring")
    assert ring["textEdit"]["newText"] == "ring($1)" and ring["insertTextFormat"] == 2
    assert ring["detail"].startswith("ring(to: ")
    assert "It may end the route" in ring["documentation"]["value"]


def test_an_editor_without_snippets_gets_none(tmp_path: Path) -> None:
    with Client(tmp_path) as client:
        client.open("main.route", "on request {\n    ri\n}\n")
        found = client.at("completion", "main.route", 1, 6)
        ring = next(item for item in found["items"] if item["label"] == "ring")
        assert ring["textEdit"]["newText"] == "ring()" and ring["insertTextFormat"] == 1


def test_the_parameters_of_a_call(client: Client) -> None:
    client.open("signature.route", "on request {\n    ban(source.ip, \n}\n")
    found = client.at("signatureHelp", "signature.route", 1, 19)
    assert found["signatures"][0]["label"] == "ban(address: text, duration: duration)"
    assert found["activeParameter"] == 1
    assert client.at("signatureHelp", "signature.route", 0, 4) is None


def test_hover(client: Client) -> None:
    client.open("main.route", ROUTES)
    found = client.at("hover", "main.route", 9, 7)
    assert "route user(time: duration)" in found["contents"]["value"]
    assert "Rings a user." in found["contents"]["value"]
    assert client.at("hover", "main.route", 7, 0) is None


def test_a_quick_fix(client: Client) -> None:
    text = "on request {\n    ring(lookup(request.ury), for: 20)\n    reply(480)\n}\n"
    client.open("fix.route", text)
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    asked = {"textDocument": {"uri": client.uri("fix.route")}, "range": whole, "context": {"diagnostics": []}}
    actions = client.ask("textDocument/codeAction", asked)
    assert [action["title"] for action in actions] == ["Write `uri`", "Write `20s`"]
    edits = [edit for action in actions for edit in action["edit"]["changes"][client.uri("fix.route")]]
    mended = edited(text, edits)
    assert mended == text.replace("ury", "uri").replace("for: 20", "for: 20s")
    client.change("fix.route", mended)
    assert client.diagnostics("fix.route", 2) == []


# -- names ------------------------------------------------------------------------------------------------------------


def test_definition_and_references(client: Client) -> None:
    client.open("main.route", ROUTES)
    (place,) = client.at("definition", "main.route", 5, 10)
    assert place["uri"] == client.uri("main.route")
    assert place["range"]["start"] == {"line": 9, "character": 6}
    found = client.at("references", "main.route", 9, 6, context={"includeDeclaration": True})
    assert [one["range"]["start"]["line"] for one in found] == [2, 5, 9]
    found = client.at("references", "main.route", 9, 6, context={"includeDeclaration": False})
    assert [one["range"]["start"]["line"] for one in found] == [2, 5]
    marked = client.at("documentHighlight", "main.route", 3, 8)
    assert [(one["range"]["start"]["line"], one["kind"]) for one in marked] == [(3, 3), (4, 2)]


def test_the_definition_of_a_table_is_in_the_configuration(client: Client) -> None:
    client.open("main.route", ROUTES)
    (place,) = client.at("definition", "main.route", 2, 28)
    assert place["uri"] == client.uri("ringway.toml")
    assert CONFIGURATION.split("\n")[place["range"]["start"]["line"]].startswith("trunks")
    assert client.at("definition", "main.route", 4, 24) == []


def test_rename(client: Client) -> None:
    client.open("main.route", ROUTES)
    assert client.at("prepareRename", "main.route", 9, 8)["placeholder"] == "user"
    change = client.at("rename", "main.route", 10, ROUTES.split("\n")[10].index("tidy"), newName="clean")
    assert edited(ROUTES, change["changes"][client.uri("main.route")]) == ROUTES.replace("tidy", "clean")
    change = client.at("rename", "main.route", 9, 12, newName="limit_of_ringing")
    renamed = edited(ROUTES, change["changes"][client.uri("main.route")])
    assert renamed == ROUTES.replace("time:", "limit_of_ringing:").replace("for: time", "for: limit_of_ringing")


def test_what_can_not_be_renamed(client: Client) -> None:
    client.open("main.route", ROUTES)
    with pytest.raises(ServerError, match="only names of this file can be renamed"):
        client.at("prepareRename", "main.route", 4, 24)
    for name, why in (
        ("relay", "line 10 would be wrong: `relay` is a function already"),
        ("reply", "`reply` is a word of the language"),
        ("a b", "`a b` is no name"),
    ):
        with pytest.raises(ServerError, match=why):
            client.at("rename", "main.route", 9, 8, newName=name)


# -- the whole file ---------------------------------------------------------------------------------------------------


def test_formatting(client: Client) -> None:
    ugly = ROUTES.replace("    ", "  ").replace("reply(404)", "reply( 404 )")
    client.open("ugly.route", ugly)
    options = {"tabSize": 2, "insertSpaces": True}
    asked = {"textDocument": {"uri": client.uri("ugly.route")}, "options": options}
    edits = client.ask("textDocument/formatting", asked)
    assert edited(ugly, edits) == format_routes(ROUTES, Report("", ROUTES))
    client.change("ugly.route", "on request {\n    reply(404\n}\n")
    assert client.ask("textDocument/formatting", asked) is None


def test_the_list_of_blocks(client: Client) -> None:
    client.open("main.route", ROUTES)
    found = client.ask("textDocument/documentSymbol", {"textDocument": {"uri": client.uri("main.route")}})
    assert [(one["name"], one.get("detail")) for one in found] == [
        ("on request", None),
        ("user", "(time: duration)"),
        ("tidy", None),
    ]
    assert found[1]["range"]["end"] == {"line": 13, "character": 1}


# -- other encodings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 38), ("utf-16", 34), ("utf-32", 33)])
def test_columns_are_counted_as_the_editor_counts(tmp_path: Path, encoding: str, column: int) -> None:
    text = 'on request {\n    log("\N{SNOWMAN}\N{GRINNING FACE}", from.user, request.)\n    drop()\n}\n'
    capabilities = {"general": {"positionEncodings": [encoding]}}
    with Client(tmp_path, capabilities) as client:
        assert client.capabilities["positionEncoding"] == encoding
        (found,) = client.open("main.route", text)
        assert found["range"]["start"] == {"line": 1, "character": column}
        assert "method" in labels(client.at("completion", "main.route", 1, column))


# -- the command ------------------------------------------------------------------------------------------------------


def test_without_pygls_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    from routing.program.command_line import main
    from routing.program.exit_codes import FAILURE

    for name in [name for name in sys.modules if name.partition(".")[0] in ("pygls", "lsprotocol")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("pygls", "lsprotocol"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("routing.program.lsp_server", "routing.program.lsp_answers"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert main(["lsp"]) == FAILURE
    shown = capsys.readouterr().err
    assert shown == 'error: `ringway lsp` needs pygls, which is not there: pip install "ringway[lsp]"\n'
