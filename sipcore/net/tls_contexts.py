"""The TLS settings as contexts of the standard library: made together, replaced together."""

from __future__ import annotations

import ssl
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from sipcore.errors import ConfigurationError
from sipcore.flow import Target
from sipcore.net.settings import TlsSettings

SIP, HTTP = "sip/2", "http/1.1"
"""Protocols of the application layer (RFC 7301), so that what was meant for one is not taken by the other."""
_VERIFY = {"optional": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}
_SESSIONS = 1_024


@dataclass(frozen=True, slots=True)
class TlsContexts:
    """What one reading of the files made; connections keep the context they began with."""

    servers: dict[str, ssl.SSLContext]
    """By application protocol; empty without a certificate."""
    client: ssl.SSLContext
    warnings: Callable[[float], list[str]]
    """What to tell the operator at a Unix time: certificates that expire."""
    sessions: OrderedDict[Target, ssl.SSLSession] = field(default_factory=OrderedDict)
    """To shorten the next handshake with a server."""

    def keep(self, target: Target, session: ssl.SSLSession | None) -> None:
        """Remember a session with a server."""
        if session is None:
            return
        self.sessions[target] = session
        self.sessions.move_to_end(target)
        if len(self.sessions) > _SESSIONS:
            self.sessions.popitem(last=False)


PreparedTls = tuple[TlsSettings, TlsContexts]
"""Settings, and what was made of them."""


class Tls:
    """The TLS settings of an edge and the contexts in force; `load` may be called again when files have changed."""

    def __init__(self, settings: TlsSettings, wall_clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._wall_clock = wall_clock
        self._contexts: TlsContexts | None = None

    @property
    def contexts(self) -> TlsContexts:
        """The contexts for a new connection."""
        if self._contexts is None:
            self._contexts = make_contexts(self._settings, self._wall_clock())
        return self._contexts

    @property
    def has_certificate(self) -> bool:
        """Whether we can show who we are."""
        return bool(self._settings.certificate)

    def prepare(self, settings: TlsSettings) -> PreparedTls:
        """Read the files of other settings; ConfigurationError when something is wrong. May run in a thread."""
        return settings, make_contexts(settings, self._wall_clock())

    def use(self, prepared: PreparedTls) -> PreparedTls:
        """Use these for new connections; returns those from before."""
        before = self._settings, self.contexts
        self._settings, self._contexts = prepared
        return before

    def load(self) -> None:
        """Read all files; ConfigurationError, and nothing changed, when something is wrong. May run in a thread."""
        self._contexts = make_contexts(self._settings, self._wall_clock())

    def warnings(self) -> list[str]:
        """What to tell the operator today."""
        return self.contexts.warnings(self._wall_clock())


def make_contexts(settings: TlsSettings, now: float) -> TlsContexts:
    """Read the files; ConfigurationError with a sentence for each thing that is wrong."""
    client = _client(settings)
    if not settings.certificate:
        return TlsContexts({}, client, lambda now: [])
    from sipcore.net.certificates import read_key_pairs  # takes its time, which a server without TLS need not wait

    pairs = read_key_pairs(settings, now)
    client.load_cert_chain(pairs[0].certificate, pairs[0].key)
    servers = {}
    for protocol in (SIP, HTTP):
        contexts = {pair.name: _server(settings, pair.certificate, pair.key, protocol) for pair in pairs}
        servers[protocol] = contexts[""]
        contexts[""].sni_callback = _by_name(contexts)
    return TlsContexts(servers, client, lambda now: [warning for pair in pairs if (warning := pair.warning(now))])


def _client(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # its rules are those of HTTP, with wildcards; RFC 5922 has its own
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    context.set_alpn_protocols([SIP])
    if settings.server_ca:
        _load_authorities(context, "tls.server_ca", settings.server_ca)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _server(settings: TlsSettings, certificate: str, key: str, protocol: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    context.options |= ssl.OP_NO_RENEGOTIATION  # costs us much more than the client that asks for it again and again
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols([protocol])
    if protocol == SIP and settings.verify != "none":  # a browser would ask the person before it
        context.verify_mode = _VERIFY[settings.verify]
        _load_authorities(context, "tls.client_ca", settings.client_ca)
    return context


def _load_authorities(context: ssl.SSLContext, setting: str, file: str) -> None:
    from sipcore.net.certificates import check_authorities

    check_authorities(setting, file)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        raise ConfigurationError([f"{setting}: {file} can't be used: {error.reason}"]) from None


def _by_name(contexts: dict[str, ssl.SSLContext]) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    def choose(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        context = contexts.get((name or "").lower().rstrip("."))
        if context is not None:
            tls.context = context

    return choose
