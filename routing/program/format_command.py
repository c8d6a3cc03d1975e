"""`ringway fmt`: route files in their one layout; each is replaced as a whole, or left as it is."""

from __future__ import annotations

import difflib
import enum
import os
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from routing.language.formatter import LayoutFault, format_routes
from routing.language.problem import Report, render
from routing.program.config import examine
from routing.program.exit_codes import FAILURE, OK
from sipcore.errors import RingwayError

ROUTE_FILES = "*.route"
STANDARD_INPUT = Path("-")
_LARGEST_FILE = 1_000_000


class Mode(enum.Enum):
    """What is done with a file in another layout."""

    WRITE = "write"
    CHECK = "check"
    """It is named."""
    DIFF = "diff"
    """What would change is shown."""


class _Unfit(RingwayError):
    """A file can't be read, written or understood; the others are seen to all the same."""


def format_files(names: Sequence[Path], mode: Mode, environ: Mapping[str, str], standard_input: BinaryIO) -> int:
    """The command; returns its exit code."""
    code = OK
    for name in names:
        try:
            for file in _route_files(name, environ):
                if not _succeeds(file, mode, standard_input):
                    code = FAILURE
        except _Unfit as unfit:
            print(unfit, file=sys.stderr)
            code = FAILURE
    return code


def _succeeds(file: Path, mode: Mode, standard_input: BinaryIO) -> bool:
    try:
        return not _format(file, mode, standard_input)
    except _Unfit as unfit:
        print(unfit, file=sys.stderr)
    except LayoutFault as fault:
        print(f"error: {fault}", file=sys.stderr)
    return False


def _route_files(name: Path, environ: Mapping[str, str]) -> Sequence[Path]:
    """The route files that a name stands for."""
    if name.suffix == ".toml":
        examination = examine(name, environ)
        if examination.route_file is None:
            raise _Unfit("\n".join(examination.rendered()))
        return [examination.route_file]
    if not name.is_dir():
        return [name]
    found = sorted(name.rglob(ROUTE_FILES))
    if not found:
        raise _Unfit(f"error: {name}: there are no route files in this folder")
    return found


def _format(file: Path, mode: Mode, standard_input: BinaryIO) -> bool:
    """See to one file; True when it is not in its layout and stays so."""
    piped = file == STANDARD_INPUT
    name = "standard input" if piped else str(file)
    data = _read(standard_input, name) if piped else _read_file(file)
    text = _decoded(data, name)
    report = Report(name, text)
    shown = format_routes(text, report)
    if shown is None:
        raise _Unfit("\n".join(render(problem, text) for problem in report.problems))
    changed = shown.encode() != data
    if mode is Mode.DIFF:
        print(_difference(text, shown, name), end="")
    elif piped and mode is Mode.WRITE:
        sys.stdout.write(shown)
    elif changed and mode is Mode.CHECK:
        print(f"would change {name}")
    elif changed:
        _replace(file, shown.encode())
        print(f"formatted {name}")
    return changed and mode is not Mode.WRITE


def _read_file(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return _read(opened, str(file))
    except OSError as error:
        raise _Unfit(f"error: {file}: can't be read: {error.strerror}") from None


def _read(opened: BinaryIO, name: str) -> bytes:
    data = opened.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise _Unfit(f"error: {name}: larger than {_LARGEST_FILE} bytes; this is no route file")
    return data


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unfit(f"error: {name}:{line}: this line is not UTF-8 text") from None


def _difference(text: str, shown: str, name: str) -> str:
    before, after = text.splitlines(keepends=True), shown.splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, name, f"{name} (formatted)")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _replace(file: Path, data: bytes) -> None:
    """Put new content in place of the old one as a whole, so that a kill leaves one or the other.

    Owner and mode stay; a link goes on leading to its file.
    """
    target = file.resolve()
    beside = ""
    try:
        before = target.stat()
        if not os.access(target, os.W_OK):
            raise PermissionError(13, os.strerror(13))
        descriptor, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with open(descriptor, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(descriptor)
            _give(descriptor, before)
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
        os.replace(beside, target)
    except OSError as error:
        if beside:
            Path(beside).unlink(missing_ok=True)
        raise _Unfit(f"error: {file}: can't be written: {error.strerror}") from None


def _give(descriptor: int, before: os.stat_result) -> None:
    """Let a new file belong to whom the old one belonged to, as far as we may."""
    try:
        os.fchown(descriptor, before.st_uid, before.st_gid)
    except PermissionError:
        # Whoever may write a file of somebody else becomes the owner of what stands in its place.
        pass
