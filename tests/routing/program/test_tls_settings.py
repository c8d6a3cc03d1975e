"""[tls] in ringway.toml: what is accepted, where mistakes are shown, and that files are judged before a start."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from routing.program.check import check, check_file, checked_config
from routing.program.config import load
from routing.program.listen import Listen
from routing.program.server import Server
from sipcore.errors import ConfigurationError
from sipcore.net.settings import TlsSettings, TlsSite
from tests.authority import Authority
from tests.routing.program.test_config import mistakes, written

SMALLEST = 'domains = ["example.com"]\n'
LISTENING = SMALLEST + 'listen = ["tls:127.0.0.1:0"]\n[tls]\ncertificate = "own.pem"\nkey = "own.key"\n'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "main.route").write_text("on request { reply(404) }\n")
    authority = Authority(tmp_path)
    authority.issue(uris=["sip:example.com"], name="own")
    return authority


def test_names_of_files_count_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    text = (
        SMALLEST
        + '[tls]\ncertificate = "c.pem"\nkey = "/k.pem"\nclient_ca = "ca.pem"\nverify = "optional"\n'
        + '[[tls.site]]\nname = "a.example"\ncertificate = "a.pem"\n'
        + '[[tls.site]]\nname = "b.example"\ncertificate = "b.pem"\nkey = "b.key"\n'
    )
    assert load(written(tmp_path, text), {}).tls_files == TlsSettings(
        certificate=f"{tmp_path}/c.pem",
        key="/k.pem",
        client_ca=f"{tmp_path}/ca.pem",
        verify="optional",
        site=(
            TlsSite("a.example", f"{tmp_path}/a.pem"),
            TlsSite("b.example", f"{tmp_path}/b.pem", f"{tmp_path}/b.key"),
        ),
    )


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, SMALLEST), {"RINGWAY_TLS__CERTIFICATE": "/run/cert.pem"})
    assert config.tls_files.certificate == "/run/cert.pem"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('"tls:192.0.2.1"', Listen("tls", "192.0.2.1", 5061)),
        ('"tls:[2001:db8::1]:5071"', Listen("tls", "2001:db8::1", 5071)),
        (
            '{uri = "tls:0.0.0.0", advertise = "sip.example.com"}',
            Listen("tls", "0.0.0.0", 5061, "sip.example.com"),
        ),
    ],
)
def test_listen_entries(tmp_path: Path, entry: str, expected: Listen) -> None:
    text = f'{SMALLEST}listen = [{entry}]\n[tls]\ncertificate = "own.pem"'
    assert load(written(tmp_path, text), {}).listen == (expected,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("listen = ['tls:1.2.3.4']", "1:1: tls:1.2.3.4:5061 needs a certificate: set certificate and key in [tls]; `ringway cert self-signed` makes both for a start"),  # noqa: E501
        ("[tls]\nverify = 'maybe'", '3:10: tls.verify: expected "none", "optional" or "require", found "maybe"'),
        ("[tls]\nverify = 'require'", '2:1: tls.verify = "require" needs client_ca: who signs the certificates of clients'),  # noqa: E501
        ("[tls]\ncertficate = 'x'", "3:1: unknown key `certficate` in [tls]; hint: did you mean `certificate`?"),
        ("[tls]\nsite = 'x'", '3:8: tls.site: expected a list, found "x"'),
        ("[tls]\nsite = ['x']", '3:9: tls.site[1]: expected a table, found "x"; hint: write [[tls.site]] on a line above its keys'),  # noqa: E501
        ("[[tls.site]]\nname = 'a'\ncerticate = 'b'", "4:1: unknown key `certicate` in tls.site[1]; hint: did you mean `certificate`?"),  # noqa: E501
        ("[[tls.site]]\nname = 'a'", "2:1: `certificate` is missing in tls.site[1]; hint: add certificate = ..."),
        ("[[tls.site]]\nname = 'a b'\ncertificate = 'c'", '3:8: tls.site[1].name: expected a domain name, found "a b"'),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_at_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert f"ringway.toml:{problem}" in mistakes(tmp_path, SMALLEST + text)


def test_check_reads_the_files(tmp_path: Path, authority: Authority) -> None:
    file = written(tmp_path, LISTENING)
    assert check_file(file, {}).problems == ()
    authority.issue(uris=["sip:example.com"], name="own", lives=timedelta(days=6))
    checked = check_file(file, {})
    assert not checked.failed
    assert checked.shown[0].startswith(f"warning: {file}: tls: {tmp_path}/own.pem expires on 20")
    assert checked.shown[0].endswith(", in 4 days")


def test_check_shows_the_settings_in_effect_as_toml(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    text = LISTENING + '[[tls.site]]\nname = "a.example"\ncertificate = "own.pem"\nkey = "own.key"\n'
    assert check([written(tmp_path, text)], {}, as_json=False) == 0
    shown = tomllib.loads(capsys.readouterr().out.rpartition("\n")[0].rpartition("\n")[0])
    assert shown["tls"]["site"] == [{"name": "a.example", "certificate": "own.pem", "key": "own.key"}]
    assert shown["listen"] == ["tls:127.0.0.1:0"]


@pytest.mark.parametrize("what", ["missing", "expired", "of another"])
def test_a_start_is_refused_in_one_sentence(tmp_path: Path, authority: Authority, what: str) -> None:
    file = written(tmp_path, LISTENING)
    if what == "missing":
        (tmp_path / "own.pem").unlink()
        sentence = f"tls.certificate: {tmp_path}/own.pem is not there; `ringway cert self-signed` makes one for a start"
    elif what == "expired":
        authority.issue(names=["x"], name="own", begins=timedelta(days=-3), lives=timedelta(days=1))
        sentence = f"tls.certificate: {tmp_path}/own.pem expired on 20"
    else:
        (tmp_path / "own.key").write_bytes(Path(authority.issue(names=["x"]).key).read_bytes())
        sentence = f"tls.key: {tmp_path}/own.key is not the key of {tmp_path}/own.pem"
    with pytest.raises(ConfigurationError) as raised:
        checked_config(file, {})
    (problem,) = raised.value.problems
    assert problem.startswith(f"error: {file}: {sentence}")
    assert "\n" not in problem


def test_a_server_reads_certificates_again_and_keeps_the_old_ones_when_they_are_wrong(
    tmp_path: Path, authority: Authority
) -> None:
    server = Server(load(written(tmp_path, LISTENING), {}), b"the secret of the tests")
    server.load_certificates()
    first = server.edge.tls.contexts
    authority.issue(uris=["sip:example.com"], name="own")
    server.load_certificates()
    second = server.edge.tls.contexts
    assert second is not first
    (tmp_path / "own.key").unlink()
    with pytest.raises(ConfigurationError):
        server.load_certificates()
    assert server.edge.tls.contexts is second
