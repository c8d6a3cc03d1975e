"""Certificates and keys in files: read, judged, and what is wrong with them said in one sentence each."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from sipcore.errors import ConfigurationError
from sipcore.net.settings import TlsSettings

DAY = 86_400.0
_MAKE_ONE = "`ringway cert self-signed` makes one for a start"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its key that fit together; times in Unix seconds. `setting` is where they were named."""

    setting: str
    name: str
    """The server name it is for; "" for the one that all others get."""
    certificate: str
    key: str
    begins: float
    ends: float

    def warning(self, now: float, days: int = 14) -> str:
        """What an operator should hear when less than so many days are left, or ""."""
        if self.ends - now > days * DAY:
            return ""
        if self.ends <= now:
            return f"{self.setting}: {self.certificate} expired on {_date(self.ends)}; peers refuse it"
        return (
            f"{self.setting}: {self.certificate} expires on {_date(self.ends)}, in {int((self.ends - now) / DAY)} days"
        )


def read_key_pairs(settings: TlsSettings, now: float) -> tuple[KeyPair, ...]:
    """Every certificate that the settings name; ConfigurationError with a sentence for each that can't be used."""
    named = [("tls", "", settings.certificate, settings.key)] if settings.certificate else []
    named += [(f"tls.site[{at}]", site.name, site.certificate, site.key) for at, site in enumerate(settings.site, 1)]
    found: list[KeyPair] = []
    problems: list[str] = []
    for setting, name, certificate, key in named:
        try:
            found.append(_read(setting, name.lower(), certificate, key or certificate, now))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return tuple(found)


def _read(setting: str, name: str, certificate: str, key: str, now: float) -> KeyPair:
    where = f"{setting}.certificate: {certificate}"
    try:
        first = x509.load_pem_x509_certificates(_text(where, certificate, _MAKE_ONE))[0]
    except ValueError:
        raise ConfigurationError([f"{where} holds no certificate in PEM text"]) from None
    pair = KeyPair(
        setting, name, certificate, key, first.not_valid_before_utc.timestamp(), first.not_valid_after_utc.timestamp()
    )
    if pair.ends <= now:
        raise ConfigurationError([f"{where} expired on {_date(pair.ends)}: put a new one there"])
    if pair.begins > now:
        raise ConfigurationError([f"{where} is not good before {_date(pair.begins)}; does the clock go right?"])
    _check_key(setting, pair)
    return pair


def _check_key(setting: str, pair: KeyPair) -> None:
    where = f"{setting}.key: {pair.key}"
    text = _text(where, pair.key)
    if b"ENCRYPTED" in text:
        raise ConfigurationError([f"{where} is encrypted; store it without a password, readable by this user alone"])
    if b"PRIVATE KEY-----" not in text:
        raise ConfigurationError([f"{where} holds no private key in PEM text"])
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigurationError([f"{where} is not the key of {pair.certificate}"]) from None
        raise ConfigurationError([f"{where} can't be used with {pair.certificate}: {error.reason}"]) from None


def check_authorities(setting: str, file: str) -> None:
    """ConfigurationError when a file of certificate authorities can't be used."""
    where = f"{setting}: {file}"
    try:
        x509.load_pem_x509_certificates(_text(where, file))
    except ValueError:
        raise ConfigurationError([f"{where} holds no certificate in PEM text"]) from None


def _text(where: str, file: str, otherwise: str = "") -> bytes:
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise ConfigurationError([f"{where} is not there{'; ' + otherwise if otherwise else ''}"]) from None
    except OSError as error:
        raise ConfigurationError([f"{where} can't be read: {error.strerror}"]) from None


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
