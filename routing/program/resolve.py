"""`ringway resolve`: where a URI leads, as the server would find it, and what it leaves out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import trio

from routing.program.config import Config
from routing.program.exit_codes import OK
from routing.program.listen import Listen
from routing.program.logs import escape
from routing.program.server import new_locator
from routing.program.tables import table
from sipcore.errors import Unavailable
from sipcore.flow import host_port
from sipcore.locate import Explanation, Resolver
from sipcore.net.dns import DnsResolver
from sipcore.timers import Timers
from sipcore.uri import Uri


def resolve(config: Config, uri: Uri, as_json: bool) -> int:
    """The command; returns its exit code. Raises `Unresolvable` and `Unavailable` as the server would."""
    found = trio.run(_explain, config, uri)
    print(_json(uri, found) if as_json else "\n".join(_text(found)))
    return OK


async def _explain(config: Config, uri: Uri) -> Explanation:
    return await explain(config, uri, DnsResolver(config.dns))


async def explain(config: Config, uri: Uri, resolver: Resolver) -> Explanation:
    """What a server with this configuration finds for a URI."""
    locator = new_locator(config, resolver, reachable(config.listen), Timers(trio.current_time()))
    with trio.move_on_after(config.dns.timeout):
        return await locator.explain(uri)
    raise Unavailable(f"no answer for {uri.host} within {config.dns.timeout:g} s")


def reachable(listens: Sequence[Listen]) -> dict[str, tuple[int, ...]]:
    """IP versions for each transport, as the network layer has them when these listeners are open."""
    versions = {
        transport: tuple(sorted({6 if ":" in one.host else 4 for one in listens if one.transport == transport}))
        for transport in ("udp", "tcp", "tls")
    }
    for transport in ("tcp", "tls"):  # connecting needs no listener
        versions[transport] += tuple(version for version in (4, 6) if version not in versions[transport])
    return versions


def _text(found: Explanation) -> list[str]:
    rows = [
        {
            "try": number,
            "transport": candidate.target.transport,
            "address": host_port(candidate.target.host, candidate.target.port),
            "found_by": candidate.origin,
        }
        for number, candidate in enumerate(found.candidates, 1)
    ]
    lines = table(("try", "transport", "address", "found_by"), rows)
    if found.skipped:
        lines += ["skipped:", *(f"  {escape(what)}: {escape(why)}" for what, why in found.skipped)]
    return lines


def _json(uri: Uri, found: Explanation) -> str:
    candidates = [
        {"transport": target.transport, "address": target.host, "port": target.port, "found_by": origin}
        for target, origin in found.candidates
    ]
    skipped = [skipped._asdict() for skipped in found.skipped]
    return json.dumps({"uri": uri.text, "candidates": candidates, "skipped": skipped}, indent=2)
