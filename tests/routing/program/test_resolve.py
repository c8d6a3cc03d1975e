"""`ringway resolve` and the `[dns]` section."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from modules.enum.settings import EnumSettings
from routing.program.command_line import main
from routing.program.config import examine
from routing.program.exit_codes import FAILURE, OK, TEMPORARY
from routing.program.listen import Listen
from routing.program.resolve import reachable
from sipcore.locate import Answer, Question
from sipcore.net.dns import DnsResolver
from sipcore.net.dns_settings import DnsSettings
from tests.scripted_dns import ScriptedDns

ZONE = """
example.com NAPTR 10 50 s SIP+D2S "" _sip._sctp.example.com
example.com NAPTR 20 50 s SIP+D2T "" _sip._tcp.example.com
_sip._tcp.example.com SRV 5 0 5071 b.example.com
_sip._tcp.example.com SRV 1 0 5070 a.example.com
a.example.com AAAA 2001:db8::1
b.example.com A 192.0.2.2
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    zone = ScriptedDns(ZONE, silent={"down.example.com", "_sip._udp.down.example.com"})

    def known(resolver: DnsResolver, question: Question) -> Answer | None:
        return zone.known(question)

    monkeypatch.setattr(DnsResolver, "known", known)
    configuration = tmp_path / "ringway.toml"
    configuration.write_text('domains = ["example.org"]\n')
    return str(configuration)


def test_the_candidates_and_what_is_skipped_are_shown(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resolve", "example.com", "-f", file]) == OK
    assert capsys.readouterr().out.splitlines() == [
        "TRY  TRANSPORT  ADDRESS             FOUND BY",
        "1    tcp        [2001:db8::1]:5070  NAPTR example.com 20 50 SIP+D2T, SRV _sip._tcp.example.com 1 0 5070, "
        "AAAA a.example.com",
        "2    tcp        192.0.2.2:5071      NAPTR example.com 20 50 SIP+D2T, SRV _sip._tcp.example.com 5 0 5071, "
        "A b.example.com",
        "skipped:",
        "  NAPTR example.com 10 50 SIP+D2S: no sctp here",
    ]


def test_for_programs_it_is_json(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resolve", "sip:192.0.2.9;transport=tcp", "--json", "-f", file]) == OK
    assert json.loads(capsys.readouterr().out) == {
        "uri": "sip:192.0.2.9;transport=tcp",
        "candidates": [{"transport": "tcp", "address": "192.0.2.9", "port": 5060, "found_by": "the URI"}],
        "skipped": [],
    }


@pytest.mark.parametrize(
    ("uri", "code", "said"),
    [
        ("sip:none.example.com", FAILURE, "can't reach none.example.com: A none.example.com: it has no address"),
        ("down.example.com", TEMPORARY, "no answer for SRV _sip._udp.down.example.com: nobody there"),
        ("sip:a@b@c", FAILURE, "sip:a@b@c is no URI"),
        ("mailto:a@example.com", FAILURE, "a mailto URI has no address"),
    ],
)
def test_why_nothing_was_found(file: str, capsys: pytest.CaptureFixture[str], uri: str, code: int, said: str) -> None:
    assert main(["resolve", uri, "-f", file]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.startswith("error: ")


def test_what_can_be_reached_is_told_by_the_listeners() -> None:
    assert reachable([Listen("udp", "0.0.0.0", 5060), Listen("tcp", "::", 5060)]) == {
        "udp": (4,),
        "tcp": (6, 4),
        "tls": (4, 6),
    }
    assert reachable([Listen("udp", "::1", 0), Listen("udp", "127.0.0.1", 0)])["udp"] == (4, 6)


def dns(tmp_path: Path, text: str) -> tuple[DnsSettings | None, list[str]]:
    file = tmp_path / "ringway.toml"
    file.write_text(f'domains = ["example.com"]\n[dns]\n{text}\n')
    found = examine(file, {})
    return found.config.dns if found.config else None, [problem.message for problem in found.problems]


def test_the_dns_can_be_set(tmp_path: Path) -> None:
    assert dns(tmp_path, "") == (DnsSettings(), [])
    text = 'servers = ["192.0.2.53", "[2001:db8::53]:5353"]\ncache = "1h"\ntimeout = "2s"'
    assert dns(tmp_path, text)[0] == DnsSettings(("192.0.2.53", "[2001:db8::53]:5353"), 3_600.0, 2.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('servers = ["dns.example.com"]', "dns.servers[1]: expected an IP address like"),
        ("servers = [53]", "dns.servers[1]: expected an IP address like"),
        ("timeout = 0", "dns.timeout: expected a number of seconds"),
        ("cash = 1", "unknown key `cash` in [dns]"),
    ],
)
def test_mistakes_in_the_dns_section(tmp_path: Path, text: str, problem: str) -> None:
    config, problems = dns(tmp_path, text)
    assert config is None
    assert len(problems) == 1
    assert problem in problems[0]


PAGE = Path(__file__).parents[3].joinpath("docs", "dns.md").read_text("utf-8")


@pytest.mark.parametrize("settings", [DnsSettings(), EnumSettings()])
def test_the_page_names_every_setting_with_its_default(settings: DnsSettings | EnumSettings) -> None:
    for field in dataclasses.fields(settings):
        default = getattr(settings, field.name)
        shown = default or "of the system"
        shown = f"{shown:g}" if isinstance(shown, float) else f"`{shown}`" if field.name == "suffix" else shown
        assert f"| `{field.name}` | {shown} |" in PAGE
