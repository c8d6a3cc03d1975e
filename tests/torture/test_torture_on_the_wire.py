"""All torture messages of RFC 4475 and RFC 5118 against running servers, over UDP and over TCP."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import raw
from tests.private_network import private_network
from tests.probing import bad_records
from tests.torture.fleet import ROUTED_TO, ROUTES, Observed, Role, roles

FOLDER = Path(__file__).resolve().parent
FILES = {f"{file.parent.name}/{file.stem}": file.read_bytes() for file in sorted(FOLDER.glob("*/*.dat"))}
Row = str | dict[str, str | dict[str, str]]
RFCS = {"rfc4475": "RFC 4475", "rfc5118-wire": "RFC 5118"}
TABLE = tomllib.loads((FOLDER / "expected.toml").read_text("utf-8"))
EXPECTED: dict[str, Row] = {f"{folder}/{name}": row for folder in RFCS for name, row in TABLE[folder].items()}


def expected(name: str, role: str, transport: str) -> str:
    """The outcome that the table wants."""
    row: Row = EXPECTED[name]
    if isinstance(row, dict) and transport == "tcp" and "tcp" in row:
        row = row["tcp"]  # type: ignore[assignment]
    outcome = row[role] if isinstance(row, dict) else row
    assert isinstance(outcome, str)
    return outcome


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Role]]:
    with private_network(), roles(tmp_path_factory.mktemp("torture")) as made:
        yield made
        for role in made.values():
            for log in role.stop():
                assert not bad_records(log) and "Traceback" not in log, log


Observe = Callable[[str, str, str], Observed]


@pytest.fixture(scope="module")
def observe(fleet: dict[str, Role]) -> Observe:
    """What becomes of a message in a role over a transport; it is sent once for all tests."""
    seen: dict[tuple[str, str, str], Observed] = {}

    def look(name: str, role: str, transport: str) -> Observed:
        key = name, role, transport
        if key not in seen:
            seen[key] = fleet[role].observe(FILES[name], transport, expected(*key))
        return seen[key]

    return look


def test_every_message_has_an_expectation_and_every_expectation_a_message() -> None:
    assert sorted(EXPECTED) == sorted(FILES)
    assert [sum(name.startswith(folder) for name in FILES) for folder in RFCS] == [50, 12]
    described = [file for folder in RFCS for file in TABLE["sections"][folder]]
    assert sorted({name.partition("/")[2] for name in FILES} - set(described)) == ["test"]


def message_of(name: str) -> pytest.ParameterSet:
    """A message, marked with the section that describes it."""
    folder, _, file = name.partition("/")
    section = TABLE["sections"][folder].get(file)
    marks = [pytest.mark.conformance(f"{RFCS[folder]} {section}")] if section else []
    if folder == "rfc5118-wire":
        marks.append(pytest.mark.row("B26"))
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [message_of(name) for name in FILES])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_message(name: str, transport: str, observe: Observe) -> None:
    outcomes = {role: observe(name, role, transport).outcome() for role in ROUTES}
    assert outcomes == {role: expected(name, role, transport) for role in ROUTES}


@pytest.mark.conformance("RFC 3261 18.2.2")
@pytest.mark.parametrize("name", [name for name in FILES if name != "rfc4475/insuf"])
def test_answers_over_udp_go_where_the_via_says(name: str, observe: Observe) -> None:
    via = raw.read(FILES[name]).first(b"via").split(b",")[0]
    named = re.search(rb"(?:\]|[A-Za-z0-9])[ \t]*:[ \t]*([0-9]+)[ \t]*(?:;|$)", via.partition(b";")[0] + b";")
    for role in ROUTES:
        seen = observe(name, role, "udp")
        port = seen.source_port if b";rport" in via else int(named[1]) if named else 5060
        assert [arrival.port for arrival in seen.finals()] == [port] * len(seen.finals())


# -- details of RFC 4475 ----------------------------------------------------------------------------------------------


def forwarded(observe: Observe, name: str, transport: str = "udp") -> raw.Raw:
    (request,) = observe(f"rfc4475/{name}", "proxy", transport).forwarded
    return raw.read(request)


def lines(data: bytes) -> list[bytes]:
    return data.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_wsinv_keeps_the_header_that_nobody_knows(observe: Observe) -> None:
    (request,) = observe("rfc4475/wsinv", "proxy", "udp").forwarded
    assert b"UnknownHeaderWithUnusualValue: ;;,,;;,;" in lines(request)
    assert b"NewFangledHeader:   newfangled value continued newfangled value" in lines(request)
    assert raw.read(request).start == b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0"
    assert raw.read(request).body == raw.read(FILES["rfc4475/wsinv"]).body


@pytest.mark.parametrize(
    ("name", "unchanged"),
    [
        ("esc01", rb"Contact:   <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>"),
        ("esc02", rb"C%6Fntact: <sip:alias2@host2.example.com>"),
        ("lwsdisp", rb"From: caller<sip:caller@example.com>;tag=323"),
        ("baddate", rb"Date: Fri, 01 Jan 2010 16:00:00 EST"),
        ("regaut01", rb"Authorization: NoOneKnowsThisScheme opaque-data=here"),
        ("intmeth", None),
        ("longreq", None),
        ("unksm2", None),
    ],
)
def test_what_nobody_touches_is_forwarded_byte_for_byte(observe: Observe, name: str, unchanged: bytes | None) -> None:
    (request,) = observe(f"rfc4475/{name}", "proxy", "tcp").forwarded
    if unchanged is not None:
        assert re.sub(rb"[ \t]+", b" ", unchanged) in [re.sub(rb"[ \t]+", b" ", line) for line in lines(request)]
        return
    own = (b"via", b"v", b"max-forwards")
    kept = [line for line in lines(FILES[f"rfc4475/{name}"])[1:] if line.split(b":")[0].strip().lower() not in own]
    assert len(kept) >= 5
    assert [line for line in kept if line not in lines(request)] == []


def test_longreq_keeps_its_hops_in_order(observe: Observe) -> None:
    names = [value.split(b";")[0].split()[-1] for value in forwarded(observe, "longreq", "tcp").all(b"via")]
    assert names[1:] == [b"sip%d.example.com" % number for number in range(33, 0, -1)] + [b"host.example.com"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_mpart01_follows_its_route_with_its_body_as_it_was(observe: Observe, transport: str) -> None:
    (request,) = observe("rfc4475/mpart01", "proxy", transport).forwarded
    assert raw.read(request).body == raw.read(FILES["rfc4475/mpart01"]).body
    assert b"\0" in raw.read(request).body
    # Its Route has no "lr": that is a strict router, which wants its own address in the Request-URI (RFC 3261 16.6).
    assert raw.read(request).start == b"MESSAGE sip:%b:%d SIP/2.0" % (ROUTED_TO[0].encode(), ROUTED_TO[1])
    assert raw.read(request).all(b"route") == [b"<sip:kumiko@example.org>"]


def test_dblreq_forwards_nothing_behind_its_end(observe: Observe) -> None:
    (request,) = observe("rfc4475/dblreq", "proxy", "udp").forwarded
    assert b"INVITE" not in request


def test_inv2543_gets_what_it_did_not_have(observe: Observe) -> None:
    request = forwarded(observe, "inv2543")
    assert request.first(b"max-forwards") == b"70"
    assert request.body == raw.read(FILES["rfc4475/inv2543"]).body
    assert int(request.first(b"content-length")) == len(request.body)


@pytest.mark.parametrize("role", ROUTES)
def test_bext01_is_told_what_is_not_supported(observe: Observe, role: str) -> None:
    (answer,) = observe("rfc4475/bext01", role, "udp").finals()
    assert answer.raw.first(b"unsupported") == b"noProxiesSupportThis, norDoAnyProxiesSupportThis"


@pytest.mark.parametrize("name", ["esc02", "intmeth", "invut"])
def test_what_a_registrar_does_not_serve_is_told_what_it_does(observe: Observe, name: str) -> None:
    (answer,) = observe(f"rfc4475/{name}", "registrar", "udp").finals()
    assert answer.raw.first(b"allow") == b"REGISTER"


def test_regaut01_gets_a_challenge_it_can_answer(observe: Observe) -> None:
    (answer,) = observe("rfc4475/regaut01", "default", "tcp").finals()
    assert answer.raw.first(b"www-authenticate").startswith(b'Digest realm="example.com"')


@pytest.mark.parametrize("role", ROUTES)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baddn_is_refused_when_it_has_an_end(fleet: dict[str, Role], role: str, transport: str) -> None:
    seen = fleet[role].observe(FILES["rfc4475/baddn"] + b"\r\n", transport, "400")
    assert seen.outcome() == "400"


# -- what a registrar keeps of them -----------------------------------------------------------------------------------

BINDINGS = {
    "cparam01": [b"<sip:+19725552222@gw1.example.net>"],
    "cparam02": [b"<sip:+19725552222@gw1.example.net;unknownparam>"],
    "regescrt": [b"<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"],
    "escnull": [b"<sip:%00@host5.example.com>", b"<sip:%00%00@host5.example.com>"],
}


@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize("name", BINDINGS)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_fetch_shows_what_was_registered(fleet: dict[str, Role], observe: Observe, name: str, transport: str) -> None:
    (answer,) = observe(f"rfc4475/{name}", "registrar", transport).finals()
    contacts = dict(value.split(b";expires=") for value in answer.raw.all(b"contact"))
    registered = [uri for uri in BINDINGS[name] if 0 < int(contacts[uri].split(b";")[0]) <= 3600]
    assert registered == BINDINGS[name]
    if name == "escnull":
        assert len(contacts) == 2  # nobody else is this user; others have been registered by other messages
