"""Certificates in files: what is used, and one clear sentence for each thing that is wrong with them."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from sipcore.errors import ConfigurationError
from sipcore.net.certificates import DAY, KeyPair, read_key_pairs
from sipcore.net.settings import TlsSettings, TlsSite
from sipcore.net.tls_contexts import HTTP, SIP, Tls, make_contexts
from tests.authority import Authority, Files


def one(files: Files, **other: str) -> TlsSettings:
    return TlsSettings(files.certificate, files.key, **other)


def problems(settings: TlsSettings, now: float | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        make_contexts(settings, time.time() if now is None else now)
    return raised.value.problems


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_certificate_and_its_key_make_contexts(authority: Authority) -> None:
    contexts = make_contexts(one(authority.issue(names=["example.com"])), time.time())
    assert set(contexts.servers) == {SIP, HTTP}
    for context in (contexts.client, *contexts.servers.values()):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert contexts.client.verify_mode == ssl.CERT_REQUIRED
    assert contexts.servers[SIP].verify_mode == ssl.CERT_NONE


def test_both_may_stand_in_one_file(authority: Authority, tmp_path: Path) -> None:
    files = authority.issue(names=["example.com"])
    both = tmp_path / "both.pem"
    both.write_bytes(Path(files.certificate).read_bytes() + Path(files.key).read_bytes())
    assert read_key_pairs(TlsSettings(str(both)), time.time())[0].key == str(both)


def test_clients_are_verified_by_sip_only(authority: Authority) -> None:
    """A browser that is asked for a certificate asks its user."""
    contexts = make_contexts(
        one(authority.issue(names=["example.com"]), client_ca=authority.file, verify="require"), time.time()
    )
    assert contexts.servers[SIP].verify_mode == ssl.CERT_REQUIRED
    assert contexts.servers[HTTP].verify_mode == ssl.CERT_NONE


def test_without_a_certificate_servers_can_be_called() -> None:
    contexts = make_contexts(TlsSettings(), time.time())
    assert contexts.servers == {}
    assert contexts.warnings(time.time()) == []
    assert contexts.client.cert_store_stats()["x509_ca"] > 0 or os.listdir("/etc/ssl/certs") == []


Damage = Callable[[Authority, Files], TlsSettings]


def overwritten(which: str, content: bytes) -> Damage:
    def damage(authority: Authority, files: Files) -> TlsSettings:
        Path(getattr(files, which)).write_bytes(content)
        return one(files)

    return damage


def encrypted(authority: Authority, files: Files) -> TlsSettings:
    key = serialization.load_pem_private_key(Path(files.key).read_bytes(), None)
    secret = serialization.BestAvailableEncryption(b"a password")
    Path(files.key).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    )
    return one(files)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda a, f: TlsSettings("/nowhere/cert.pem", f.key), "tls.certificate: /nowhere/cert.pem is not there; `ringway cert self-signed` makes one for a start"),  # noqa: E501
        (lambda a, f: TlsSettings(f.certificate, "/nowhere/key.pem"), "tls.key: /nowhere/key.pem is not there"),
        (lambda a, f: TlsSettings("/", f.key), "tls.certificate: / can't be read: Is a directory"),
        (lambda a, f: TlsSettings(f.certificate), "tls.key: {certificate} holds no private key in PEM text"),
        (overwritten("certificate", b"\x30\x82 DER"), "tls.certificate: {certificate} holds no certificate in PEM text"),  # noqa: E501
        (overwritten("key", b"nonsense"), "tls.key: {key} holds no private key in PEM text"),
        (overwritten("key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "tls.key: {key} can't be used with {certificate}: "),  # noqa: E501
        (encrypted, "tls.key: {key} is encrypted; store it without a password, readable by this user alone"),
        (lambda a, f: TlsSettings(f.certificate, a.issue(names=["other"]).key), "tls.key: {folder}/certificate-2.key is not the key of {certificate}"),  # noqa: E501
        (lambda a, f: one(f, client_ca="/nowhere", verify="require"), "tls.client_ca: /nowhere is not there"),
        (lambda a, f: one(f, client_ca=f.key, verify="optional"), "tls.client_ca: {key} holds no certificate in PEM text"),  # noqa: E501
        (lambda a, f: one(f, server_ca="/nowhere"), "tls.server_ca: /nowhere is not there"),
        (lambda a, f: TlsSettings(f.certificate, f.key, site=(TlsSite("x", "/nowhere"),)), "tls.site[1].certificate: /nowhere is not there; `ringway cert self-signed` makes one for a start"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(
    authority: Authority, tmp_path: Path, damage: Damage, problem: str
) -> None:
    files = authority.issue(names=["example.com"])
    (found,) = problems(damage(authority, files))
    expected = problem.format(folder=tmp_path, certificate=files.certificate, key=files.key)
    assert found == expected or (expected.endswith(": ") and found.startswith(expected))


def test_a_certificate_out_of_its_time_is_refused(authority: Authority) -> None:
    old = authority.issue(names=["example.com"], begins=timedelta(days=-9), lives=timedelta(days=8))
    young = authority.issue(names=["example.com"], begins=timedelta(days=2))
    (expired,) = problems(one(old))
    assert expired.startswith(f"tls.certificate: {old.certificate} expired on 20")
    assert expired.endswith(": put a new one there")
    (early,) = problems(one(young))
    assert "is not good before 20" in early


def test_every_mistake_is_found_at_once(authority: Authority) -> None:
    files = authority.issue(names=["example.com"])
    sites = (TlsSite("a", "/nowhere/a"), TlsSite("b", files.certificate, "/nowhere/b"))
    assert len(problems(TlsSettings("/nowhere", site=sites))) == 3


@pytest.mark.parametrize(
    ("days", "warning"),
    [
        (90.0, ""),
        (14.5, ""),
        (13.5, "tls: a.pem expires on 2027-01-28, in 13 days"),
        (0.5, "tls: a.pem expires on 2027-01-15, in 0 days"),
        (-1.0, "tls: a.pem expired on 2027-01-14; peers refuse it"),
    ],
)
def test_the_operator_is_warned_in_time(days: float, warning: str) -> None:
    now = 1_800_000_000.0  # 2027-01-15 08:00 UTC
    assert KeyPair("tls", "", "a.pem", "a.key", 0.0, now + days * DAY).warning(now) == warning


def test_a_reading_that_fails_changes_nothing(authority: Authority) -> None:
    files = authority.issue(names=["example.com"])
    tls = Tls(one(files))
    tls.load()
    before = tls.contexts
    Path(files.key).write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError):
        tls.load()
    assert tls.contexts is before


def test_warnings_come_of_the_clock_at_hand(authority: Authority) -> None:
    now = [time.time()]
    tls = Tls(one(authority.issue(names=["example.com"], lives=timedelta(days=21))), lambda: now[0])
    assert tls.warnings() == []
    now[0] += 10 * DAY
    (warning,) = tls.warnings()
    assert "in 9 days" in warning or "in 10 days" in warning
    now[0] += 30 * DAY
    assert "expired on" in tls.warnings()[0]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"verify": "require"}, "needs client_ca"),
        ({"site": (TlsSite("a", "b"),)}, "needs tls.certificate too"),
    ],
)
def test_settings_that_make_no_sense_together(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TlsSettings(**wrong)  # type: ignore[arg-type]
