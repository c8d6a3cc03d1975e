"""The client's side of a phone: requests, the answers to challenges, ACKs, CANCELs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from routing.language.stories.story import NOTHING_EXTRA, Extra, Register, Send
from routing.program.rehearsal import writing
from routing.program.rehearsal.dialog import Dialog, Way, of_caller, tag_of
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.proof import challenge_of, prove
from routing.program.rehearsal.writing import Line, key
from sipcore.flow import host_port
from sipcore.message import Response
from sipcore.uri import parse_uri, unescape

if TYPE_CHECKING:
    from routing.program.rehearsal.phone import Phone


_WITH_SESSION = frozenset({"INVITE", "UPDATE"})


@dataclass(slots=True)
class Registration:
    """What a phone keeps for all its REGISTERs of one address of record (RFC 3261 section 10.2.4)."""

    call_id: str
    number: int = 0


@dataclass(slots=True)
class Attempt:
    """One request on its way; `usual` are its lines but Via and CSeq."""

    method: str
    uri: str
    usual: list[Line]
    body: Sequence[str]
    extra: Extra
    way: Way
    number: int
    branch: str = ""
    dialog: Dialog | None = None
    registration: Registration | None = None
    provisional: bool = False
    cancelled: Extra | None = None
    """It is to be cancelled with this, as soon as a response has come (RFC 3261 section 9.1)."""
    final: int = 0
    proofs: dict[str, str] = field(default_factory=dict)

    @property
    def routes(self) -> list[Line]:
        """Its Route lines."""
        return [line for line in self.usual if line[0] == "Route"]


class Calling:
    """Sends requests and hears of their responses."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._attempts: dict[tuple[str, str], Attempt] = {}
        self._latest: Attempt | None = None
        """The last INVITE that began a call."""
        self._registrations: dict[str, Registration] = {}
        """By address of record."""

    # -- requests ---------------------------------------------------------------------------------------------------

    def send(self, step: Send) -> None:
        """Send a request to somebody, or in the call that the phone is in."""
        if step.to is None:
            self._in_call(step)
            return
        phone, extra = self._phone, step.extra
        to = phone.directory.uri(step.to)
        uri = phone.directory.uri(extra.uri) if extra.uri is not None else to
        way = phone.way(extra)
        call = phone.token()
        lines = self._lines(extra, way, step.method, f"<{to}>", f"{call}@{_host(way)}", call)
        attempt = Attempt(step.method, uri, lines, self._body(step.method, way), extra, way, 1)
        if step.method == "INVITE":
            self._latest = attempt
        self._start(attempt)

    def register(self, step: Register) -> None:
        """Send a REGISTER (RFC 3261 section 10.2)."""
        phone, extra = self._phone, step.extra
        way = phone.way(extra)
        sender = phone.directory.uri(extra.sender) if extra.sender is not None else self._identity()
        known = self._registrations.setdefault(sender, Registration(f"{phone.token()}@{_host(way)}"))
        known.number += 1
        uri = phone.directory.uri(extra.uri) if extra.uri is not None else f"sip:{parse_uri(sender).host}"
        lines = self._lines(extra, way, "REGISTER", f"<{sender}>", known.call_id, phone.token())
        lines = [line for line in lines if line[0] != "Contact"]
        lines += self._contacts(step, way)
        self._start(Attempt("REGISTER", uri, lines, (), extra, way, known.number, registration=known))

    def _contacts(self, step: Register, way: Way) -> list[Line]:
        if step.everything:
            return [("Contact", "*"), ("Expires", "0")]
        q = "" if step.q is None else f";q={step.q:g}"
        if step.contacts is None:
            uris = [self._phone.directory.contact(self._phone.name, way.transport, way.address)]
        else:
            uris = [self._phone.directory.uri(whom) for whom in step.contacts]
        return [*(("Contact", f"<{uri}>{q}") for uri in uris), *([("Expires", str(step.seconds))] if uris else [])]

    def _in_call(self, step: Send) -> None:
        phone = self._phone
        dialog = next((one for one in reversed(phone.dialogs) if not one.ended), None)
        if dialog is None:
            hint = f"let it be answered before: `expect {phone.name} got 200`"
            raise StoryFailed(step.span, f"`{phone.name}` is in no call in which {step.method} could be sent", hint)
        self.send_in(dialog, step.method, step.extra)

    def send_in(self, dialog: Dialog, method: str, extra: Extra = NOTHING_EXTRA) -> None:
        """Send a request in a dialog (RFC 3261 section 12.2.1.1)."""
        dialog.number += 1
        if method == "BYE":
            dialog.ended = True
        lines: list[Line] = [("Max-Forwards", "70"), *(("Route", route) for route in dialog.routes)]
        lines += [("From", dialog.local), ("To", dialog.remote), ("Call-ID", dialog.call_id)]
        if method in writing.WITH_CONTACT:
            lines.append(("Contact", f"<{self._contact(dialog.way)}>"))
        way = replace_transport(dialog.way, extra)
        body = self._body(method, way)
        self._start(Attempt(method, dialog.target, lines, body, extra, way, dialog.number, dialog=dialog))

    def cancel(self, extra: Extra) -> str:
        """Cancel the call that was begun last; returns why that can't be, or ""."""
        invite = self._latest
        if invite is None:
            return "has called nobody"
        if invite.final:
            return f"has no call to cancel: it was answered with {invite.final}"
        invite.cancelled = extra
        if invite.provisional:
            self._cancel(invite, extra)
        return ""

    def _cancel(self, invite: Attempt, extra: Extra) -> None:
        lines = [line for line in invite.usual if key(line[0]) in ("max-forwards", "route", "from", "to", "call-id")]
        via = ("Via", self._via(invite.way, invite.branch))
        cseq = ("CSeq", f"{invite.number} CANCEL")
        data = writing.request(f"CANCEL {invite.uri}", [via, *lines, cseq], extra)
        self._phone.send(data, invite.way)

    # -- building ---------------------------------------------------------------------------------------------------

    def _identity(self) -> str:
        return self._phone.directory.address_of_record(self._phone.name)

    def _contact(self, way: Way) -> str:
        return self._phone.directory.contact(self._phone.name, way.transport, way.address)

    def _lines(self, extra: Extra, way: Way, method: str, to: str, call_id: str, tag: str) -> list[Line]:
        sender = self._phone.directory.uri(extra.sender) if extra.sender is not None else self._identity()
        lines: list[Line] = [
            ("Max-Forwards", "70"),
            ("From", f"<{sender}>;tag={tag}"),
            ("To", to),
            ("Call-ID", call_id),
        ]
        given = next((line.partition(":")[2].strip() for line in extra.lines if _is_from(line)), None)
        if given is not None:  # it has our tag, unless it brings one along
            lines[1] = "From", given if ";tag=" in given else f"{given};tag={tag}"
        if method in writing.WITH_CONTACT:
            lines.append(("Contact", f"<{self._contact(way)}>"))
        return lines

    def _body(self, method: str, way: Way) -> Sequence[str]:
        return writing.session(self._phone.name, way.address[0]) if method in _WITH_SESSION else ()

    def _via(self, way: Way, branch: str) -> str:
        return f"SIP/2.0/{way.transport.upper()} {host_port(*way.address)};branch={branch};rport"

    def _start(self, attempt: Attempt) -> None:
        attempt.branch = f"z9hG4bK-{self._phone.token()}"
        self._attempts[attempt.branch, attempt.method] = attempt
        lines = [("Via", self._via(attempt.way, attempt.branch)), *attempt.usual]
        lines.append(("CSeq", f"{attempt.number} {attempt.method}"))
        lines += attempt.proofs.items()
        extra = replace(attempt.extra, lines=tuple(line for line in attempt.extra.lines if not _is_from(line)))
        data = writing.request(f"{attempt.method} {attempt.uri}", lines, extra, attempt.body)
        hop = attempt.dialog and (attempt.dialog.routes[0].strip("<>") if attempt.dialog.routes else attempt.uri)
        self._phone.send(data, attempt.way, hop or "")

    # -- responses --------------------------------------------------------------------------------------------------

    def response(self, response: Response) -> bool:
        """A response came; returns whether it was a challenge and the request was sent again."""
        attempt = self._attempts.get((response.via.branch, response.cseq.method))
        if attempt is None:
            return False
        if response.status < 200:
            if attempt.cancelled is not None and not attempt.provisional:
                self._cancel(attempt, attempt.cancelled)
            attempt.provisional = True
            return False
        before, attempt.final = attempt.final, response.status
        if attempt.method == "INVITE":
            self._acknowledge(attempt, response)
        return not before and response.status in (401, 407) and self._answer_challenge(attempt, response)

    def _acknowledge(self, attempt: Attempt, response: Response) -> None:
        if response.status >= 300:  # RFC 3261 section 17.1.1.3
            via = ("Via", self._via(attempt.way, attempt.branch))
            self._send_ack(attempt, response, attempt.uri, [via, *attempt.routes])
            return
        dialog = attempt.dialog or self._dialog(attempt, response)
        via = ("Via", self._via(attempt.way, f"z9hG4bK-{self._phone.token()}"))  # section 13.2.2.4
        routes: list[Line] = [("Route", route) for route in dialog.routes]
        self._send_ack(attempt, response, dialog.target, [via, *routes])

    def _dialog(self, attempt: Attempt, response: Response) -> Dialog:
        """The dialog of this answer, made when it is the first one with its tag."""
        call_id, tag = response.call_id.decode(), response.to.tag
        for dialog in self._phone.dialogs:
            if dialog.call_id == call_id and tag_of(dialog.remote) == tag:
                return dialog
        dialog = of_caller(response, attempt.way, attempt.number)
        self._phone.dialogs.append(dialog)
        return dialog

    def _send_ack(self, attempt: Attempt, response: Response, uri: str, begin: list[Line]) -> None:
        names = ("from", "to", "call-id")
        lines = [(name.title(), (response.get(name) or b"").decode("utf-8", "surrogateescape")) for name in names]
        usual = [*begin, ("Max-Forwards", "70"), *lines, ("CSeq", f"{attempt.number} ACK")]
        dialog_hop = "" if response.status >= 300 else (begin[1][1].strip("<>") if len(begin) > 1 else uri)
        self._phone.send(writing.request(f"ACK {uri}", usual, NOTHING_EXTRA), attempt.way, dialog_hop)

    def _answer_challenge(self, attempt: Attempt, response: Response) -> bool:
        """Send the request again, once, with the password (RFC 3261 section 22.2); False when there is none to try."""
        user = self._phone.directory.user(self._phone.name)
        password = attempt.extra.password if attempt.extra.password is not None else self._phone.password
        challenge = challenge_of(response)
        if user is None or not password or challenge is None or attempt.proofs:
            return False
        username = unescape(parse_uri(self._identity()).user)
        proof = prove(challenge, username, password, attempt.method, attempt.uri)
        number = attempt.number + 1
        for counted in (attempt.dialog, attempt.registration):
            if counted is not None:
                counted.number = number = max(number, counted.number + 1)
        following = replace(
            attempt, number=number, provisional=False, final=0, branch="", proofs={challenge.header: proof}
        )
        if self._latest is attempt:
            self._latest = following
        self._start(following)
        return True


def _is_from(line: str) -> bool:
    return key(line.partition(":")[0].strip()) == "from"


def _host(way: Way) -> str:
    return f"[{way.address[0]}]" if ":" in way.address[0] else way.address[0]


def replace_transport(way: Way, extra: Extra) -> Way:
    """The way of a request in a call: that of the call, unless it says something else."""
    if extra.source is not None:
        way = Way(way.transport, (extra.source[0], extra.source[1] or way.address[1]))
    return Way(extra.transport, way.address) if extra.transport else way
