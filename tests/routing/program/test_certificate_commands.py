"""`ringway cert self-signed`."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest

from routing.program.certificates import default_names
from routing.program.command_line import main
from routing.program.exit_codes import FAILURE, OK
from sipcore.net.addresses import lan_address
from sipcore.net.certificates import read_key_pairs
from sipcore.net.settings import TlsSettings


def made(folder: Path, *names: str) -> int:
    return main(["cert", "self-signed", "--dir", str(folder), *(["--name", *names] if names else [])])


def alternatives(folder: Path) -> tuple[tuple[str, str], ...]:
    """The names in the certificate, as an engine reads them that trusts it as its own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "cert.pem")
    (authority,) = context.get_ca_certs()
    return authority["subjectAltName"]  # type: ignore[return-value]


def test_a_certificate_that_the_server_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new"
    assert made(folder, "Example.com", "192.0.2.1", "2001:db8::1") == OK
    assert alternatives(folder) == (
        ("URI", "sip:example.com"),
        ("DNS", "example.com"),
        ("URI", "sip:192.0.2.1"),
        ("IP Address", "192.0.2.1"),
        ("URI", "sip:[2001:db8::1]"),
        ("IP Address", "2001:DB8:0:0:0:0:0:1"),
    )
    (pair,) = read_key_pairs(TlsSettings(f"{folder}/cert.pem", f"{folder}/key.pem"), time.time())
    assert 364 < (pair.ends - time.time()) / 86_400 <= 365
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    assert f'certificate = "{folder}/cert.pem"' in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key.pem").write_text("mine")
    assert made(tmp_path, "example.com") == FAILURE
    assert "key.pem is there already; name another folder with --dir" in capsys.readouterr().err
    assert not (tmp_path / "cert.pem").exists()


@pytest.mark.parametrize("name", ["a b", "", "*.example.com", "256.1.1.1", "example.com:5061"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert made(tmp_path, name) == FAILURE
    assert capsys.readouterr().err == f"error: {name} is neither a domain name nor an address\n"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert made(tmp_path / "file" / "deeper", "example.com") == FAILURE
    assert "can't be written: Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('domains = ["example.com", "example.net"]\nlisten = ["tls:0.0.0.0"]', ["example.com", "example.net"]),
        ("domains = 3", []),
        ("nonsense", []),
        (None, []),
    ],
)
def test_without_names_it_is_for_the_configured_domains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, names: list[str]
) -> None:
    """Also while the configuration is wrong: it may be so because there is no certificate yet."""
    monkeypatch.setattr("socket.gethostname", lambda: "this.machine")
    file = tmp_path / "ringway.toml"
    if text is not None:
        file.write_text(text)
    address = lan_address()
    assert default_names({"RINGWAY_CONFIG": str(file)}) == [
        *(names or ["this.machine"]),
        *([address] if address else []),
    ]
