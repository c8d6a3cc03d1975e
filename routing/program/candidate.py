"""What a running server can take over: a configuration and routes that were checked as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from routing.program.config import Config
from routing.program.reading import fields, section
from routing.program.route_version import RouteVersion
from routing.runtime import Domains, Module
from sipcore.errors import ConfigurationError
from sipcore.net.tls_contexts import PreparedTls

_LIVE = frozenset({"domains", "drain_timeout", "functions", "hours", "lists", "listen", "routes", "unknown_dialogs"})
"""What can change outside of sections while the server runs."""
_LIVE_SECTIONS = frozenset({"limits", "log", "tls", "websocket"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """Everything that a reload puts in the place of what is in force."""

    config: Config
    """The new configuration, with the old values of what waits for the next start."""
    domains: Domains
    routes: RouteVersion
    changed: tuple[str, ...]
    """Settings that take effect: `domains`, `registrar.min_expires`."""
    waiting: tuple[str, ...]
    """Settings that take effect at the next start only: `database.url`."""
    tls: PreparedTls | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """A configuration of which only that has changed which can."""

    config: Config
    changed: tuple[str, ...]
    waiting: tuple[str, ...]


def adaptable(modules: Collection[Module]) -> dict[str, frozenset[str]]:
    """By section, the settings that can change while the server runs."""
    sections = {field.name: kind for field in fields(Config) if (kind := section(field)) is not None}
    live = {name: frozenset(field.name for field in fields(sections[name])) for name in _LIVE_SECTIONS & set(sections)}
    return live | {module.name: module.adaptable for module in modules}


def merge(before: Config, now: Config, live: Mapping[str, Collection[str]]) -> Merged:
    """What of `now` can take effect at once: `live` names the settings that can, by section.

    Raises ConfigurationError when what would take effect does not go together with what would wait.
    """
    values: dict[str, Any] = {}
    changed: list[str] = []
    waiting: list[str] = []
    for field in fields(Config):
        old, new = getattr(before, field.name), getattr(now, field.name)
        if old == new:
            continue
        kind = section(field)
        if kind is None:
            (changed if field.name in _LIVE else waiting).append(field.name)
            values[field.name] = new if field.name in _LIVE else old
            continue
        differing = [inner.name for inner in fields(kind) if getattr(old, inner.name) != getattr(new, inner.name)]
        allowed = [name for name in differing if name in live.get(field.name, ())]
        values[field.name] = replace(old, **{name: getattr(new, name) for name in allowed})
        changed += [f"{field.name}.{name}" for name in allowed]
        waiting += [f"{field.name}.{name}" for name in differing if name not in allowed]
    try:
        return Merged(replace(before, **values), tuple(changed), tuple(waiting))
    except ValueError as error:
        raise ConfigurationError([f"this takes a restart: {', '.join(waiting)}, without which {error}"]) from None
