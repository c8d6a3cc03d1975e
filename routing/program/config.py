"""`ringway.toml`: found, read, checked as a whole, and handed on as frozen typed objects."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modules.auth.settings import AuthSettings
from modules.database.settings import DatabaseSettings
from modules.enum.settings import EnumSettings
from modules.limits.settings import CountingSettings
from modules.registrar.settings import RegistrarSettings
from routing.language.hours import Hours
from routing.language.problem import Problem, render_all
from routing.language.source import read_source, source_of
from routing.program.environment import override
from routing.program.expect import Document, Spot, fraction, list_of, one_of, seconds, text, whole_number
from routing.program.functions import DeclaredFunction, python_function
from routing.program.listen import ENCRYPTED, Listen, listen
from routing.program.named import Named, members, named, time_window
from routing.program.reading import read, setting, settings_of, table_of
from routing.program.toml_text import parse_toml
from sipcore.errors import ConfigurationError
from sipcore.message.limits import DEFAULT_LIMITS, Limits
from sipcore.net.dns_settings import DnsSettings, server_address
from sipcore.net.settings import StreamSettings, TlsSettings, TlsSite, WebSocketSettings

FILE_NAME = "ringway.toml"
SYSTEM_FILE = Path("/etc/ringway") / FILE_NAME
SYSTEM_SOCKET = Path("/run/ringway/control.sock")
DEFAULT_ROUTES = "main.route"
_SQLITE = "sqlite:///"
_SOCKET = re.compile(r"""^\s*socket\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)
_URL = re.compile(rf"""^\s*url\s*=\s*["']({_SQLITE}[^"'\n]+)["']""", re.MULTILINE)
_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?|null", re.ASCII)
_DOMAIN = r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*|\[[0-9A-Fa-f:.]+\]"


def _database_url(value: object, spot: Spot) -> str:
    if isinstance(value, str) and value.startswith(_SQLITE) and len(value) > len(_SQLITE):
        return value
    hidden = Spot(spot.document, spot.path, hidden=True)  # a URL may hold a password
    raise hidden.expected(f'"{_SQLITE}FILE"', value, "other databases are not in this version")


def _dns_server(value: object, spot: Spot) -> str:
    try:
        server_address(str(value))
    except ValueError:
        raise spot.expected(
            'an IP address like "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:53"', value
        ) from None
    return str(value)


def _origin(value: object, spot: Spot) -> str:
    """RFC 6454 section 6.2: scheme, host, and the port when it is not the usual one."""
    text = value.lower() if isinstance(value, str) else ""
    if _ORIGIN.fullmatch(text):
        return text
    expected = 'what a browser calls its page\'s origin, like "https://phone.example.com" or "http://127.0.0.1:3000"'
    bare = _ORIGIN.match(text)
    if bare is not None and text[bare.end() : bare.end() + 1] == "/":
        raise spot.expected(expected, value, f"an origin has no path: {bare[0]}")
    raise spot.expected(expected, value, "no list at all lets every page connect" if text == "*" else "")


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """[limits]: what one process accepts; sizes in bytes."""

    message: int = setting(whole_number(1_024, 1_048_576), DEFAULT_LIMITS.message)
    head: int = setting(whole_number(1_024, 1_048_576), DEFAULT_LIMITS.head)
    line: int = setting(whole_number(256, 1_048_576), DEFAULT_LIMITS.line)
    uri: int = setting(whole_number(64, 65_536), DEFAULT_LIMITS.uri)
    headers: int = setting(whole_number(20, 10_000), DEFAULT_LIMITS.headers)
    vias: int = setting(whole_number(1, 255), DEFAULT_LIMITS.vias)
    routes: int = setting(whole_number(1, 255), DEFAULT_LIMITS.routes)
    body: int = setting(whole_number(0, 1_048_576), DEFAULT_LIMITS.body)
    transactions: int = setting(whole_number(100), 200_000)
    """Server transactions; beyond it new requests are answered 503."""
    parked: int = setting(whole_number(1), 10_000)
    """Requests that wait for slow calls at the same time; the next one is answered 503."""
    peers: int = setting(whole_number(16), 16_384)
    """UDP peers that each socket remembers."""
    datagrams_waiting: int = setting(whole_number(1), 1_024)
    """Datagrams kept while the kernel takes no more; beyond it they are dropped."""
    rates: int = setting(whole_number(1), 100_000)
    """What `limit` counts at a time; beyond it what was counted longest ago begins anew."""
    bans: int = setting(whole_number(1), 100_000)
    """Addresses that `ban` keeps; beyond it the oldest gives way."""
    function_workers: int = setting(whole_number(1, 256), 8)
    """Threads of each function of [functions]; a call that is late keeps its thread until it ends."""
    shared: int = setting(whole_number(1), 100_000)
    """Entries of each `shared` table; beyond it the oldest gives way."""
    dialogs: int = setting(whole_number(1), 100_000)
    """Calls that routes keep something with (`call.x`); beyond it the one heard of longest ago loses that."""

    def of_messages(self) -> Limits:
        """The part that the parser checks."""
        return Limits(
            self.message, self.head, self.line, self.uri, self.headers, self.vias, self.routes, self.body
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogSettings:
    """[log]"""

    level: str = setting(one_of("debug", "info", "warning", "error"), "info")
    format: str = setting(one_of("text", "json"), "text")


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """[control]: how a running server is told things."""

    socket: str = setting(text("the name of a Unix socket"), "")
    """Empty: `run/control.sock` next to the database, or /run/ringway/control.sock for /etc/ringway/ringway.toml."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything an operator can set. `file` is where it was read from; relative names count from its folder."""

    domains: tuple[str, ...] = setting(list_of(text("a domain name", _DOMAIN), at_least=1), example='["example.com"]')
    listen: tuple[Listen, ...] = setting(
        list_of(listen, at_least=1), (Listen("udp", "0.0.0.0", 5060), Listen("tcp", "0.0.0.0", 5060))
    )
    routes: str = setting(text("the name of a route file"), DEFAULT_ROUTES)
    drain_timeout: float = setting(seconds(0, 3600), 30.0)
    """How long calls and transactions may go on after SIGTERM."""
    unknown_dialogs: str = setting(one_of("refuse", "route"), "refuse")
    """What becomes of a request inside a dialog that did not begin here: a 481, or the routes decide, as they must
    while calls go on that another server set up."""
    node: str = setting(text("one to seven letters and digits", r"[A-Za-z0-9]{1,7}"), "a")
    """Names this machine in every token; each machine of a cluster has its own."""
    secret: str = setting(text("at least 16 printable characters", r"[!-~]{16,}"), "", hidden=True)
    """Keys all tokens and nonces; without one a random secret is kept in a file next to the database."""
    database: DatabaseSettings = settings_of(
        DatabaseSettings, url=_database_url, window=seconds(0, 1), poll=seconds(0.05, 60), busy_timeout=seconds(0, 60)
    )
    auth: AuthSettings = settings_of(
        AuthSettings,
        algorithms=list_of(one_of("SHA-512-256", "SHA-256", "MD5"), at_least=1),
        nonce_lifetime=seconds(10, 86_400),
        cache_seconds=seconds(0, 3600),
    )
    registrar: RegistrarSettings = settings_of(
        RegistrarSettings, min_expires=whole_number(1, 3600), jitter=fraction, contact_size=whole_number(32, 512)
    )
    enum: EnumSettings = settings_of(EnumSettings, suffix=text("a domain name", _DOMAIN), timeout=seconds(0.5, 60))
    limits: LimitSettings = settings_of(LimitSettings)
    stream: StreamSettings = settings_of(StreamSettings)
    dns: DnsSettings = settings_of(
        DnsSettings,
        servers=list_of(_dns_server),
        cache=seconds(0, 86_400),
        timeout=seconds(0.5, 60),
        negative=seconds(0, 3_600),
        stale=seconds(0, 604_800),
        at_least=seconds(0.1, 60),
    )
    tls: TlsSettings = settings_of(
        TlsSettings,
        verify=one_of("none", "optional", "require"),
        site=list_of(table_of(TlsSite, name=text("a domain name", _DOMAIN))),
    )
    websocket: WebSocketSettings = settings_of(
        WebSocketSettings, origins=list_of(_origin), ping_interval=seconds(1, 3_600)
    )
    log: LogSettings = settings_of(LogSettings)
    hours: Mapping[str, Hours] = setting(named(time_window), Named())
    """Time windows that routes ask by name: `now in hours.office`."""
    functions: Mapping[str, DeclaredFunction] = setting(named(python_function), Named())
    """Python functions that routes call by name."""
    lists: Mapping[str, Container[str]] = setting(named(members), Named())
    """Addresses, networks or texts that routes ask by name: `source.ip in lists.trunks`."""
    control: ControlSettings = settings_of(ControlSettings)
    file: Path = field(default=Path(FILE_NAME), metadata={"internal": True})

    def __post_init__(self) -> None:
        encrypted = next((listen for listen in self.listen if listen.transport in ENCRYPTED), None)
        if encrypted is not None and not self.tls.certificate:
            raise ValueError(
                f"{encrypted} needs a certificate: set certificate and key in [tls]; "
                "`ringway cert self-signed` makes both for a start"
            )

    @property
    def route_file(self) -> Path:
        """The route file, found from the configuration's folder."""
        return self.file.parent / self.routes

    @property
    def database_file(self) -> Path:
        """The SQLite file, found from the configuration's folder."""
        return self.file.parent / self.database.url.removeprefix(_SQLITE)

    @property
    def database_url(self) -> str:
        """The database URL with an absolute file name."""
        return _SQLITE + str(self.database_file.absolute())

    @property
    def tls_files(self) -> TlsSettings:
        """The TLS settings with every file found from the configuration's folder."""

        def found(name: str) -> str:
            return str(self.file.parent / name) if name else ""

        tls = self.tls
        sites = tuple(TlsSite(site.name, found(site.certificate), found(site.key)) for site in tls.site)
        return TlsSettings(
            found(tls.certificate), found(tls.key), found(tls.server_ca), found(tls.client_ca), tls.verify, sites
        )

    def tables(self) -> dict[str, Container[Any]]:
        """What routes may ask by name."""
        hours = {f"hours.{name}": window for name, window in self.hours.items()}
        return hours | {f"lists.{name}": values for name, values in self.lists.items()}

    @property
    def control_socket(self) -> Path:
        """The Unix socket that `ringway reload` and others talk to."""
        if self.control.socket:
            return self.file.parent / self.control.socket
        if self.file.absolute() == SYSTEM_FILE:
            return SYSTEM_SOCKET
        return self.database_file.parent / "run" / "control.sock"

    @property
    def versions_folder(self) -> Path:
        """Where the last configurations and routes are kept, for `ringway rollback`."""
        return self.database_file.parent / "versions"

    def for_modules(self) -> dict[str, Any]:
        """The settings that modules ask for, by section."""
        database = replace(self.database, url=self.database_url)
        rates = CountingSettings(self.limits.rates, self.limits.bans)
        return {
            "database": database, "auth": self.auth, "registrar": self.registrar, "enum": self.enum, "rates": rates,
        }  # fmt: skip


def find(given: str | None, environ: Mapping[str, str]) -> Path:
    """The configuration file to use: `-f`, `$RINGWAY_CONFIG`, `./ringway.toml`, `/etc/ringway/ringway.toml`."""
    named = given or environ.get("RINGWAY_CONFIG")
    if named:
        return Path(named)
    places = [Path(FILE_NAME), SYSTEM_FILE]
    for place in places:
        if place.exists():
            return place
    looked = ", ".join(str(place.absolute()) for place in places)
    raise ConfigurationError(
        [f'no configuration found: looked at {looked}; name one with "-f FILE", or run "ringway quickstart"']
    )


def control_socket(file: Path, environ: Mapping[str, str]) -> Path:
    """The control socket of a configuration, also when it has mistakes: whoever mends it wants to reload."""
    try:
        text = read_text(file)
    except (OSError, UnicodeDecodeError):
        text = ""
    config = examine(file, environ, text).config
    if config is None:
        socket = environ.get("RINGWAY_CONTROL__SOCKET") or _first(_SOCKET, text)
        url = environ.get("RINGWAY_DATABASE__URL") or _first(_URL, text) or DatabaseSettings().url
        config = Config((), file=file, control=ControlSettings(socket), database=DatabaseSettings(url))
    return config.control_socket


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What reading a configuration gave: it, or None and every mistake in the order of the text."""

    config: Config | None
    problems: tuple[Problem, ...] = ()
    text: str = ""
    route_file: Path | None = None
    """Which route file is meant, as far as a wrong configuration tells."""

    def rendered(self) -> list[str]:
        """Each mistake with its place, line and caret."""
        return render_all(self.problems, self.text)


def load(file: Path, environ: Mapping[str, str]) -> Config:
    """Read a configuration; raises ConfigurationError with every mistake in it."""
    examination = examine(file, environ)
    if examination.config is None:
        raise ConfigurationError(examination.rendered())
    return examination.config


def examine(file: Path, environ: Mapping[str, str], text: str | None = None) -> Examination:
    """Read a configuration without raising; a `text` stands in place of what is in the file."""
    source = read_source(file) if text is None else source_of(str(file), text)
    text = source.text
    data = source.problem or parse_toml(source.name, text)
    if isinstance(data, Problem):
        return Examination(None, (data,), text)
    document = Document(str(file), text)
    override(Config, data, environ, document)
    config = read(Config, data, document)
    if config is None or document.problems:
        found = sorted(document.problems, key=lambda problem: (problem.line, problem.column))
        routes = data.get("routes", DEFAULT_ROUTES)
        route_file = file.parent / routes if isinstance(routes, str) else None
        return Examination(None, tuple(found), document.text(), route_file)
    config = replace(config, file=file)
    return Examination(config, text=document.text(), route_file=config.route_file)


def read_text(file: Path) -> str:
    """The text of a file, its lines ended by LF; OSError or UnicodeDecodeError when there is none."""
    return file.read_bytes().decode("utf-8").replace("\r\n", "\n")
