"""What routes can read and set, as one table: name, type, how it is read, how it is set, one line for the reference.

Reading is compiled into the route as attribute access, so a property costs what the same line of Python would. In the
expressions `it` is the owner, `value` what is stored, `key` a name in brackets; the functions they use stand in
`NAMES`. Sets go through functions that can't be talked into writing a second header line.
"""

from __future__ import annotations

from collections.abc import Iterable

from routing.language.calculations import counted, joined
from routing.language.environment import Keyed, Property
from routing.language.networks import same_address
from routing.language.types import (
    ADDRESS,
    ANSWER_HEADERS,
    ATTEMPT,
    BRANCH,
    CODE,
    DOMAIN,
    DURATION,
    HEADERS,
    IP_ADDRESS,
    MEDIUM,
    MOMENT,
    NUMBER,
    OUTCOME,
    PARAMETERS,
    REPLY,
    REQUEST,
    SDP,
    SOURCE,
    TEXT,
    TRUTH,
    URI,
    Type,
    list_of,
)
from routing.runtime.editing import (
    editable,
    header_text,
    identity,
    max_forwards,
    parameter_name,
    set_address,
    set_header,
    set_identity,
    set_reason,
    set_status,
    with_display,
    with_domain,
    with_parameter,
    with_port,
    with_uri,
    with_user,
)
from routing.runtime.outcome import best_of, contacts, response_of
from routing.runtime.session import MEDIUM_PROPERTIES, SDP_PROPERTY, SESSION_PROPERTIES, session
from routing.runtime.shared import SharedEntry
from routing.runtime.steps import steps
from routing.runtime.values import Destination, HeaderField
from sipcore.message.names import PRETTY, key_of
from sipcore.uri import equivalent, parse_uri, unescape

DESTINATION = Type(
    "destination",
    parse=lambda text: Destination(parse_uri(text)),
    converts=(("uri", Destination), ("text", lambda text: Destination(parse_uri(text)))),
)


def _table(*rows: Property) -> dict[str, Property]:
    return {row.name: row for row in rows}


ROOTS = _table(
    Property("request", REQUEST, "context.request", "The request that is being routed.", edit="editable(context)"),
    Property(
        "from",
        ADDRESS,
        "context.request.from_",
        "Who the request says it is from.",
        write="set_address(editable(context), 'from', value)",
    ),
    Property(
        "to",
        ADDRESS,
        "context.request.to",
        "Who the request was first meant for.",
        write="set_address(editable(context), 'to', value)",
    ),
    Property("source", SOURCE, "context.flow", "Where the request really came from."),
    Property("outcome", OUTCOME, "context.outcome", "How the last `ring` ended."),
    Property("now", MOMENT, "context.platform.wall_clock()", "The time; `in` asks whether a time window holds it."),
    Property("user", TEXT, "context.user", "The authenticated address of record; empty before `authenticate`."),
)
"""The first words of paths."""

_TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")
_HEADER_NAMES = tuple(sorted(name.decode() for name in PRETTY.values()))
_URI_OF_REQUEST = Property("uri", URI, "it.uri", "The Request-URI.", write="it.uri = value")
_HEADER = Property("header", HEADERS, "it", "The headers by name; reading gives the first line's text, or empty text.")
_IDENTITY = Property(
    "identity", ADDRESS, "identity(it)", "P-Asserted-Identity; anonymous without one.", write="set_identity(it, value)"
)
_METHODS = (
    "INVITE",
    "REGISTER",
    "OPTIONS",
    "MESSAGE",
    "SUBSCRIBE",
    "PUBLISH",
    "NOTIFY",
    "REFER",
    "INFO",
    "UPDATE",
    "BYE",
)
_METHOD = Property("method", TEXT, "it.method", "The method, in upper case.", choices=_METHODS)
# A name is compared without its trailing dot by whoever compares; it stays here as it was written.
_DOMAIN = Property("domain", DOMAIN, "it.host", "The host part, in lower case.", replace="with_domain(it, value)")

ATTRIBUTES: dict[str, dict[str, Property]] = {
    REQUEST.name: _table(
        _METHOD,
        _URI_OF_REQUEST,
        _HEADER,
        _IDENTITY,
        Property("user_agent", TEXT, "header_text(it, 'user-agent')", "The text of User-Agent, or empty text."),
        Property("call_id", TEXT, "header_text(it, 'call-id')", "The Call-ID."),
        Property("max_forwards", NUMBER, "max_forwards(it)", "How many hops are left; 70 when it does not say."),
        Property("body", TEXT, "it.body.decode('utf-8', 'surrogateescape')", "The body as text."),
        SDP_PROPERTY,
    ),
    BRANCH.name: _table(
        _METHOD,
        _URI_OF_REQUEST,
        _HEADER,
        _IDENTITY,
        Property("from", ADDRESS, "it.from_", "Who it is from.", write="set_address(it, 'from', value)"),
        Property("to", ADDRESS, "it.to", "Who it is meant for.", write="set_address(it, 'to', value)"),
        SDP_PROPERTY,
    ),
    REPLY.name: _table(
        Property("code", CODE, "it.status", "The status code.", write="set_status(it, value)"),
        Property("reason", TEXT, "it.reason", "The reason phrase.", write="set_reason(it, value)"),
        Property("method", TEXT, "it.cseq.method", "The method of the request that it answers.", choices=_METHODS),
        _HEADER,
        SDP_PROPERTY,
    ),
    URI.name: _table(
        Property("user", TEXT, "unescape(it.user)", "The user part, escapes undone.", replace="with_user(it, value)"),
        _DOMAIN,
        Property("host", DOMAIN, "it.host", "The same as `domain`.", replace="with_domain(it, value)"),
        Property("port", NUMBER, "it.port", "The port; 0 when there is none.", replace="with_port(it, value)"),
        Property("scheme", TEXT, "it.scheme", "`sip`, `sips`, `tel`, ... in lower case."),
        Property("text", TEXT, "it.text", "The whole URI."),
        Property("parameter", PARAMETERS, "it", "The parameters by name.", replace="value"),
    ),
    ADDRESS.name: _table(
        Property("uri", URI, "it.uri", "The URI.", replace="with_uri(it, value)"),
        Property(
            "user",
            TEXT,
            "unescape(it.uri.user)",
            "The user part of the URI, escapes undone.",
            replace="with_uri(it, with_user(it.uri, value))",
        ),
        Property(
            "domain",
            DOMAIN,
            "it.uri.host",
            "The host part of the URI, in lower case.",
            replace="with_uri(it, with_domain(it.uri, value))",
        ),
        Property("display", TEXT, "it.display", "The display name, or empty text.", replace="with_display(it, value)"),
        Property("tag", TEXT, "it.tag", "The tag, or empty text."),
    ),
    SDP.name: _table(*SESSION_PROPERTIES),
    MEDIUM.name: _table(*MEDIUM_PROPERTIES),
    SOURCE.name: _table(
        Property("ip", IP_ADDRESS, "it.remote[0]", "The IP address the request came from."),
        Property("port", NUMBER, "it.remote[1]", "The port it came from."),
        Property("transport", TEXT, "it.transport", "`udp`, `tcp`, `tls`, `ws` or `wss`.", choices=_TRANSPORTS),
    ),
    OUTCOME.name: _table(
        Property("code", CODE, "it.code", "The status code of the best answer; 0 before anything was tried."),
        Property("reason", TEXT, "it.reason", "Its reason phrase."),
        Property("header", ANSWER_HEADERS, "response_of(it)", "Its headers by name; empty text when no answer came."),
        Property("contacts", list_of(DESTINATION), "contacts(response_of(it))", "Where a redirection leads, by q."),
        Property("attempts", list_of(ATTEMPT), "it.attempts", "All that was tried for the request, in order."),
        Property("best", OUTCOME, "best_of(it)", "The best outcome of all that the request has had."),
    ),
    ATTEMPT.name: _table(
        Property("target", TEXT, "it.target", "The Request-URI that was sent."),
        Property("code", CODE, "it.status", "The status code it ended with; 408 when nothing came."),
        Property("reason", TEXT, "it.reason", "The reason phrase."),
        Property("time", DURATION, "it.seconds", "How long it took."),
    ),
    DESTINATION.name: _table(
        Property("uri", URI, "it.uri", "Where it leads to."),
        Property("q", NUMBER, "it.q", "Its rank from 0 to 1; higher ones come first."),
    ),
    TEXT.name: _table(
        Property("length", NUMBER, "len(it)", "How many characters it has."),
        Property("lower", TEXT, "it.lower()", "The text in lower case."),
        Property("upper", TEXT, "it.upper()", "The text in upper case."),
    ),
    "list": _table(
        Property("empty", TRUTH, "not it", "Whether nothing is in it."),
        Property("count", NUMBER, "len(it)", "How many are in it."),
    ),
}
"""What stands behind a dot, by the type before it."""

SERVERS_OWN = frozenset({"via", "from", "to", "call-id", "cseq", "content-length", "max-forwards", "record-route"})
"""Headers that the server keeps right by itself."""

KEYED = {
    HEADERS.name: Keyed(
        "header",
        TEXT,
        read="header_text(it, key)",
        contains="key in it.names",
        key=lambda name: key_of(name.encode()),
        write="set_header(it, key, value)",
        locked=SERVERS_OWN,
        reference="header_field(it, key)",
        choices=_HEADER_NAMES,
    ),
    ANSWER_HEADERS.name: Keyed(
        "header",
        TEXT,
        read="header_text(it, key)",
        contains="key in it.names",
        key=lambda name: key_of(name.encode()),
        choices=_HEADER_NAMES,
    ),
    PARAMETERS.name: Keyed(
        "parameter",
        TEXT,
        read="it.parameter(key) or ''",
        contains="it.parameter(key) is not None",
        key=parameter_name,
        replace="with_parameter(it, key, value)",
        choices=("transport", "user", "lr", "maddr", "ttl", "method", "ob"),
    ),
}
"""What is asked by a name in brackets, by the type before them."""

NAMES = {
    "best_of": best_of,
    "contacts": contacts,
    "counted": counted,
    "editable": editable,
    "equivalent": equivalent,
    "header_field": HeaderField,
    "header_text": header_text,
    "identity": identity,
    "joined": joined,
    "len": len,
    "list": list,
    "max_forwards": max_forwards,
    "same_address": same_address,
    "response_of": response_of,
    "session": session,
    "set_address": set_address,
    "set_header": set_header,
    "set_identity": set_identity,
    "set_reason": set_reason,
    "set_status": set_status,
    "shared_entry": SharedEntry,
    "steps": steps,
    "str": str,
    "unescape": unescape,
    "with_display": with_display,
    "with_domain": with_domain,
    "with_parameter": with_parameter,
    "with_port": with_port,
    "with_uri": with_uri,
    "with_user": with_user,
}
"""The functions that the expressions above and those of the compiler use."""


def described() -> Iterable[tuple[str, Property]]:
    """Every property with a path that leads to it, for the reference; those of a text are the same everywhere."""
    for root in ROOTS.values():
        yield root.name, root
        if root.type == TEXT:
            continue
        for attribute in ATTRIBUTES.get(root.type.name, {}).values():
            yield f"{root.name}.{attribute.name}", attribute
