"""The registrations of RFC 3665 section 2, with our registrar: challenge, answer, list, removal, refusal."""

from __future__ import annotations

import pytest

from modules.auth.module import Auth
from modules.registrar.module import Registrar
from routing.runtime import Context
from routing.runtime.stores import Credentials, Store
from sipcore.message import Contacts, Response, parse_contacts
from tests.calls import BOB, US
from tests.gates import Answer, account
from tests.platforms import MemoryStore
from tests.serving import Server
from tests.wire import Wire, request

PHONE = "<sip:bob@client.example.com>"
MAIL = "<sip:bob@10.0.0.9>;q=0.5"


class Office:
    """Bob and a server with an account for him."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.server = Server(self.wire, self.route)
        self.store = MemoryStore(account("bob"))
        platform = self.server.platform
        platform.provide(Store, self.store)  # type: ignore[type-abstract]
        platform.provide(Credentials, self.store)  # type: ignore[type-abstract]
        self.auth, self.registrar = Auth(platform), Registrar(platform)
        self.auth.start()
        self.registrar.start()
        self.bob = self.wire.peer(*BOB)
        self.count = 0
        self.uses = 0
        self.nonce = ""

    async def route(self, context: Context) -> bool:
        if not await self.auth.authenticate(context, as_=context.request.to):
            await self.registrar.save(context)
        return True

    def register(self, *headers: str, password: str = "") -> Response:
        """Bob sends a REGISTER, with the nonce he has when a password is given, and gets an answer."""
        self.count += 1
        if password:
            self.uses += 1
            answer = Answer(user="bob", password=password, nonce=self.nonce, count=self.uses)
            headers = (*headers, f"Authorization: {answer}")
        message = request(
            "REGISTER", "sip:example.com", source=BOB, branch=f"r{self.count}", call_id="1j9FpLxk3uxtm8tn@bob",
            from_="<sip:bob@example.com>;tag=a73kszlfl", to="<sip:bob@example.com>", cseq=self.count, headers=headers,
        )  # fmt: skip
        self.bob.send(message, US)
        self.wire.run(0.1)
        response = self.bob.responses()[-1]
        assert response.cseq.number == self.count and response.via.branch == message.via.branch
        return response

    def challenged(self) -> None:
        """F1 and F2 of each flow: he is asked for a password."""
        asked = self.register(f"Contact: {PHONE}")
        assert asked.status == 401
        self.nonce = (asked.get("www-authenticate") or b"").decode().split('nonce="')[1].partition('"')[0]


def listed(response: Response) -> list[str]:
    """The URIs of the bindings that a 200 lists; each has the time that is left."""
    found: Contacts = parse_contacts(response)
    assert all(contact.expires for contact in found.contacts)
    return [contact.uri.text for contact in found.contacts]


@pytest.fixture
def office() -> Office:
    made = Office()
    made.challenged()
    return made


@pytest.mark.conformance("RFC 3665 2.1", "RFC 3261 10.3", "RFC 3261 22.2")
def test_2_1_successful_new_registration(office: Office) -> None:
    answer = office.register(f"Contact: {PHONE}", password="secret")
    assert answer.status == 200
    assert listed(answer) == ["sip:bob@client.example.com"]


@pytest.mark.conformance("RFC 3665 2.2", "RFC 3261 10.2.1")
def test_2_2_update_of_contact_list(office: Office) -> None:
    office.register(f"Contact: {PHONE}", password="secret")
    answer = office.register(f"Contact: {MAIL}", password="secret")
    assert answer.status == 200
    assert listed(answer) == ["sip:bob@client.example.com", "sip:bob@10.0.0.9"]


@pytest.mark.conformance("RFC 3665 2.3", "RFC 3261 10.2.3")
def test_2_3_request_for_current_contact_list(office: Office) -> None:
    office.register(f"Contact: {PHONE}", password="secret")
    office.register(f"Contact: {MAIL}", password="secret")
    answer = office.register(password="secret")
    assert answer.status == 200
    assert listed(answer) == ["sip:bob@client.example.com", "sip:bob@10.0.0.9"]
    assert len(office.store.rows) == 2


@pytest.mark.conformance("RFC 3665 2.4", "RFC 3261 10.2.2")
def test_2_4_cancellation_of_registration(office: Office) -> None:
    office.register(f"Contact: {PHONE}", password="secret")
    answer = office.register("Contact: *", "Expires: 0", password="secret")
    assert answer.status == 200
    assert "contact" not in answer.names and office.store.rows == {}


@pytest.mark.conformance("RFC 3665 2.5", "RFC 3261 22.2")
def test_2_5_unsuccessful_registration(office: Office) -> None:
    answer = office.register(f"Contact: {PHONE}", password="wrong")
    assert answer.status == 401
    assert b"stale=true" not in (answer.get("www-authenticate") or b"")
    assert office.store.rows == {}
