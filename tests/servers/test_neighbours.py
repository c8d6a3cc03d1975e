"""Calls through a chain with Debian's Kamailio: both proxies record their route, both phones are SIPp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sipp_runner.case import read_case
from sipp_runner.kamailio import Kamailio
from sipp_runner.performance import Performance
from sipp_runner.ports import free_port
from sipp_runner.server import Server
from sipp_runner.target import Target

pytestmark = [pytest.mark.program("sipp"), pytest.mark.program("kamailio")]
HERE = Path(__file__).resolve().parent
CASES = HERE / "neighbours"


class Chain:
    """Kamailio and Ringway in this order or the other; `trunk` is the transport between them."""

    def __init__(self, folder: Path, stack: ExitStack, order: str, trunk: str) -> None:
        for name in ("ringway", "kamailio"):
            (folder / name).mkdir()
        kamailio_first = order == "kamailio-ringway"
        kamailio_port = free_port()
        route = folder / "main.route"
        template = CASES / ("last.route" if kamailio_first else "first.route")
        route.write_text(
            template.read_text("utf-8").replace("NEXT", f"sip:127.0.0.1:{kamailio_port};transport={trunk};lr")
        )
        self.ringway = stack.enter_context(Server(folder / "ringway", route=route))
        definitions = {"PORT": str(kamailio_port)}
        if kamailio_first:
            definitions["NEXT"] = f'"sip:{self.ringway.host}:{self.ringway.port};transport={trunk}"'
        self.kamailio = Kamailio(folder / "kamailio", HERE / "kamailio" / "proxy.cfg", kamailio_port, definitions)
        stack.callback(self.kamailio.stop)
        self.ringway.add_users([])
        self.ringway.start()
        self.kamailio.start()
        self.first = Target(self.ringway.host, kamailio_port if kamailio_first else self.ringway.port)


@pytest.fixture(scope="module", params=["kamailio-ringway", "ringway-kamailio"])
def order(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["trunk-udp", "trunk-tcp"])
def chain(request: pytest.FixtureRequest, order: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with ExitStack() as stack:
        made = Chain(tmp_path_factory.mktemp(order), stack, order, request.param.removeprefix("trunk-"))
        yield made
        print(made.ringway.printed(), made.kamailio.printed())
        assert " error " not in made.ringway.printed()


@pytest.mark.conformance("RFC 3261 16.4", "RFC 3261 16.6", "RFC 3261 16.12")
@pytest.mark.parametrize("phones", ["udp", "tcp"])
@pytest.mark.parametrize("case", ["caller-acts", "callee-acts"])
def test_a_call_is_held_and_ended_through_both(chain: Chain, tmp_path: Path, case: str, phones: str) -> None:
    read = read_case(CASES / case)
    read = replace(read, party=tuple(replace(party, transport=phones) for party in read.party))
    users = tmp_path / "users"
    result = Performance(read, chain.first, tmp_path, users, read.calls, read.rate).run()
    assert result.ok, "\n".join(result.problems)
    assert result.counts.successful == 2 * read.calls and result.counts.retransmissions == 0
