"""A small client of the Language Server Protocol: the real `ringway lsp` behind two pipes, every wait bounded."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

LONGEST_WAIT = 30.0
Message = dict[str, Any]


class ServerError(Exception):
    """The server answered a request with an error."""


class Client:
    """Starts a server in a folder and speaks to it; leaving the block ends it."""

    def __init__(self, folder: Path, capabilities: Message | None = None, **environ: str) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "routing.program", "lsp"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent), **environ},
        )
        self._data = b""
        self._id = 0
        self.told: list[Message] = []
        """Notifications of the server that nobody has waited for."""
        root = {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities or {}}
        self.capabilities: Message = self.ask("initialize", root)["capabilities"]
        self.tell("initialized", {})

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.ask("shutdown", None)
                self.tell("exit", None)
                assert self._process.wait(LONGEST_WAIT) == 0
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait(LONGEST_WAIT)
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()

    # -- messages -------------------------------------------------------------------------------------------------

    def ask(self, method: str, parameters: Any) -> Any:
        """Send a request and wait for its answer."""
        self._id += 1
        self._send({"id": self._id, "method": method, "params": parameters})
        answer = self._wait(lambda message: message.get("id") == self._id and "method" not in message)
        if "error" in answer:
            raise ServerError(answer["error"]["message"])
        return answer["result"]

    def tell(self, method: str, parameters: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": parameters})

    def wait_for(self, method: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The parameters of the next notification of this kind."""
        return self._wait(lambda message: message.get("method") == method and wanted(message["params"]))["params"]

    def _send(self, message: Message) -> None:
        assert self._process.stdin is not None
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._process.stdin.flush()

    def _wait(self, wanted: Callable[[Message], bool]) -> Message:
        deadline = time.monotonic() + LONGEST_WAIT
        for message in self.told:
            if wanted(message):
                self.told.remove(message)
                return message
        while True:
            message = self._receive(deadline)
            if wanted(message):
                return message
            self.told.append(message)

    def _receive(self, deadline: float) -> Message:
        while b"\r\n\r\n" not in self._data:
            self._read(deadline)
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
        while len(self._data) < length:
            self._read(deadline)
        body, self._data = self._data[:length], self._data[length:]
        message: Message = json.loads(body)
        return message

    def _read(self, deadline: float) -> None:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, "the server is silent"
        data = os.read(self._process.stdout.fileno(), 65536)
        assert data, "the server has ended"
        self._data += data

    # -- documents ------------------------------------------------------------------------------------------------

    def uri(self, name: str) -> str:
        """The URI of a file in the folder."""
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> list[Message]:
        """Open a file in the editor; returns what is wrong with it."""
        document = {"uri": self.uri(name), "languageId": "ringway-route", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics(name)

    def change(self, name: str, text: str, version: int = 2) -> None:
        """Type something; what is there then is `text`."""
        document = {"uri": self.uri(name), "version": version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def diagnostics(self, name: str, version: int | None = None) -> list[Message]:
        """Wait for what the server finds in a file."""
        uri = self.uri(name)
        found: list[Message] = self.wait_for(
            "textDocument/publishDiagnostics",
            lambda given: given["uri"] == uri and (version is None or given.get("version") == version),
        )["diagnostics"]
        return found

    def at(self, method: str, name: str, line: int, character: int, **more: Any) -> Any:
        """Ask something about a place, counted from 0."""
        place = {"textDocument": {"uri": self.uri(name)}, "position": {"line": line, "character": character}}
        return self.ask(f"textDocument/{method}", {**place, **more})
