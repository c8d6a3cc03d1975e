"""The commands for whoever writes route files: `fmt`, and `lsp` for editors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from routing.program.exit_codes import OK
from sipcore.errors import RingwayError

Command = Callable[[argparse.Namespace], int]
Add = Callable[[str, Command, str], argparse.ArgumentParser]
"""Makes a command: its name, what it runs, and its summary."""


def add_language_commands(add: Add) -> None:
    """Make the commands with their arguments."""
    added = add("fmt", _fmt, "bring route files into their one layout; comments stay")
    text = "a route file, a folder with them, a configuration (its routes), or - (default: the routes as for `run`)"
    added.add_argument("files", nargs="*", metavar="FILE", help=text)
    added.add_argument("--check", action="store_true", help="change nothing; exit code 1 when something would change")
    added.add_argument("--diff", action="store_true", help="change nothing; show what would change")
    add("lsp", _lsp, "answer an editor about route files, over standard input and output")


def _fmt(asked: argparse.Namespace) -> int:
    from routing.program.config import find
    from routing.program.format_command import Mode, format_files

    names = asked.files or [str(find(None, os.environ))]
    mode = Mode.DIFF if asked.diff else Mode.CHECK if asked.check else Mode.WRITE
    return format_files([Path(name) for name in names], mode, os.environ, sys.stdin.buffer)


def _lsp(_: argparse.Namespace) -> int:
    try:
        from routing.program.lsp_server import serve
    except ModuleNotFoundError as missing:
        if missing.name not in ("pygls", "lsprotocol"):
            raise
        raise RingwayError('`ringway lsp` needs pygls, which is not there: pip install "ringway[lsp]"') from None
    serve(os.environ)
    return OK
