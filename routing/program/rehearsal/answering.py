"""The server's side of a phone: what it does with calls, by its plan; other requests are answered at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.language.stories.story import NOTHING_EXTRA, Answer, Move, Pause
from routing.program.rehearsal import writing
from routing.program.rehearsal.dialog import Dialog, Way, of_callee, tag_of
from routing.program.rehearsal.network import Event
from routing.program.rehearsal.writing import Line
from sipcore.flow import Flow
from sipcore.message import Request
from sipcore.message.source import response_target

if TYPE_CHECKING:
    from routing.program.rehearsal.phone import Phone

ANSWERS: tuple[Move, ...] = (Answer(200),)
"""What a phone does that was told nothing else."""
_WITH_SESSION = frozenset({"INVITE", "UPDATE"})


@dataclass(slots=True)
class Asked:
    """A request that came, and what is done about it."""

    request: Request
    flow: Flow | None
    tag: str
    moves: Sequence[Move]
    event: Event | None = None
    last: bytes = b""
    final: int = 0
    dialog: Dialog | None = None

    @property
    def waits(self) -> bool:
        """Whether it has no final answer yet."""
        return not self.final


class Answering:
    """Answers requests."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._plan = ANSWERS
        self._asked: dict[str, Asked] = {}
        """Requests by their branch."""

    def behave(self, moves: tuple[Move, ...]) -> bool:
        """Do this with the calls that ring; without one (False), with those that come from now on."""
        waiting = [asked for asked in self._asked.values() if asked.waits and asked.request.method == "INVITE"]
        if not waiting:
            self._plan = moves
            return False
        for asked in waiting:
            self._stop(asked)
            asked.moves = moves
            self._go_on(asked)
        return True

    # -- requests ---------------------------------------------------------------------------------------------------

    def request(self, request: Request, flow: Flow | None) -> None:
        """A request came, perhaps not for the first time."""
        branch = request.via.branch
        if request.method == "ACK":
            self._acknowledged(request)
        elif request.method == "CANCEL":
            self._cancelled(request, flow)
        elif branch in self._asked:
            self._repeat(self._asked[branch])
        else:
            self._new(branch, request, flow)

    def _new(self, branch: str, request: Request, flow: Flow | None) -> None:
        asked = self._asked[branch] = Asked(request, flow, request.to.tag or self._phone.token(), self._plan)
        if request.to.tag:
            dialog = self._dialog(request)
            asked.dialog = dialog
            asked.moves = (Answer(481),) if dialog is None else self._in_call(request.method)
            if dialog is not None and request.method == "BYE":
                dialog.ended = True
        elif request.method != "INVITE":
            asked.moves = _without_ringing(self._plan)
        self._go_on(asked)

    def _in_call(self, method: str) -> Sequence[Move]:
        """What is done inside a call: who has told to refuse, or to stay silent, since it began means this too."""
        moves = _without_ringing(self._plan)
        silent = moves == (Pause(None),)
        refuses = any(isinstance(move, Answer) and move.status >= 300 for move in moves)
        return moves if silent or (refuses and method != "BYE") else ANSWERS

    def _dialog(self, request: Request) -> Dialog | None:
        call_id, tag = request.call_id.decode("utf-8", "surrogateescape"), request.to.tag
        for dialog in self._phone.dialogs:
            if dialog.call_id == call_id and tag_of(dialog.local) == tag and not dialog.ended:
                return dialog
        return None

    def _acknowledged(self, request: Request) -> None:
        dialog = self._dialog(request)
        if dialog is not None:
            dialog.confirmed = True

    def _cancelled(self, request: Request, flow: Flow | None) -> None:
        invite = self._asked.get(request.via.branch)
        answer = Asked(request, flow, invite.tag if invite else self._phone.token(), ())
        self._respond(answer, Answer(200 if invite else 481))
        if invite is not None and invite.waits:
            self._stop(invite)
            self._respond(invite, Answer(487))

    # -- moves ------------------------------------------------------------------------------------------------------

    def _go_on(self, asked: Asked) -> None:
        asked.event = None
        while asked.moves:
            move, asked.moves = asked.moves[0], asked.moves[1:]
            if isinstance(move, Pause):
                if move.seconds is not None:
                    asked.event = self._phone.network.later(move.seconds, lambda: self._go_on(asked))
                return
            if isinstance(move, Answer):
                self._respond(asked, move)
            elif asked.dialog is not None and not asked.dialog.ended:
                self._phone.calling.send_in(asked.dialog, "BYE")

    def _stop(self, asked: Asked) -> None:
        if asked.event is not None:
            asked.event.cancel()
        asked.event, asked.moves = None, ()

    def _repeat(self, asked: Asked) -> None:
        if asked.last:
            self._send(asked, asked.last)

    # -- responses --------------------------------------------------------------------------------------------------

    def _respond(self, asked: Asked, answer: Answer) -> None:
        request, phone, status = asked.request, self._phone, answer.status
        response = request.response(status, answer.reason, to_tag=asked.tag)
        if status >= 200:
            asked.final = status
        way = self._way(asked)
        if 200 <= status < 300 and request.method == "INVITE" and asked.dialog is None:
            to = (response.get("to") or b"").decode("utf-8", "surrogateescape")
            asked.dialog = of_callee(request, to, way)
            phone.dialogs.append(asked.dialog)
        lines: list[Line] = []
        if 300 <= status < 400:
            lines += [("Contact", f"<{phone.directory.uri(whom)}>") for whom in answer.contacts]
        elif 100 < status < 300 and request.method in writing.WITH_CONTACT:
            lines.append(("Contact", f"<{phone.directory.contact(phone.name, way.transport)}>"))
        has_session = request.method in _WITH_SESSION and (200 <= status < 300 or status == 183)
        body = writing.session(phone.name, phone.address[0]) if has_session else ()
        asked.last = writing.response(response, lines, answer.extra or NOTHING_EXTRA, body)
        self._send(asked, asked.last)

    def _way(self, asked: Asked) -> Way:
        transport = asked.flow.transport if asked.flow is not None else self._phone.introduced.transport
        return Way(transport, self._phone.address)

    def _send(self, asked: Asked, data: bytes) -> None:
        phone = self._phone
        if asked.flow is not None:
            phone.network.send(phone, data, asked.flow)
        else:
            phone.network.send_past(phone, data, response_target(asked.request.via, "udp"))


def _without_ringing(plan: tuple[Move, ...]) -> tuple[Move, ...]:
    """The plan for a request that is no INVITE: it does not ring, and nobody hangs up."""
    moves: list[Move] = []
    rings = False
    for move in plan:
        if isinstance(move, Answer) and move.status < 200:
            rings = True
        elif isinstance(move, Answer) or (isinstance(move, Pause) and not rings):
            moves.append(move)
    return tuple(moves) if moves or not rings else ANSWERS
