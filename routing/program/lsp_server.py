"""The editor server: route files in, answers out, over standard input and output."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from pathlib import Path

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from routing.language.editor.analysis import Analysis
from routing.language.editor.renaming import Refused
from routing.language.formatter import LayoutFault
from routing.program.lsp_answers import Answers
from routing.program.project import Project, Projects, table_line
from routing.program.rehearsal.suite import is_test_file
from routing.program.version import version

QUIET = 0.15
"""How long nothing is typed before mistakes are looked for, in seconds."""


class RouteServer(LanguageServer):
    """Keeps the analysis of each open file until its text or its configuration changes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        # Whole texts: pygls takes some characters for line ends that are none here.
        super().__init__("ringway", version(), types.TextDocumentSyncKind.Full)
        self._projects = Projects(environ)
        self._kept: dict[str, tuple[str, Project, Analysis]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def project(self, uri: str) -> Project:
        """What the file may use."""
        return self._projects.of(_file(uri))

    def analysis(self, uri: str) -> Analysis:
        """What is known of a file as it is now in the editor."""
        text = self.workspace.get_text_document(uri).source
        project = self.project(uri)
        kept = self._kept.get(uri)
        if kept is None or kept[0] != text or kept[1] is not project:
            file = _file(uri) or Path("main.route")
            analysis = Analysis(text, project.environment, file.name, tests=is_test_file(file))
            kept = self._kept[uri] = (text, project, analysis)
        return kept[2]

    def answers(self, uri: str) -> Answers:
        """Answers about a file, in the way that the editor wants them."""
        return Answers(self.analysis(uri), uri, self._encoding, self._takes_snippets)

    @property
    def _encoding(self) -> str:
        return str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding))

    @property
    def _takes_snippets(self) -> bool:
        document = self.client_capabilities.text_document
        completion = document.completion if document is not None else None
        item = completion.completion_item if completion is not None else None
        return bool(item is not None and item.snippet_support)

    # -- mistakes -------------------------------------------------------------------------------------------------

    def look_later(self, uri: str) -> None:
        """Look for mistakes when nothing was typed for a moment."""
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self._waiting[uri] = asyncio.get_running_loop().call_later(QUIET, self.look, uri)

    def look(self, uri: str) -> None:
        """Look for mistakes and show them."""
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        document = self.workspace.text_documents.get(uri)
        if document is None:
            return
        found = self.answers(uri).diagnostics(self.project(uri).mistake)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, document.version))

    def look_at_all(self) -> None:
        """Look at every open file: a configuration has changed."""
        for uri in list(self.workspace.text_documents):
            self.look(uri)

    def forget(self, uri: str) -> None:
        """A file was closed: nothing is shown for it any more."""
        self._kept.pop(uri, None)
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def warm_up(self) -> None:
        """Read the grammar before the first answer is wanted."""
        _ = Analysis("on request { drop() }\n", self._projects.of(None).environment).problems
        gc.collect()
        gc.freeze()
        # Trees of route files have no circles; looking for some would take half of the time of a check.
        gc.set_threshold(100_000, 20, 20)


def _file(uri: str) -> Path | None:
    """The file of a URI; None for a text that is in no file yet."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


def serve(environ: Mapping[str, str]) -> None:
    """Run until the editor ends it."""
    server = make_server(environ)
    server.warm_up()
    server.start_io()


def make_server(environ: Mapping[str, str]) -> RouteServer:
    """A server with everything that it answers."""
    server = RouteServer(environ)
    _add_documents(server)
    _add_typing(server)
    _add_names(server)
    _add_whole_file(server)
    return server


def _add_documents(server: RouteServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: RouteServer, given: types.DidOpenTextDocumentParams) -> None:
        ls.look(given.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: RouteServer, given: types.DidChangeTextDocumentParams) -> None:
        ls.look_later(given.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(ls: RouteServer, given: types.DidSaveTextDocumentParams) -> None:
        ls.look_at_all()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: RouteServer, given: types.DidCloseTextDocumentParams) -> None:
        ls.forget(given.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed_outside(ls: RouteServer, given: types.DidChangeWatchedFilesParams) -> None:
        ls.look_at_all()


def _add_typing(server: RouteServer) -> None:
    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[".", "(", ",", ":", '"', "["])
    )
    def completion(ls: RouteServer, given: types.CompletionParams) -> types.CompletionList:
        return ls.answers(given.text_document.uri).completion(given.position)

    @server.feature(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(trigger_characters=["(", ",", ":"]))
    def signature(ls: RouteServer, given: types.SignatureHelpParams) -> types.SignatureHelp | None:
        return ls.answers(given.text_document.uri).signature(given.position)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(ls: RouteServer, given: types.HoverParams) -> types.Hover | None:
        return ls.answers(given.text_document.uri).hover(given.position)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def fixes(ls: RouteServer, given: types.CodeActionParams) -> list[types.CodeAction]:
        return ls.answers(given.text_document.uri).fixes(given.range)


def _add_names(server: RouteServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: RouteServer, given: types.DefinitionParams) -> list[types.Location]:
        answers = ls.answers(given.text_document.uri)
        return answers.definition(given.position) or _table(ls, answers, given.position)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(ls: RouteServer, given: types.ReferenceParams) -> list[types.Location]:
        declaring = given.context.include_declaration
        return ls.answers(given.text_document.uri).references(given.position, declaring)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlights(ls: RouteServer, given: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        return ls.answers(given.text_document.uri).highlights(given.position)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(ls: RouteServer, given: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
        try:
            return ls.answers(given.text_document.uri).renamable(given.position)
        except Refused as refused:
            raise JsonRpcInvalidParams(str(refused)) from None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(ls: RouteServer, given: types.RenameParams) -> types.WorkspaceEdit:
        try:
            return ls.answers(given.text_document.uri).rename(given.position, given.new_name)
        except Refused as refused:
            raise JsonRpcInvalidParams(str(refused)) from None


def _table(ls: RouteServer, answers: Answers, position: types.Position) -> list[types.Location]:
    """The line of the configuration that a table stands in."""
    name = answers.table(position)
    configuration = ls.project(answers.uri).configuration
    uri = uris.from_fs_path(str(configuration.absolute())) if configuration is not None else None
    if not name or configuration is None or uri is None:
        return []
    start = types.Position(table_line(configuration, name) - 1, 0)
    return [types.Location(uri, types.Range(start, start))]


def _add_whole_file(server: RouteServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(ls: RouteServer, given: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return ls.answers(given.text_document.uri).symbols()

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatted(ls: RouteServer, given: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        try:
            return ls.answers(given.text_document.uri).formatted()
        except LayoutFault as fault:
            raise JsonRpcInvalidParams(str(fault)) from None
