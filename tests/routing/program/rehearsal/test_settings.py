"""The configuration of a story: that of the project, with what the story gives in its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from routing.language.hours import Hours
from routing.language.networks import Networks
from routing.program.config import Config
from routing.program.listen import Listen
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.settings import Settings, on_documentation_addresses
from tests.story_texts import story_of

ROUTES = Path("routes/main.route")


def config(lines: str = "", data: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    return Settings(data or {}, Path("ringway.toml"), environ or {}).of(story_of(lines), ROUTES)


def test_without_a_configuration_there_is_one_domain() -> None:
    found = config()
    assert found.domains == ("example.com",)
    assert found.route_file == ROUTES


def test_the_configuration_of_the_project() -> None:
    data = {"domains": ["example.org"], "lists": {"trunks": ["192.0.2.0/28"]}, "routes": "elsewhere.route"}
    found = config("", data)
    assert found.domains == ("example.org",)
    assert "192.0.2.5" in found.lists["trunks"]
    assert found.route_file == ROUTES


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        ('given domains "example.net"', lambda found: found.domains == ("example.net",)),
        ('given domains "a.net", "b.net"', lambda found: found.domains == ("a.net", "b.net")),
        ("given lists.trunks 192.0.2.7", lambda found: found.lists == {"trunks": Networks(["192.0.2.7"])}),
        ('given lists.names "x", "y"', lambda found: found.lists["names"] == frozenset({"x", "y"})),
        ('given hours.night "22:00-06:00"', lambda found: found.hours["night"] == Hours("22:00-06:00")),
        ("given registrar.contacts 3", lambda found: found.registrar.contacts == 3),
        ("given registrar.jitter 0.5", lambda found: found.registrar.jitter == 0.5),
        ("given auth.nonce_lifetime 5m", lambda found: found.auth.nonce_lifetime == 300.0),
        ('given auth.algorithms "SHA-256", "MD5"', lambda found: found.auth.algorithms == ("SHA-256", "MD5")),
        ('given unknown_dialogs "route"', lambda found: found.unknown_dialogs == "route"),
        ('given domains "a.net"\ngiven domains "b.net"', lambda found: found.domains == ("b.net",)),
        ('given listen "udp:192.0.2.1:5070"', lambda found: found.listen == (Listen("udp", "192.0.2.1", 5070),)),
    ],
)  # fmt: skip
def test_a_story_gives_settings(lines: str, read: Any) -> None:
    assert read(config(lines))


def test_what_a_story_gives_is_gone_behind_it() -> None:
    settings = Settings({"domains": ["example.com"], "lists": {"a": ["x"]}}, Path("ringway.toml"), {})
    changed = settings.of(story_of('given lists.a "y"\ngiven lists.b "z"'), ROUTES)
    assert changed.lists == {"a": frozenset({"y"}), "b": frozenset({"z"})}
    plain = settings.of(story_of(""), ROUTES)
    assert plain.lists == {"a": frozenset({"x"})}


def test_the_environment_counts_as_for_the_server() -> None:
    assert config("", None, {"RINGWAY_REGISTRAR__CONTACTS": "7"}).registrar.contacts == 7


@pytest.mark.parametrize(
    ("lines", "column", "message", "hint"),
    [
        ("given registrar.contacts 0", 7, "registrar.contacts: expected a whole number", ""),
        ("given registrar.contact 3", 7, "unknown key `contact` in [registrar]", "did you mean `contacts`?"),
        ("given regstrar.contacts 3", 7, "unknown key `regstrar`", "did you mean `registrar`?"),
        ("given contacts 3", 7, "unknown key `contacts`", "it belongs in [registrar]"),
        ('given hours.office "always"', 7, "hours.office: expected a time window", ""),
        ('given domains "exa mple"', 7, "domains[1]: expected a domain name", ""),
        ('given domains.first "x"', 7, "`domains` is no table of ringway.toml", ""),
        ('given listen "tls:0.0.0.0"', 7, "tls:0.0.0.0:5061 needs a certificate", ""),
        ('given lists.ok "x"\ngiven registrar.min_expires 99999', 7, "registrar.min_expires: expected", ""),
    ],
)
def test_a_wrong_setting_is_placed_at_its_step(lines: str, column: int, message: str, hint: str) -> None:
    data = {"domains": ["example.com"]}
    with pytest.raises(StoryFailed) as failed:
        config(lines, data)
    assert failed.value.message.startswith(message)
    assert (failed.value.span.line, failed.value.span.column) == (1 + len(lines.split("\n")), column)
    if hint:
        assert failed.value.hint == hint


def test_a_server_listens_where_the_phones_of_a_story_find_it() -> None:
    listens = (
        Listen("udp", "0.0.0.0", 5060, "sip.example.com"), Listen("tcp", "::", 0), Listen("udp", "192.0.2.1", 5070),
    )  # fmt: skip
    assert on_documentation_addresses(Config(("example.com",), listens)).listen == (
        Listen("udp", "198.51.100.1", 5060, "sip.example.com"), Listen("tcp", "2001:db8::1", 5060),
        Listen("udp", "192.0.2.1", 5070),
    )  # fmt: skip
