"""What a running server can be told over its control socket: small JSON documents over HTTP/1.1.

Who may open the socket's file may do all of this; there is no other door, and no password.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from routing.program.reload import Reloaded, Reloader
from routing.program.server import Server
from routing.program.version import version
from routing.program.versions import Version
from sipcore.flow import host_port
from sipcore.net.http_server import HttpAnswer, HttpRequest

Json = dict[str, Any]


class _Mistake(Exception):
    """The request can't be understood; its text says why."""


class Control:
    """Answers requests of the control socket."""

    def __init__(self, server: Server, reloader: Reloader) -> None:
        self._server = server
        self._reloader = reloader
        self._since = time.time()
        self._known: Mapping[str, Mapping[str, Callable[[Json], Awaitable[HttpAnswer]]]] = {
            "/status": {"GET": self._status},
            "/versions": {"GET": self._versions},
            "/reload": {"POST": self._reload},
            "/rollback": {"POST": self._rollback},
        }

    async def __call__(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request."""
        methods = self._known.get(request.target)
        if methods is None:
            return _answer(404, {"error": f"there is only {', '.join(self._known)}"})
        handler = methods.get(request.method)
        if handler is None:
            allowed = ", ".join(methods)
            return _answer(405, {"error": f"{request.target} takes {allowed}"}, ("Allow", allowed))
        try:
            return await handler(_arguments(request.body))
        except _Mistake as mistake:
            return _answer(400, {"error": str(mistake)})

    async def _status(self, _: Json) -> HttpAnswer:
        server, current = self._server, self._reloader.versions.current
        return _answer(
            200,
            {
                "ringway": version(),
                "process": os.getpid(),
                "since": self._since,
                "state": "stopping" if server.dispatcher.draining else "running",
                "configuration": str(server.config.file),
                "routes": str(server.config.route_file),
                "listening": [f"{at.transport}:{host_port(at.host, at.port)}" for at in server.edge.addresses()],
                "version": _shown(current, current) if current is not None else None,
                "counters": {name: _plain(counters) for name, counters in server.statistics().items()},
            },
        )

    async def _versions(self, _: Json) -> HttpAnswer:
        versions = self._reloader.versions
        return _answer(200, {"versions": [_shown(one, versions.current) for one in versions.all()]})

    async def _reload(self, _: Json) -> HttpAnswer:
        return _outcome(await self._reloader.reload())

    async def _rollback(self, arguments: Json) -> HttpAnswer:
        number = arguments.get("version")
        if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
            raise _Mistake('"version" is a whole number')
        return _outcome(await self._reloader.rollback(number))


def _arguments(body: bytes) -> Json:
    if not body:
        return {}
    try:
        arguments = json.loads(body)
    except (ValueError, RecursionError):
        raise _Mistake("the body is not JSON") from None
    if not isinstance(arguments, dict):
        raise _Mistake("the body is a JSON object, or empty")
    return arguments


def _outcome(done: Reloaded) -> HttpAnswer:
    return _answer(200 if done.good else 422, done.as_json())


def _answer(status: int, document: Json, *headers: tuple[str, str]) -> HttpAnswer:
    return HttpAnswer(status, json.dumps(document).encode() + b"\n", headers)


def _shown(one: Version, current: Version | None) -> Json:
    return {
        "version": one.number, "time": one.time, "hash": one.hash, "why": one.why, "in_force": one is current,
    }  # fmt: skip


def _plain(counters: object) -> object:
    if dataclasses.is_dataclass(counters) and not isinstance(counters, type):
        return dataclasses.asdict(counters)
    return counters
