"""Browsers and phones through a running server: who registers, who calls whom, and what is left when a page closes."""

from __future__ import annotations

import contextlib
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sipp_runner.accounts import Account
from sipp_runner.ports import LOOPBACK, free_port
from sipp_runner.server import Server

from tests.authority import Authority
from tests.servers.carried_phone import LIMIT, CarriedPhone, Dialog, uri_of, values, wait_for_message
from tests.servers.conftest import DOMAIN, PASSWORD
from tests.servers.phone import Message, NoAnswer, Phone

_MORE = """
[tls]
certificate = "{folder}/own.pem"
key = "{folder}/own.key"
[websocket]
origins = ["https://phone.example.com"]
"""


@dataclass
class Office:
    """A server that listens for all, and phones by every transport; `stack` ends them."""

    server: Server
    ports: dict[str, int]
    tls: ssl.SSLContext
    stack: contextlib.ExitStack

    def phone(self, user: str, transport: str) -> Phone:
        """A phone that is connected and not registered."""
        address = LOOPBACK, self.ports[transport]
        if transport == "udp":
            made = Phone(user, PASSWORD, address, DOMAIN)
        else:
            tls = self.tls if transport == "wss" else None
            made = CarriedPhone(user, PASSWORD, address, DOMAIN, transport=transport, tls=tls)
        return self.stack.enter_context(made)

    def registered(self, user: str, transport: str) -> Phone:
        """A phone that has registered with its password."""
        phone = self.phone(user, transport)
        answer = phone.register(f'<{phone.contact}>;+sip.instance="<urn:uuid:{user}>";reg-id=1')
        assert answer.status == 200, answer
        assert uri_of(answer.first("contact")) == phone.contact
        return phone

    def bindings(self, user: str) -> set[str]:
        """What the server holds, asked by another phone of the same user."""
        with Phone(user, PASSWORD, (LOOPBACK, self.ports["udp"]), DOMAIN) as asking:
            return {uri for uri in asking.bindings() if uri.startswith("sip:")}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, int], ssl.SSLContext]]:
    """One server for all tests here; its log is shown at the end."""
    folder = tmp_path_factory.mktemp("office")
    authority = Authority(folder)
    authority.issue(names=["localhost"], uris=[f"sip:{DOMAIN}"], name="own")
    ports = {"ws": free_port(), "wss": free_port()}
    listen = [f"{transport}:{LOOPBACK}:{port}" for transport, port in ports.items()]
    with Server(folder, domain=DOMAIN, configuration=_MORE.format(folder=folder), listen=listen) as server:
        server.add_users([Account("1001", PASSWORD), Account("1002", PASSWORD)])
        server.start()
        tls = ssl.create_default_context(cafile=authority.file)
        yield server, {**ports, "udp": server.port, "tcp": server.port}, tls
    print(server.printed())


@pytest.fixture
def office(running: tuple[Server, dict[str, int], ssl.SSLContext]) -> Iterator[Office]:
    """The server without a registration; each test has phones of its own."""
    with contextlib.ExitStack() as stack:
        office = Office(*running, stack)
        yield office
    for user in ("1001", "1002"):
        with Phone(user, PASSWORD, (LOOPBACK, office.ports["udp"]), DOMAIN) as phone:
            assert phone.register("*", expires=0).status == 200


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether a condition holds before so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_request(method: str) -> Callable[[Message], bool]:
    return lambda message: message.method == method


def is_response(status: int, method: str) -> Callable[[Message], bool]:
    return lambda message: (
        message.first_line.startswith(f"SIP/2.0 {status} ") and message.first("cseq").endswith(method)
    )


def invited(caller: Phone, callee: Phone) -> Message:
    """Let the caller call, with its password, until the callee has the INVITE."""
    uri = f"sip:{callee.user}@{DOMAIN}"
    caller.begin_anew()
    caller.call(uri)
    challenge = caller.final()
    assert challenge.status in (401, 407), challenge
    caller.acknowledge_failure(uri, challenge)
    caller.call(uri, challenge)
    return wait_for_message(callee, is_request("INVITE"))


def talking(caller: Phone, callee: Phone) -> tuple[Dialog, Dialog]:
    """A call that was answered and acknowledged."""
    invite = invited(caller, callee)
    callee.answer(invite, 180, "Ringing")
    wait_for_message(caller, is_response(180, "INVITE"))
    callee.answer(invite, 200, "OK")
    answer = caller.final()
    assert answer.status == 200, answer
    side, other = Dialog.of_caller(caller, answer), Dialog.of_callee(callee, invite, callee._tag)
    side.send("ACK")
    wait_for_message(callee, is_request("ACK"))
    return side, other


CALLS = [
    ("ws", "udp"), ("udp", "ws"), ("ws", "tcp"), ("tcp", "ws"), ("wss", "udp"), ("udp", "wss"), ("wss", "tcp"),
    ("tcp", "wss"), ("ws", "wss"), ("wss", "ws"), ("ws", "ws"), ("wss", "wss"),
]  # fmt: skip


@pytest.mark.conformance("RFC 7118 5", "RFC 7118 5.1", "RFC 5626 5.3.1")
@pytest.mark.parametrize(("caller", "callee"), CALLS)
def test_a_call_stands_and_either_side_ends_it(office: Office, caller: str, callee: str) -> None:
    alice, bob = office.registered("1001", caller), office.registered("1002", callee)
    for ends in (0, 1):
        sides = talking(alice, bob)
        side, other = sides[ends], sides[1 - ends]
        side.send("BYE")
        bye = wait_for_message(other.phone, is_request("BYE"))
        assert bye.all("route") == []
        other.phone.answer(bye, 200, "OK")
        wait_for_message(side.phone, is_response(200, "BYE"))


@pytest.mark.conformance("RFC 7118 5.1", "RFC 7118 5.2")
def test_each_side_sees_the_server_by_its_own_transport(office: Office) -> None:
    alice, bob = office.registered("1001", "wss"), office.registered("1002", "udp")
    invite = invited(alice, bob)
    first, second = values(invite, "record-route")
    assert ";transport" not in first
    assert second.endswith(f"@{LOOPBACK}:{office.ports['wss']};transport=ws;lr>")
    ours, hers = invite.all("via")
    assert ours.startswith(f"SIP/2.0/UDP {LOOPBACK}:{office.ports['udp']};")
    assert re.match(r"SIP/2\.0/WSS \w+\.invalid;.*received=127\.0\.0\.1", hers)
    assert uri_of(invite.first("contact")) == alice.contact


@pytest.mark.conformance("RFC 7118 5", "RFC 5626 5.3.1")
@pytest.mark.parametrize("transport", ["ws", "wss"])
@pytest.mark.parametrize("how", ["farewell", "FIN"])
def test_a_page_that_closes_is_reached_no_more_within_a_second(office: Office, transport: str, how: str) -> None:
    bob = office.registered("1002", transport)
    assert office.bindings("1002") == {bob.contact}
    if how == "farewell":
        assert isinstance(bob, CarriedPhone)
        bob.leave()
    else:
        bob.close()
    assert within(1.0, lambda: office.bindings("1002") == set())
    alice = office.registered("1001", "udp")
    alice.call(f"sip:1002@{DOMAIN}")
    challenge = alice.final()
    alice.acknowledge_failure(f"sip:1002@{DOMAIN}", challenge)
    alice.call(f"sip:1002@{DOMAIN}", challenge)
    assert alice.final().status == 480


def test_a_page_that_closes_while_it_rings_is_told_to_the_caller(office: Office) -> None:
    alice, bob = office.registered("1001", "udp"), office.registered("1002", "ws")
    invite = invited(alice, bob)
    bob.answer(invite, 180, "Ringing")
    wait_for_message(alice, is_response(180, "INVITE"))
    bob.close()
    assert alice.final().status == 480


def test_inside_a_call_a_page_that_has_closed_is_a_failed_flow(office: Office) -> None:
    alice, bob = office.registered("1001", "udp"), office.registered("1002", "wss")
    side, _ = talking(alice, bob)
    bob.close()
    assert within(1.0, lambda: office.bindings("1002") == set())
    side.send("BYE")
    wait_for_message(alice, is_response(430, "BYE"))


def test_a_new_page_of_the_same_user_is_called_in_place_of_the_old_one(office: Office) -> None:
    old = office.registered("1002", "ws")
    old.close()
    new = office.registered("1002", "ws")
    assert within(1.0, lambda: office.bindings("1002") == {new.contact})
    alice = office.registered("1001", "ws")
    assert invited(alice, new).first_line.startswith(f"INVITE {new.contact} ")


def test_a_wrong_password_is_refused_by_web_socket_too(office: Office) -> None:
    phone = office.phone("1001", "ws")
    phone.password = "wrong"
    assert phone.register(f"<{phone.contact}>").status == 401
    assert office.bindings("1001") == set()


@pytest.mark.row("A25b")
def test_two_messages_in_one_are_refused_and_the_connection_closed(office: Office) -> None:
    phone = office.phone("1001", "ws")
    phone.send("OPTIONS", f"sip:{DOMAIN}")
    assert phone.final().status == 200
    phone._socket.sendto(phone._sent + phone._sent, phone.server)
    assert phone.receive(LIMIT).status == 400
    with pytest.raises(NoAnswer):
        phone.receive(LIMIT)
    assert phone._socket.close_code == 1008


def test_the_server_says_where_it_listens(office: Office) -> None:
    found = office.server.command("status", "-f", str(office.server.file)).stdout
    assert f"ws:{LOOPBACK}:{office.ports['ws']}" in found
    assert f"wss:{LOOPBACK}:{office.ports['wss']}" in found
