"""Whether a URI leads to this server decides what a proxy takes for its own Route."""

import pytest

from routing.program.listen import Listen
from routing.program.own_endpoints import OwnEndpoints, advertised_host, advertised_port
from routing.runtime.platform import Domains
from sipcore.flow import Target

LISTENS = (Listen("udp", "0.0.0.0", 0), Listen("tcp", "192.0.2.1", 5070, "sip.example.net:5090"))
DOMAINS = Domains(("example.com",), lambda host: host in ("192.0.2.1", "sip.example.net"))


@pytest.fixture
def own() -> OwnEndpoints:
    endpoints = OwnEndpoints(DOMAINS, LISTENS)
    endpoints.bound([Target("udp", "0.0.0.0", 5060), Target("tcp", "192.0.2.1", 5070)])
    return endpoints


@pytest.mark.parametrize(
    ("host", "port", "answer"),
    [
        ("192.0.2.1", 5060, True),
        ("192.0.2.1", 0, True),
        ("192.0.2.1", 5070, True),
        ("192.0.2.1", 5080, False),
        ("192.0.2.2", 5060, False),
        ("example.com", 0, True),
        ("example.com", 5060, True),
        ("example.com", 5080, False),
        ("sip.example.net", 5090, True),
        ("sip.example.net", 5091, False),
        ("example.org", 0, False),
    ],
)
def test_host_and_port_must_both_be_ours(own: OwnEndpoints, host: str, port: int, answer: bool) -> None:
    assert own(host, port) is answer


def test_our_domain_is_ours_at_any_port_that_the_dns_may_give() -> None:
    endpoints = OwnEndpoints(DOMAINS, LISTENS)
    endpoints.bound([Target("udp", "192.0.2.1", 5099)])
    assert endpoints("example.com", 0)
    assert not endpoints("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("advertise", "host", "port"),
    [
        ("198.51.100.7", "198.51.100.7", 5062),
        ("SIP.example.com:5070", "sip.example.com", 5070),
        ("[2001:db8::7]", "2001:db8::7", 5062),
        ("[2001:db8::7]:5071", "2001:db8::7", 5071),
    ],
)
def test_what_is_advertised(advertise: str, host: str, port: int) -> None:
    listen = Listen("udp", "0.0.0.0", 5062, advertise)
    assert (advertised_host(listen), advertised_port(listen)) == (host, port)
