"""The functions that every route has: `reply`, `drop`, `log` and `remove`."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from routing.runtime.context import Context, Outcome
from routing.runtime.editing import one_line
from routing.runtime.module import Ends, Module, Place, function
from routing.runtime.platform import Platform
from routing.runtime.properties import SERVERS_OWN
from routing.runtime.shared import SharedEntry
from routing.runtime.values import Duration, FinalCode, HeaderField, HeaderName
from sipcore.errors import RingwayError
from sipcore.message import Response

_PASSED_ON = frozenset(
    {
        "accept", "accept-encoding", "accept-language", "alert-info", "allow", "allow-events", "call-info", "contact",
        "content-encoding", "content-language", "content-type", "error-info", "mime-version", "min-expires", "min-se",
        "proxy-authenticate", "reason", "require", "retry-after", "server", "supported", "unsupported", "warning",
        "www-authenticate",
    }
)  # fmt: skip
"""Headers of a refusal that tell the caller something; the others belong to the hop it came from."""

_ANYWHERE = Place.REQUEST | Place.DIALOG | Place.BRANCH | Place.REPLY
_REQUESTS = Place.REQUEST | Place.DIALOG
_ALLOWED = (
    b"INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, MESSAGE, SUBSCRIBE, NOTIFY, REFER, PUBLISH"
)


class Builtins(Module):
    """What needs no module of its own. Log lines go to `logger`."""

    name = "builtins"

    def __init__(self, platform: Platform, logger: logging.Logger | None = None) -> None:
        super().__init__(platform)
        self._logger = logger or logging.getLogger("ringway.route")

    @function(ends=Ends.ALWAYS, places=_REQUESTS)
    def reply(
        self,
        context: Context,
        code: FinalCode | Outcome,
        reason: str = "",
        *,
        retry_after: Duration | None = None,
    ) -> None:
        """Answer the request with a status, or with the best answer that `ring` got: `reply(outcome)`.

        An outcome is passed on with the headers of a refusal that tell the caller something (Contact of a redirection,
        Retry-After, Warning, ...); without any answer it is 480, and a 503 of the next server becomes 500. A 200 to
        OPTIONS tells in Allow what the server understands.

        Arguments:
            code: the status, 200 to 699; or `outcome`
            reason: the words behind the status; without it those of the RFC
            retry_after: when to come back, a Retry-After in whole seconds
        Fails: 500 when the status is known only while the route runs and is below 200 or above 699
        Example:
            limit(5/m, per: from.user) else { reply(503, "Too many calls", retry_after: 1m) }
            ring(lookup(request.uri), for: 20s)
            reply(outcome)
        See: relay, ring, drop
        """
        headers: list[tuple[str, bytes]] = []
        body = b""
        if isinstance(code, Outcome):
            status, phrase, headers, body = _best(code)
        else:
            status, phrase = code, ""
            if not 200 <= status <= 699:
                raise RingwayError(f"reply({status}): a final status is 200 to 699")
        if status == 200 and context.request.method == "OPTIONS":
            headers.append(("allow", _ALLOWED))  # RFC 3261 section 11.2
        if retry_after is not None:
            headers = [header for header in headers if header[0] != "retry-after"]
            headers.append(("retry-after", str(math.ceil(retry_after)).encode()))
        phrase = one_line(reason).decode("utf-8", "surrogateescape") if reason else phrase
        context.reply(status, phrase, *headers, body=body)

    @function(ends=Ends.ALWAYS, places=_REQUESTS)
    def drop(self, context: Context) -> None:
        """Forget the request without an answer.

        The sender hears nothing and may send it again; what comes again is forgotten as well.

        Example:
            if source.ip in banned { drop() }
            reply(404)
        See: reply, ban
        """
        context.ended = True
        context.transaction.abandon()

    @function(ends=Ends.ALWAYS, places=Place.REPLY, name="drop")
    def drop_reply(self, context: Context) -> None:
        """Let a provisional response go no further.

        A final response always goes on: `drop()` has no effect on one.

        Example:
            on request {
                authenticate(as: from)
                relay()
            }

            on reply {
                if reply.code == 183 { drop() }
            }
        See: reply, ring
        """

    @function(places=_ANYWHERE)
    def log(self, context: Context, text: object, *values: object) -> None:
        """Write a line to the log: the text, then the values.

        The line is of level info and bears the Call-ID; whatever is not printable is written as an escape.

        Arguments:
            text: what the line begins with
            values: what follows, with spaces between
        Example:
            log("call from", from.user, "to", request.uri, source.ip)
            reply(404)
        See: reply
        """
        if self._logger.isEnabledFor(logging.INFO):
            line = " ".join(map(str, (text, *values)))
            self._logger.info("%s", printable(line), extra={"call_id": context.request.get("call-id")})

    @function(places=_ANYWHERE)
    def remove(self, context: Context, what: HeaderField | SharedEntry, *, except_: Sequence[HeaderName] = ()) -> None:
        """Take a header off, or an entry out of a shared table; in a header's name `*` stands for anything.

        What the server keeps right by itself (Via, From, Call-ID, ...) stays, whatever `*` stands for. With
        `except:` everything else that is named leaves, so list what phones need: Contact, Content-Type, Supported, ...

        Arguments:
            what: `request.header["..."]`, `branch.header["..."]`, `reply.header["..."]`, or `shared.NAME[key]`
            except: headers that stay, by name; `*` stands for anything here too
        Example:
            remove(request.header["X-*"], except: ["X-Account"])
            authenticate(as: from)
            relay()
        See: relay, ring
        """
        if isinstance(what, SharedEntry):
            what.table.remove(what.key)
            return
        message, key = what
        if "*" not in key and not except_:
            message.remove(key)
            return
        for name in set(message.names) - SERVERS_OWN:
            if _is_named(name, key) and not any(_is_named(name, one) for one in except_):
                message.remove(name)


def _is_named(name: str, key: str) -> bool:
    """Whether a key, in which one `*` stands for anything, names this header."""
    start, star, end = key.partition("*")
    if not star:
        return name == key
    return len(name) >= len(key) - 1 and name.startswith(start) and name.endswith(end)


def _best(outcome: Outcome) -> tuple[int, str, list[tuple[str, bytes]], bytes]:
    """Status, reason, headers and body of the best answer."""
    response = outcome.response
    if outcome.code == 0:
        return 480, "", [], b""  # there was nobody to try
    if outcome.code == 503:
        # A 503 is about the next hop, not about us (RFC 3261 section 16.7 step 6).
        return 500, "", [], b""
    if not isinstance(response, Response):
        return outcome.code, outcome.reason, [], b""
    headers = [
        (name, line.partition(b":")[2].strip(b" \t"))
        for name, line in zip(response.names, response.lines, strict=True)
        if name in _PASSED_ON
    ]
    return outcome.code, outcome.reason, headers, response.body


def printable(line: str) -> str:
    """A log line that stays one line: whatever is not printable is written as an escape."""
    if line.isprintable():
        return line
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in line)
