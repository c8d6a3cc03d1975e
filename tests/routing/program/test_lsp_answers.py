"""The answers in the words of the protocol: kinds, ranges, edits."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from routing.language.editor.analysis import Analysis
from routing.language.editor.completion import Form
from routing.language.editor.renaming import Refused
from routing.program.lsp_answers import _KINDS, _SYMBOLS, Answers
from routing.program.lsp_server import _file, make_server
from routing.program.project import Projects

URI = "file:///x/main.route"
ENVIRONMENT = Projects({}).of(None).environment


def answers(text: str, *, snippets: bool = True, encoding: str = "utf-16") -> Answers:
    return Answers(Analysis(text, ENVIRONMENT), URI, encoding, snippets)


def at(marked: str, **settings: bool) -> tuple[Answers, types.Position]:
    """Answers about a text without its `|`, and where that stood."""
    before, _, after = marked.partition("|")
    position = types.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)
    return answers(before + after, **settings), position


def span(line: int, start: int, end: int) -> types.Range:
    return types.Range(types.Position(line, start), types.Position(line, end))


# -- mistakes ---------------------------------------------------------------------------------------------------------


def test_a_mistake_with_its_hint() -> None:
    (found,) = answers("on request { repli(404) }").diagnostics("")
    assert found == types.Diagnostic(
        span(0, 13, 18),
        "there is no function `repli`\ndid you mean `reply`?",
        types.DiagnosticSeverity.Error,
        source="ringway",
    )


def test_warnings_of_what_is_unused_are_marked_so() -> None:
    found = answers("on request { let x = 1 drop() }\nroute r() { drop() }").diagnostics("")
    assert [(one.severity, one.tags) for one in found] == 2 * [
        (types.DiagnosticSeverity.Warning, [types.DiagnosticTag.Unnecessary])
    ]


def test_a_mistake_of_the_configuration_comes_first() -> None:
    first, *others = answers("on request { repli(404) }").diagnostics("ringway.toml line 3: wrong")
    assert first.severity is types.DiagnosticSeverity.Warning and len(others) == 1
    assert first.range == span(0, 0, 1) and first.message.startswith("ringway.toml line 3: wrong\n")


def test_a_quick_fix_is_an_edit_of_this_file() -> None:
    (fix,) = answers("on request { repli(404) }").fixes(span(0, 15, 15))
    assert fix.kind == types.CodeActionKind.QuickFix and fix.is_preferred
    assert fix.edit is not None and fix.edit.changes == {URI: [types.TextEdit(span(0, 13, 18), "reply")]}
    assert fix.diagnostics is not None and fix.diagnostics[0].message.startswith("there is no function")
    assert answers("on request { repli(404) }").fixes(span(0, 0, 2)) == []


# -- while typing -----------------------------------------------------------------------------------------------------


def item(marked: str, label: str, **settings: bool) -> types.CompletionItem:
    found, position = at(marked, **settings)
    return next(one for one in found.completion(position).items if one.label == label)


def test_every_form_has_a_picture() -> None:
    assert set(_KINDS) == set(Form)


@pytest.mark.parametrize(
    ("text", "label", "kind"),
    [
        ("on request { |", "ring", types.CompletionItemKind.Function),
        ("on request { |", "if", types.CompletionItemKind.Keyword),
        ("on request { if |", "source", types.CompletionItemKind.Property),
        ("on request { if x in |", "domains", types.CompletionItemKind.Module),
        ("on request { let x = 1 log(|", "x", types.CompletionItemKind.Variable),
        ("on request { ring(to, |", "for:", types.CompletionItemKind.Field),
        ('on request { ring(to, order: "|', "by q", types.CompletionItemKind.EnumMember),
        ("route r(a: |", "uri", types.CompletionItemKind.TypeParameter),
    ],
)
def test_an_offer_has_its_kind(text: str, label: str, kind: types.CompletionItemKind) -> None:
    assert item(text, label).kind is kind


def test_an_offer_replaces_what_is_typed() -> None:
    found = item("on request {\n    ri|ng(to)\n}", "ring")
    assert found.text_edit == types.TextEdit(span(1, 4, 8), "ring($1)")
    assert found.insert_text_format is types.InsertTextFormat.Snippet
    plain = item("on request {\n    ri|\n}", "ring", snippets=False)
    assert plain.text_edit == types.TextEdit(span(1, 4, 6), "ring()")


def test_texts_are_found_by_what_is_typed_with_the_quote() -> None:
    found = item('on request { ring(to, order: "b|', "by q")
    assert found.filter_text == '"by q"' and found.text_edit == types.TextEdit(span(0, 29, 31), '"by q"')


def test_likely_offers_come_first() -> None:
    found, position = at("route r(time: duration) { ring(to, for: |")
    ordered = sorted(found.completion(position).items, key=lambda one: one.sort_text or "")
    assert ordered[0].label == "time"


def test_the_active_parameter() -> None:
    found, position = at("on request { ban(source.ip, |")
    shown = found.signature(position)
    assert shown is not None and shown.active_parameter == 1
    (signature,) = shown.signatures
    assert [one.label for one in signature.parameters or ()] == ["address: text", "duration: duration"]
    found, position = at("on request { ring(to, ord|")
    shown = found.signature(position)
    assert shown is not None and shown.active_parameter == len(shown.signatures[0].parameters or ()), "none of them"
    found, position = at("on request { | }")
    assert found.signature(position) is None


def test_hover_marks_what_it_is_about() -> None:
    found, position = at("on request { re|ply(404) }")
    shown = found.hover(position)
    assert shown is not None and shown.range == span(0, 13, 18)
    assert isinstance(shown.contents, types.MarkupContent) and shown.contents.kind is types.MarkupKind.Markdown
    found, position = at("on request { reply(404) }|")
    assert found.hover(position) is None


# -- names ------------------------------------------------------------------------------------------------------------

TWO = "on request { call |user() }\nroute user() { drop() }\n"


def test_places_of_a_name() -> None:
    found, position = at(TWO)
    assert found.definition(position) == [types.Location(URI, span(1, 6, 10))]
    both = [types.Location(URI, span(0, 18, 22)), types.Location(URI, span(1, 6, 10))]
    assert found.references(position, True) == both
    assert found.references(position, False) == both[:1]
    kinds = [(one.range, one.kind) for one in found.highlights(position)]
    assert kinds == [
        (span(0, 18, 22), types.DocumentHighlightKind.Read),
        (span(1, 6, 10), types.DocumentHighlightKind.Write),
    ]


def test_a_new_name() -> None:
    found, position = at(TWO)
    assert found.renamable(position) == types.PrepareRenamePlaceholder(span(0, 18, 22), "user")
    edits = [types.TextEdit(span(0, 18, 22), "all"), types.TextEdit(span(1, 6, 10), "all")]
    assert found.rename(position, "all") == types.WorkspaceEdit(changes={URI: edits})
    with pytest.raises(Refused):
        found.rename(position, "reply")


# -- the whole file ---------------------------------------------------------------------------------------------------


def test_every_kind_of_block_has_a_symbol() -> None:
    text = """shared a: text for 1h
on request { drop() }
route r() { drop() }
branch b(branch) { }
reply c(reply) { }
test "t" { given users x }
"""
    found = answers(text).symbols()
    assert [one.kind for one in found] == list(map(_SYMBOLS.get, ["shared", "on", "route", "branch", "reply", "test"]))
    for one in found:
        assert one.range.start.line == one.selection_range.start.line


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("on request { drop() }\n", []),
        ("on request { drop() }\r\n", []),
        (
            "on request { drop( ) }\n",
            [types.TextEdit(types.Range(types.Position(0, 0), types.Position(1, 0)), "on request { drop() }\n")],
        ),
        ("# a\nx = 1", None),
        (
            "# a\non request {\ndrop()\n}\n# b\n",
            [types.TextEdit(types.Range(types.Position(2, 0), types.Position(3, 0)), "    drop()\n")],
        ),
        (
            "on request { drop() }",
            [types.TextEdit(types.Range(types.Position(0, 0), types.Position(0, 21)), "on request { drop() }\n")],
        ),
    ],
)
def test_only_the_lines_that_differ_are_edited(text: str, edits: list[types.TextEdit] | None) -> None:
    assert answers(text).formatted() == edits


# -- the server -------------------------------------------------------------------------------------------------------


def test_files_of_uris() -> None:
    assert _file("file:///a/b%20c.route") == Path("/a/b c.route")
    assert _file("untitled:Untitled-1") is None


def test_the_server_offers_everything() -> None:
    features = set(make_server({}).protocol.fm.features)
    for method in (
        types.TEXT_DOCUMENT_DID_OPEN, types.TEXT_DOCUMENT_DID_CHANGE, types.TEXT_DOCUMENT_DID_SAVE,
        types.TEXT_DOCUMENT_DID_CLOSE, types.TEXT_DOCUMENT_COMPLETION, types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.TEXT_DOCUMENT_HOVER, types.TEXT_DOCUMENT_CODE_ACTION, types.TEXT_DOCUMENT_DEFINITION,
        types.TEXT_DOCUMENT_REFERENCES, types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, types.TEXT_DOCUMENT_PREPARE_RENAME,
        types.TEXT_DOCUMENT_RENAME, types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.TEXT_DOCUMENT_FORMATTING,
    ):  # fmt: skip
        assert method in features
