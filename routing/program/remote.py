"""The commands that talk to a running server: reload, rollback, versions, status."""

from __future__ import annotations

import errno
import http.client
import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from routing.program.exit_codes import FAILURE, OK
from routing.program.tables import show
from sipcore.errors import RingwayError
from sipcore.net.http_server import connect

_PATIENCE = 90.0
"""Seconds; longer than the server takes for its answer at worst."""
_LARGEST = 10_000_000


class NoServer(RingwayError):
    """Nobody answers at the control socket."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = connect(self._path, _PATIENCE)


def ask(socket: Path, method: str, target: str, arguments: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """Ask the server at a control socket; returns status and answer. `NoServer` says why nobody answers."""
    connection = _UnixConnection(socket)
    try:
        connection.request(method, target, json.dumps(arguments).encode() if arguments else None)
        response = connection.getresponse()
        return response.status, json.loads(response.read(_LARGEST) or b"{}")
    except OSError as error:
        raise NoServer(_why(socket, error)) from None
    except (http.client.HTTPException, ValueError):
        raise NoServer(f"{socket}: what answers there is no Ringway") from None
    finally:
        connection.close()


def _why(socket: Path, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED):
        return f"no server runs with this configuration: nobody listens at {socket}; start one with `ringway run`"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{socket}: not allowed; run this as the server's user, or as a member of its group"
    return f"{socket}: {error.strerror or 'no answer in time'}"


def reload(socket: Path, as_json: bool) -> int:
    """`ringway reload`; returns the exit code."""
    return _change(*ask(socket, "POST", "/reload"), as_json)


def rollback(socket: Path, number: int | None, as_json: bool) -> int:
    """`ringway rollback [VERSION]`; returns the exit code."""
    arguments = {"version": number} if number is not None else None
    return _change(*ask(socket, "POST", "/rollback", arguments), as_json)


def _change(status: int, answer: dict[str, Any], as_json: bool) -> int:
    good = status == 200
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        for line in answer.get("lines") or [f"error: {answer.get('error') or f'the server answered {status}'}"]:
            print(line, file=sys.stdout if good else sys.stderr)
    return OK if good else FAILURE


def versions(socket: Path, as_json: bool) -> int:
    """`ringway versions`; returns the exit code."""
    rows = _good(*ask(socket, "GET", "/versions"))["versions"]
    if not as_json:
        rows = [row | {"time": _clock(row["time"]), "": "in force" if row["in_force"] else " "} for row in rows]
    show(("version", "time", "hash", "why", ""), rows, as_json, "no versions are kept")
    return OK


def status(socket: Path, as_json: bool) -> int:
    """`ringway status`; returns the exit code."""
    found = _good(*ask(socket, "GET", "/status"))
    if as_json:
        print(json.dumps(found, indent=2))
        return OK
    current = found["version"]
    print(f"Ringway {found['ringway']}, process {found['process']}, {found['state']} for {_age(found['since'])}")
    print(f"listening  {', '.join(found['listening'])}")
    print(f"files      {found['configuration']}, {found['routes']}")
    if current is not None:
        print(f"version    {current['version']} ({current['hash']}, {current['why']} {_clock(current['time'])})")
    for name, counters in found["counters"].items():
        if isinstance(counters, dict):
            shown = (f"{key} {value}" for key, value in counters.items() if isinstance(value, int | float))
            print(f"{name:<12} {', '.join(shown)}".rstrip())
    return OK


def _good(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    if status != 200:
        raise NoServer(str(answer.get("error") or f"the server answered {status}"))
    return answer


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def _age(since: float) -> str:
    minutes, seconds = divmod(max(0, int(time.time() - since)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"
