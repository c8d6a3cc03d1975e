"""The words of the reference about types: how a value is written, and what it is."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """About one type; `written` is empty where a route can't write one out."""

    written: str
    what: str


TYPES: dict[str, Words] = {
    "text": Words('`"Not relaying"`', 'One line; `\\"` and `\\\\` are its escapes. `+` joins texts.'),
    "number": Words("`404`, `0.5`", "`+`, `-` and `*` reckon with it."),
    "truth": Words("`true`, `false`", "What a condition is."),
    "duration": Words("`500ms`, `20s`, `5m`, `2h`, `1d`", "Seconds, with a unit."),
    "rate": Words("`20/s`, `100/m`", "So many in a time."),
    "network": Words("`10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`", "`in` asks whether it holds an address."),
    "time window": Words('`"Mon-Fri 09:00-17:30"`', "`in` asks whether it holds a moment, which is `now`."),
    "moment": Words("", "A point in time: `now`."),
    "uri": Words('`"sip:bob@example.com"`', "A text where a URI is wanted is one, checked when the file is loaded."),
    "domain": Words('`"example.com"`', "Compared without regard to case and to the dot at its end."),
    "address": Words('`"Bob <sip:bob@example.com>"`', "A display name, a URI and a tag."),
    "ip address": Words('`"192.0.2.1"`', "A text that is compared by value and not by spelling."),
    "pattern": Words(r"`/^00(\d+)$/`, `/scanner/i`", "A regular expression of Python; `matches` asks it."),
    "country": Words('`"GB"`', "Two letters of ISO 3166."),
    "order": Words('`"at once"`, `"one by one"`, `"by q"`', "How several targets are rung."),
    "replacement": Words('`"+44$1"`', "A text in which `$1` is what the first group of a pattern matched."),
    "status code": Words("`404`", "A number from 100 to 699."),
    "final status code": Words("`404`", "A number from 200 to 699."),
    "list": Words("`[486, 600..699]`", "Values of one type; `for` goes through them, `in` asks it."),
    "table": Words("`domains`, `banned`, `lists.trunks`", "`in` asks it; it stands in the configuration."),
    "destination": Words('`"sip:bob@192.0.2.1"`', "Where a request can be sent: what `lookup` finds."),
    "outcome": Words("`outcome`", "How the last `ring` ended."),
    "attempt": Words("", "One target that was tried: an element of `outcome.attempts`."),
    "request": Words("`request`", "The request that is being routed."),
    "branch": Words("`branch`", "The request of one branch, in a `branch` function."),
    "reply": Words("`reply`", "A response on its way back, in a `reply` function and in `on reply`."),
    "source": Words("`source`", "Where the request really came from."),
    "headers": Words("`request.header`", 'By name: `request.header["X-A"]`; `"X-A" in request.header` asks for one.'),
    "headers of an answer": Words("`outcome.header`", "The same, to read only."),
    "header": Words('`request.header["X-*"]`', "A header, where a function takes it and not its text."),
    "header name": Words('`"Subject"`, `"X-*"`', "The name of a header as a text; `*` stands for anything."),
    "uri parameters": Words(
        "`request.uri.parameter`", 'By name: `request.uri.parameter["transport"]`; `"lr" in ...` asks for one.'
    ),
    "session description": Words("`request.sdp`", "What an SDP body says; empty where there is none (RFC 8866)."),
    "medium": Words("", "One `m=` line with all that belongs to it: an element of `request.sdp.media`."),
    "codec": Words('`"PCMU"`', "The name of a codec, compared without regard to case."),
    "direction": Words('`"sendrecv"`, `"sendonly"`, `"recvonly"`, `"inactive"`', "Which way media may go."),
    "media address": Words(
        '`"192.0.2.1"`', "An address in a session description; `in` asks whether a network holds it."
    ),
    "entry of a shared table": Words(
        "`shared.failures[source.ip]`", "An entry by its key, where a function takes the entry and not its value."
    ),
    "branch function": Words("`edit: outbound`", "The name of a `branch` block."),
    "reply function": Words("`replies: tidy`", "The name of a `reply` block."),
    "any value": Words("", "Anything that can be written into a log line."),
}
"""By name; `list` and `table` stand for those of any element."""
