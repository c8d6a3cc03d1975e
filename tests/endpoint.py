"""A phone made of our own stack, for calls over a bad network: it dials, rings, answers, acknowledges and hangs up."""

from __future__ import annotations

from sipcore.flow import Flow, Target
from sipcore.message import Request, Response
from sipcore.timers import T1, T2, Timer
from sipcore.transaction.user import ClientTransaction, ServerTransaction
from tests.wire import Address, Node, Wire, request


class Phone:
    """User agent client and server. `log` holds what happened: ("answered", call_id), ("acknowledged", call_id) ..."""

    def __init__(self, wire: Wire, host: str, proxy: Address, *, rings: float = 1.0, answer: int = 200) -> None:
        self.wire = wire
        self.proxy = proxy
        self.rings = rings
        self.status = answer
        self.node: Node = wire.stack(host, self)
        assert self.node.stack is not None
        self.stack = self.node.stack
        self.log: list[tuple[str, str]] = []
        self.final: dict[str, int] = {}
        self._unacknowledged: dict[str, Timer] = {}
        self._counter = 0

    # -- calling ----------------------------------------------------------------------------------------------------

    def dial(self, uri: str, call_id: str) -> ClientTransaction:
        """Send an INVITE."""
        host, port = self.node.address
        invite = request(
            "INVITE", uri, source=(host, port), branch="gone", call_id=call_id, from_=f"<sip:caller@{host}>;tag=c",
            to=f"<{uri}>", headers=(f"Contact: <sip:caller@{host}:{port}>",),
        )  # fmt: skip
        invite.remove("via")
        return self.stack.transactions.send_request(invite, self.node.flow(self.proxy), self)

    def response(self, response: Response, transaction: ClientTransaction) -> None:
        """As a client: note the outcome; acknowledge each 2xx, also repeated ones (RFC 3261 section 13.2.2.4)."""
        call_id = response.call_id.decode()
        if response.status < 200 or response.cseq.method != "INVITE":
            return
        self.final[call_id] = response.status
        self.log.append((f"final {response.status}", call_id))
        if response.status < 300:
            self.stack.outbox.append((self.node.flow(self.proxy), self._in_dialog(response, "ACK", 1)))

    def _in_dialog(self, answer: Response, method: str, number: int) -> bytes:
        self._counter += 1
        target = answer.get("contact") or b"<sip:nobody@0.0.0.0>"
        routes = tuple(f"Route: {value.decode()}" for value in reversed(answer.elements("record-route")))
        return request(
            method, target.decode().strip("<>"), source=self.node.address, branch=f"{method}{self._counter}",
            call_id=answer.call_id.decode(), from_=(answer.get("from") or b"").decode(),
            to=(answer.get("to") or b"").decode(), cseq=number, headers=routes,
        ).write()  # fmt: skip

    def failed(self, lost: bool, transaction: ClientTransaction) -> None:
        """As a client: no final response came."""
        self.log.append(("lost" if lost else "timeout", ""))

    def ended(self) -> None:
        """As a client: nothing more will come."""

    # -- being called -----------------------------------------------------------------------------------------------

    def request(self, request: Request, transaction: ServerTransaction) -> None:
        """As a server: ring, then answer; everything else is 200."""
        if request.method != "INVITE":
            transaction.respond(request.response(200, to_tag="t"))
            return
        transaction.user = Ringing(self, request, transaction)

    def ack(self, request: Request, flow: Flow) -> None:
        """The ACK to our 2xx: stop repeating it."""
        call_id = request.call_id.decode()
        timer = self._unacknowledged.pop(call_id, None)
        if timer is not None:
            timer.cancel()
            self.log.append(("acknowledged", call_id))

    def stray_response(self, response: Response, flow: Flow) -> None:
        """Not ours any more."""

    def repeat_answer(self, transaction: ServerTransaction, answer: Response, interval: float, left: float) -> None:
        """Send the 2xx until the ACK comes, for 64*T1 (RFC 3261 section 13.3.1.4)."""
        transaction.respond(answer)
        call_id = answer.call_id.decode()
        if left <= 0:
            self._unacknowledged.pop(call_id, None)
            self.log.append(("never acknowledged", call_id))
            return

        def again(_: object) -> None:
            self.repeat_answer(transaction, answer, min(interval * 2, T2), left - interval)

        self._unacknowledged[call_id] = self.stack.timers.after(interval, again)

    def open_flow(self, target: Target) -> Flow:
        """Not used: everything goes through the proxy."""
        return self.node.flow((target.host, target.port))


class Ringing:
    """A call that rings at a phone."""

    def __init__(self, phone: Phone, invite: Request, transaction: ServerTransaction) -> None:
        self.phone = phone
        self.invite = invite
        self.transaction = transaction
        host, port = phone.node.address
        self.tag = f"t-{host}"
        self.contact = f"<sip:callee@{host}:{port}>".encode()
        transaction.respond(invite.response(180, to_tag=self.tag))
        self.timer = phone.stack.timers.after(phone.rings, self._answer)

    def _answer(self, _: object) -> None:
        answer = self.invite.response(self.phone.status, to_tag=self.tag)
        answer.append("contact", self.contact)
        self.phone.log.append((f"answered {self.phone.status}", self.invite.call_id.decode()))
        if self.phone.status < 300:
            self.phone.repeat_answer(self.transaction, answer, T1, 64 * T1)
        else:
            self.transaction.respond(answer)

    def cancelled(self) -> None:
        """The caller, or another phone, was quicker."""
        self.timer.cancel()
        self.phone.log.append(("cancelled", self.invite.call_id.decode()))
        self.transaction.respond(self.invite.response(487, to_tag=self.tag))
