"""The answers of routing.language.editor in the words of the Language Server Protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lsprotocol import types

from routing.language.editor.analysis import Analysis
from routing.language.editor.completion import Form, Offer, complete
from routing.language.editor.fixes import fixes, range_of
from routing.language.editor.hover import hover, table_at
from routing.language.editor.names import Occurrence, declarations
from routing.language.editor.outline import outline
from routing.language.editor.parameters import parameters_at
from routing.language.editor.renaming import renamable, rename
from routing.language.editor.source import Edit, Range
from routing.language.formatter import format_routes
from routing.language.problem import Problem, Report, Severity
from routing.program.positions import offset_of, place_of

SOURCE = "ringway"
_KINDS = {
    Form.FUNCTION: types.CompletionItemKind.Function,
    Form.ROUTE: types.CompletionItemKind.Method,
    Form.LOCAL: types.CompletionItemKind.Variable,
    Form.PROPERTY: types.CompletionItemKind.Property,
    Form.TABLE: types.CompletionItemKind.Module,
    Form.KEYWORD: types.CompletionItemKind.Keyword,
    Form.LABEL: types.CompletionItemKind.Field,
    Form.VALUE: types.CompletionItemKind.EnumMember,
    Form.TYPE: types.CompletionItemKind.TypeParameter,
}
_SYMBOLS = {
    "on": types.SymbolKind.Event,
    "route": types.SymbolKind.Function,
    "branch": types.SymbolKind.Method,
    "reply": types.SymbolKind.Method,
    "shared": types.SymbolKind.Array,
    "test": types.SymbolKind.Class,
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers about one text; `encoding` is what columns are counted in, `snippets` whether the editor takes them."""

    analysis: Analysis
    uri: str
    encoding: str
    snippets: bool = False

    # -- places ---------------------------------------------------------------------------------------------------

    def offset(self, position: types.Position) -> int:
        """The offset of a position."""
        return offset_of(self.analysis.source, position.line, position.character, self.encoding)

    def _range(self, range_: Range) -> types.Range:
        start, end = (types.Position(*place_of(self.analysis.source, one, self.encoding)) for one in range_)
        return types.Range(start, end)

    def _location(self, occurrence: Occurrence) -> types.Location:
        return types.Location(self.uri, self._range(self.analysis.source.range(occurrence.span)))

    def _edits(self, edits: Iterable[Edit]) -> list[types.TextEdit]:
        return [types.TextEdit(self._range(one.range), one.text) for one in edits]

    def _change(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        return types.WorkspaceEdit(changes={self.uri: self._edits(edits)})

    # -- mistakes -------------------------------------------------------------------------------------------------

    def diagnostics(self, mistake: str) -> list[types.Diagnostic]:
        """Every mistake of the text; `mistake` is one of its configuration, which is told in the first line."""
        found = [self._diagnostic(problem) for problem in self.analysis.problems]
        if mistake:
            text = f"{mistake}\nUntil it is mended, tables of the configuration may be unknown here."
            top = types.Range(types.Position(0, 0), types.Position(0, 1))
            found.insert(0, types.Diagnostic(top, text, types.DiagnosticSeverity.Warning, source=SOURCE))
        return found

    def _diagnostic(self, problem: Problem) -> types.Diagnostic:
        error = problem.severity is Severity.ERROR
        unused = not error and problem.message.endswith(("never used", "never called"))
        return types.Diagnostic(
            self._range(range_of(self.analysis.source, problem)),
            f"{problem.message}\n{problem.hint}" if problem.hint else problem.message,
            types.DiagnosticSeverity.Error if error else types.DiagnosticSeverity.Warning,
            source=SOURCE,
            tags=[types.DiagnosticTag.Unnecessary] if unused else None,
        )

    def fixes(self, wanted: types.Range) -> list[types.CodeAction]:
        """What the hints of mistakes in a part of the text say, ready to be done."""
        range_ = Range(self.offset(wanted.start), self.offset(wanted.end))
        return [
            types.CodeAction(
                fix.title,
                types.CodeActionKind.QuickFix,
                [self._diagnostic(problem)],
                is_preferred=True,
                edit=self._change(fix.edits),
            )
            for problem, fix in fixes(self.analysis.source, self.analysis.problems, range_)
        ]

    # -- while typing ---------------------------------------------------------------------------------------------

    def completion(self, position: types.Position) -> types.CompletionList:
        """What can be written at a position."""
        offers = complete(self.analysis, self.offset(position))
        range_ = self._range(offers.range)
        return types.CompletionList(False, [self._completion(one, range_) for one in offers.offers])

    def _completion(self, offer: Offer, range_: types.Range) -> types.CompletionItem:
        snippet = bool(offer.snippet) and self.snippets
        text = _markdown(offer.text) if offer.text else None
        return types.CompletionItem(
            offer.label,
            kind=_KINDS[offer.form],
            detail=offer.detail or None,
            documentation=text,
            sort_text=f"{offer.rank}{offer.label}",
            filter_text=offer.insert if offer.insert.startswith('"') else offer.label,
            insert_text_format=types.InsertTextFormat.Snippet if snippet else types.InsertTextFormat.PlainText,
            text_edit=types.TextEdit(range_, offer.snippet if snippet else offer.insert),
        )

    def signature(self, position: types.Position) -> types.SignatureHelp | None:
        """The parameters of the call around a position."""
        found = parameters_at(self.analysis, self.offset(position))
        if found is None:
            return None
        shown = [types.ParameterInformation(one) for one in found.parameters]
        text = _markdown(found.text) if found.text else None
        active = found.active if found.active >= 0 else len(shown)  # none of them
        return types.SignatureHelp([types.SignatureInformation(found.line, text, shown)], 0, active)

    def hover(self, position: types.Position) -> types.Hover | None:
        """What stands at a position."""
        found = hover(self.analysis, self.offset(position))
        return types.Hover(_markdown(found.text), self._range(found.range)) if found is not None else None

    # -- names ----------------------------------------------------------------------------------------------------

    def occurrences(self, position: types.Position) -> list[Occurrence]:
        """Where what is named at a position is named."""
        found = self.analysis.occurrence(self.offset(position))
        return self.analysis.names.of(found.symbol) if found is not None else []

    def definition(self, position: types.Position) -> list[types.Location]:
        """Where it is declared."""
        return [self._location(one) for one in declarations(self.occurrences(position))]

    def table(self, position: types.Position) -> str:
        """The table of the configuration that is named at a position, or ""."""
        return table_at(self.analysis, self.offset(position))

    def references(self, position: types.Position, declaring: bool) -> list[types.Location]:
        """Where it is named, also where it is declared if that is wanted."""
        return [self._location(one) for one in self.occurrences(position) if declaring or not one.declares]

    def highlights(self, position: types.Position) -> list[types.DocumentHighlight]:
        """The same for the editor to mark."""
        return [
            types.DocumentHighlight(
                self._location(one).range,
                types.DocumentHighlightKind.Write if one.declares else types.DocumentHighlightKind.Read,
            )
            for one in self.occurrences(position)
        ]

    def renamable(self, position: types.Position) -> types.PrepareRenamePlaceholder:
        """The name at a position; raises `Refused`."""
        found = renamable(self.analysis, self.offset(position))
        return types.PrepareRenamePlaceholder(self._range(found.range), found.name)

    def rename(self, position: types.Position, name: str) -> types.WorkspaceEdit:
        """Another name everywhere; raises `Refused`."""
        return self._change(rename(self.analysis, self.offset(position), name))

    # -- the whole file -------------------------------------------------------------------------------------------

    def symbols(self) -> list[types.DocumentSymbol]:
        """The blocks of the file."""
        return [
            types.DocumentSymbol(
                one.name, _SYMBOLS[one.word], self._range(one.range), self._range(one.name_range), one.detail or None
            )
            for one in outline(self.analysis)
        ]

    def formatted(self) -> list[types.TextEdit] | None:
        """The edit that brings the file into its layout; None when it has mistakes."""
        text = self.analysis.source.text
        shown = format_routes(text, Report(self.analysis.name, text))
        if shown is None:
            return None
        if shown == text.replace("\r\n", "\n"):
            return []
        return self._edits([_shortest(text, shown)])


def _shortest(text: str, shown: str) -> Edit:
    """The lines that differ; what is the same above and below them is left alone."""
    before, after = text.splitlines(keepends=True), shown.splitlines(keepends=True)
    top = 0
    while top < min(len(before), len(after)) and before[top] == after[top]:
        top += 1
    below = 0
    while below < min(len(before), len(after)) - top and before[-1 - below] == after[-1 - below]:
        below += 1
    start = sum(map(len, before[:top]))
    end = len(text) - sum(map(len, before[len(before) - below :]))
    return Edit(Range(start, end), "".join(after[top : len(after) - below]))


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)
