"""A headless Chromium whose pages are phones with JsSIP, driven by tests/browser/browser.mjs."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "browser"
INSTALLED = FOLDER / "node_modules"
LIMIT = 30.0
"""Seconds that any answer of the browser takes at most."""


class Chromium:
    """One browser process. Pages come from `http://127.0.0.1:port`, perhaps of a `folder`; end it with `close`."""

    def __init__(self, port: int, log: Path, *arguments: str, folder: Path | None = None) -> None:
        settings = {
            "chromium": shutil.which("chromium"), "port": port, "folder": str(folder or ""), "arguments": arguments,
        }  # fmt: skip
        self.origin = f"http://127.0.0.1:{port}"
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            ["node", "browser.mjs", json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, cwd=FOLDER,
        )  # fmt: skip
        self._left = b""
        try:
            assert self._line() == {"ready": True}
        except BaseException:
            self.close()
            raise

    def _line(self) -> Any:
        assert self._process.stdout is not None
        deadline = time.monotonic() + LIMIT
        while b"\n" not in self._left:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._process.stdout.fileno(), 65_536) if ready else b""
            if not data:
                raise AssertionError(f"the browser gives no answer; see {self._log.name}")
            self._left += data
        line, _, self._left = self._left.partition(b"\n")
        return json.loads(line)

    def ask(self, do: str, page: str, **given: object) -> Any:
        """Send a command and return its result."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "page": page, **given}).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._line()
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, page: str, origin: str = "") -> Page:
        """Open a page, in a context of its own."""
        self.ask("open", page, origin=origin or self.origin)
        return Page(self, page)

    def close(self) -> None:
        """Let it close its pages and end; killed when it does not."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process.stdout.close()
        self._log.close()

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Page:
    """One phone."""

    def __init__(self, browser: Chromium, name: str) -> None:
        self._browser = browser
        self._name = name

    def run(self, what: str, *given: object) -> Any:
        """Call one of the functions of page.js."""
        return self._browser.ask("run", self._name, what=what, **{"with": list(given)})

    def heard(self, name: str) -> list[str]:
        """The details of each event of a name so far, in order."""
        return [event["detail"] for event in self.run("heard") if event["name"] == name]

    def wait(self, name: str, times: int = 1, seconds: float = 10.0) -> list[str]:
        """Wait until an event has come so many times."""
        assert within(seconds, lambda: len(self.heard(name)) >= times), self.run("heard")
        return self.heard(name)

    def fill(self, **texts: str) -> None:
        """Type into the fields with these ids."""
        for field, text in texts.items():
            self._browser.ask("fill", self._name, where=f"#{field}", text=text)

    def click(self, button: str) -> None:
        """Click on the button with this id."""
        self._browser.ask("click", self._name, where=f"#{button}")

    def shows(self, text: str, seconds: float = 10.0) -> bool:
        """Whether the state becomes this text in time."""
        return within(seconds, lambda: self._browser.ask("read", self._name, where="#state") == text)

    def close(self) -> None:
        """Close the page, as a person does."""
        self._browser.ask("close", self._name)


def within(seconds: float, condition: Callable[[], bool], step: float = 0.05) -> bool:
    """Whether a condition holds before so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True
