"""ringway.toml: what is accepted, and that every mistake is reported at its place."""

from pathlib import Path

import pytest

from routing.program.config import Config, examine, find, load
from routing.program.listen import Listen
from sipcore.errors import ConfigurationError
from sipcore.message import DEFAULT_LIMITS

SMALLEST = 'domains = ["example.com"]\n'


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "ringway.toml"
    file.write_text(text, "utf-8")
    return file


def mistakes(tmp_path: Path, text: str, **environ: str) -> list[str]:
    """Every problem without the folder, the line and the caret."""
    examination = examine(written(tmp_path, text), environ)
    assert examination.config is None
    lines = [text.removeprefix("error: ").removeprefix(f"{tmp_path}/").split("\n") for text in examination.rendered()]
    return [
        "; ".join([shown[0], *(line.strip() for line in shown[1:] if line.startswith("  hint: "))]) for shown in lines
    ]


# -- what is accepted -------------------------------------------------------------------------------------------------


def test_only_domains_must_be_given(tmp_path: Path) -> None:
    config = load(written(tmp_path, SMALLEST), {})
    assert config.domains == ("example.com",)
    assert config.listen == (Listen("udp", "0.0.0.0", 5060), Listen("tcp", "0.0.0.0", 5060))
    assert config.limits.of_messages() == DEFAULT_LIMITS
    assert config.log.level == "info"
    assert config.drain_timeout == 30


def test_names_of_files_count_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    config = load(written(tmp_path, SMALLEST + 'routes = "r/main.route"\n[database]\nurl = "sqlite:///d/x.db"'), {})
    assert config.route_file == tmp_path / "r/main.route"
    assert config.database_file == tmp_path / "d/x.db"
    assert config.database_url == f"sqlite:///{tmp_path}/d/x.db"


def test_modules_get_their_settings(tmp_path: Path) -> None:
    text = (
        SMALLEST
        + '[registrar]\nmin_expires = 30\n[auth]\nalgorithms = ["SHA-256", "MD5"]\n[stream]\nidle_timeout = "2h"'
    )
    config = load(written(tmp_path, text), {})
    settings = config.for_modules()
    assert settings["registrar"].min_expires == 30
    assert settings["auth"].algorithms == ("SHA-256", "MD5")
    assert settings["database"].url == f"sqlite:///{tmp_path}/ringway.db"
    assert config.stream.idle_timeout == 7200


def test_an_absolute_database_file_stays(tmp_path: Path) -> None:
    config = load(written(tmp_path, SMALLEST + '[database]\nurl = "sqlite:////var/lib/ringway/ringway.db"'), {})
    assert config.database_file == Path("/var/lib/ringway/ringway.db")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('"udp:192.0.2.1:5062"', Listen("udp", "192.0.2.1", 5062)),
        ('"tcp:192.0.2.1"', Listen("tcp", "192.0.2.1", 5060)),
        ('"tcp:[2001:db8::1]:5070"', Listen("tcp", "2001:db8::1", 5070)),
        ('"udp:[::]"', Listen("udp", "::", 5060)),
        ('"udp:127.0.0.1:0"', Listen("udp", "127.0.0.1", 0)),
        ('{uri = "udp:0.0.0.0:5060", advertise = "198.51.100.7"}', Listen("udp", "0.0.0.0", 5060, "198.51.100.7")),
        (
            '{uri = "udp:0.0.0.0", advertise = "sip.example.com:5070"}',
            Listen("udp", "0.0.0.0", 5060, "sip.example.com:5070"),
        ),
        ('{uri = "udp:[::]", advertise = "[2001:db8::7]:5061"}', Listen("udp", "::", 5060, "[2001:db8::7]:5061")),
    ],
)
def test_listen_entries(tmp_path: Path, entry: str, expected: Listen) -> None:
    assert load(written(tmp_path, f"{SMALLEST}listen = [{entry}]"), {}).listen == (expected,)


def test_a_listen_entry_is_written_as_it_is_read() -> None:
    assert str(Listen("udp", "::1", 5060)) == "udp:[::1]:5060"
    assert str(Listen("tcp", "192.0.2.1", 5060)) == "tcp:192.0.2.1:5060"


@pytest.mark.parametrize(
    ("text", "seconds"), [("45", 45), ("1.5", 1.5), ('"500ms"', 0.5), ('"2m"', 120), ('"1h"', 3600)]
)
def test_times_are_seconds_or_written_with_a_unit(tmp_path: Path, text: str, seconds: float) -> None:
    assert load(written(tmp_path, f"{SMALLEST}drain_timeout = {text}"), {}).drain_timeout == seconds


def test_carriage_returns_are_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "ringway.toml"
    file.write_bytes(b'domains = ["example.com"]\r\nnode = "b"\r\n')
    assert load(file, {}).node == "b"


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('domain = ["x"]', '2:1: unknown key `domain`; hint: did you mean `domains`?'),
        ('url = "x"', '2:1: unknown key `url`; hint: it belongs in [database]'),
        ("[log]\nlevle = 'info'", '3:1: unknown key `levle` in [log]; hint: did you mean `level`?'),
        ("[log]\nlgo = 1", '3:1: unknown key `lgo` in [log]; hint: known here: level, format'),
        ("[log]\nlevel = 'inof'", '3:9: log.level: expected "debug", "info", "warning" or "error", found "inof"; hint: did you mean `info`?'),  # noqa: E501
        ("log = 3", "2:7: log: expected a table, found 3; hint: write [log] on a line above its keys"),
        ("listen = 'udp:192.0.2.1'", '2:10: listen: expected a list, found "udp:192.0.2.1"'),
        ("listen = []", "2:10: listen: expected a list of at least 1, found a list"),
        ("listen = ['udp:1.2.3.4', 'udp:1.2.3.4:5060']", '2:26: listen[2]: expected each element only once, found "udp:1.2.3.4:5060"'),  # noqa: E501
        ("listen = ['sctp:1.2.3.4']", '2:11: listen[1]: expected udp:, tcp:, tls:, ws: or wss:, found "sctp:1.2.3.4"; hint: sctp is not in this version'),  # noqa: E501
        ("listen = ['ucp:1.2.3.4']", '2:11: listen[1]: expected udp:, tcp:, tls:, ws: or wss:, found "ucp:1.2.3.4"; hint: did you mean `udp`?'),  # noqa: E501
        ("listen = ['udp:1.2.3.4:65536']", '2:11: listen[1]: expected a port from 1 to 65535, or 0 for any free one, found "udp:1.2.3.4:65536"'),  # noqa: E501
        ("listen = [5060]", '2:11: listen[1]: expected an address like "udp:192.0.2.1:5060" or "tcp:[2001:db8::1]:5060", found 5060'),  # noqa: E501
        ("listen = [{advertise = 'x'}]", '2:11: listen[1]: expected a table with "uri", found a table'),
        ("listen = [{uri = 'udp:1.2.3.4', advertise = 'a b'}]", '2:45: listen[1].advertise: expected a host, with ":PORT" when it is another one, found "a b"'),  # noqa: E501
        ("listen = [{uri = 'udp:1.2.3.4', adv = 'a'}]", '2:33: unknown key `adv` in listen[1]; hint: known here: uri, advertise'),  # noqa: E501
        ("drain_timeout = '5x'", '2:17: drain_timeout: expected a number of seconds or a time like "30s", at most 3600 s, found "5x"'),  # noqa: E501
        ("drain_timeout = nan", '2:17: drain_timeout: expected a number of seconds or a time like "30s", at most 3600 s, found nan'),  # noqa: E501
        ("drain_timeout = true", '2:17: drain_timeout: expected a number of seconds or a time like "30s", at most 3600 s, found true'),  # noqa: E501
        ("node = 'a-b'", '2:8: node: expected one to seven letters and digits, found "a-b"'),
        ("routes = ''", '2:10: routes: expected the name of a route file, found ""'),
        ("[auth]\nalgorithms = ['MD6']", '3:15: auth.algorithms[1]: expected "SHA-512-256", "SHA-256" or "MD5", found "MD6"; hint: did you mean `MD5`?'),  # noqa: E501
        ("[registrar]\nmax_expires = 30", "2:1: registrar: min_expires is 1 to 3600, max_expires not below it, jitter 0 to 1"),  # noqa: E501
        ("[registrar]\njitter = 2", "3:10: registrar.jitter: expected a number from 0 to 1, found 2"),
        ("[stream]\nconnections = 0", "3:15: stream.connections: expected a whole number of at least 1, found 0"),
        ("[limits]\nvias = 0", "3:8: limits.vias: expected a whole number from 1 to 255, found 0"),
        ("[limits]\nvias = true", "3:8: limits.vias: expected a whole number from 1 to 255, found true"),
        ("[limits]\nparked = 1.0", "3:10: limits.parked: expected a whole number of at least 1, found 1.0"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_at_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert mistakes(tmp_path, SMALLEST + text) == [f"ringway.toml:{problem}"]


@pytest.mark.parametrize("host", ["foo", "1.2.3", "::1", "[1.2.3.4]", "[::1", "0x7f.1", "*", ""])
def test_a_listen_host_is_an_address(tmp_path: Path, host: str) -> None:
    assert "expected" in mistakes(tmp_path, f"{SMALLEST}listen = ['udp:{host}']")[0]


@pytest.mark.parametrize(
    "domain", ["", "-x.example", "a b", "x" * 64, "exämple.com", "sip:example.com", "example.com."]
)
def test_a_domain_is_a_host_name(tmp_path: Path, domain: str) -> None:
    assert mistakes(tmp_path, f'domains = ["{domain}"]')[0].startswith("ringway.toml:1:12: domains[1]: expected")


def test_every_mistake_is_reported_at_once_in_the_order_of_the_text(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "[limits]\nuri = 1\nvias = 0\n[log]\nformat = 1\nx = 1")
    assert [problem.split(": ")[0] for problem in found] == [
        "ringway.toml:1:1", "ringway.toml:2:7", "ringway.toml:3:8", "ringway.toml:5:10", "ringway.toml:6:1",
    ]  # fmt: skip
    assert found[0].endswith('`domains` is missing; hint: add domains = ["example.com"]')


def test_a_problem_shows_the_line_and_a_caret(tmp_path: Path) -> None:
    shown = examine(written(tmp_path, SMALLEST + "[log]\n\tlevel = 345\n"), {}).rendered()
    assert shown[0].split("\n")[1:] == ["    \tlevel = 345", "    \t        ^^^"]


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    text = SMALLEST + 'secret = "hunter2"\n[database]\nurl = "mysql://u:hunter2@h/d"'
    shown = "\n".join(examine(written(tmp_path, text), {}).rendered())
    assert shown.count("error: ") == 2
    assert "    secret = ..." in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("domains = [\n", "2:1"),
        ('domains = ["a"', "1:15"),
        ("a = = 1", "1:5"),
        ("[log\nx = 1", "1:5"),
        ("a = 1\na = 2", "2:6"),
    ],
)
def test_a_broken_toml_text_is_one_mistake_at_its_place(tmp_path: Path, text: str, place: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(f"ringway.toml:{place}: ")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in examine(tmp_path / "none.toml", {}).rendered()[0]
    file = tmp_path / "latin.toml"
    file.write_bytes(b'domains = ["\xe4"]')
    assert "not UTF-8" in examine(file, {}).rendered()[0]


def test_load_raises_with_every_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(written(tmp_path, "[log]\nlevel = 1\nformat = 2"), {})
    assert len(caught.value.problems) == 3


# -- the environment --------------------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, SMALLEST + "[log]\nlevel = 'error'")
    environ = {
        "RINGWAY_DOMAINS": "a.example, b.example",
        "RINGWAY_LISTEN": '["udp:127.0.0.1:5070"]',
        "RINGWAY_LOG__LEVEL": "debug",
        "RINGWAY_LIMITS__PARKED": "5",
        "RINGWAY_DRAIN_TIMEOUT": "2m",
        "RINGWAY_SECRET": "12345678901234567890",
        "RINGWAY_CONFIG": "elsewhere",
        "HOME": "/",
    }
    config = load(file, environ)
    assert config.domains == ("a.example", "b.example")
    assert config.listen == (Listen("udp", "127.0.0.1", 5070),)
    assert (config.log.level, config.limits.parked, config.drain_timeout) == ("debug", 5, 120)
    assert config.secret == "12345678901234567890"


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("0123456789abcdef\n")
    config = load(written(tmp_path, SMALLEST), {"RINGWAY_SECRET_FILE": str(tmp_path / "s")})
    assert config.secret == "0123456789abcdef"


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("RINGWAY_LOG__LEVEL", "x", 'RINGWAY_LOG__LEVEL: log.level: expected "debug", "info", "warning" or "error", found "x"'),  # noqa: E501
        ("RINGWAY_DOMAINS", "a,b,b", 'RINGWAY_DOMAINS: domains[3]: expected each element only once, found "b"'),
        ("RINGWAY_DOMIANS", "a", 'RINGWAY_DOMIANS: no setting has this name; hint: did you mean `DOMAINS`?'),
        ("RINGWAY_FOO__BAR", "a", "RINGWAY_FOO__BAR: no setting has this name"),
        ("RINGWAY_SECRET_FILE", "/nonexistent", "RINGWAY_SECRET_FILE: can't read /nonexistent: "),
    ],
)  # fmt: skip
def test_a_mistake_in_the_environment_names_the_variable(
    tmp_path: Path, variable: str, value: str, problem: str
) -> None:
    found = mistakes(tmp_path, SMALLEST, **{variable: value})
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_a_variable_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    assert isinstance(load(written(tmp_path, SMALLEST), {"RINGWAY_X": "1"}), Config)


def test_a_section_that_is_no_table_is_reported_although_the_environment_sets_a_key_in_it(tmp_path: Path) -> None:
    assert "expected a table" in mistakes(tmp_path, SMALLEST + "log = 1", RINGWAY_LOG__LEVEL="info")[0]


# -- where it is looked for -------------------------------------------------------------------------------------------


def test_search_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    system = tmp_path / "system.toml"
    monkeypatch.setattr("routing.program.config.SYSTEM_FILE", system)
    with pytest.raises(ConfigurationError, match=r"looked at .*ringway\.toml, .*system\.toml"):
        find(None, {})
    system.touch()
    assert find(None, {}) == system
    written(tmp_path, "")
    assert find(None, {}) == Path("ringway.toml")
    assert find(None, {"RINGWAY_CONFIG": "env.toml"}) == Path("env.toml")
    assert find("flag.toml", {"RINGWAY_CONFIG": "env.toml"}) == Path("flag.toml")
