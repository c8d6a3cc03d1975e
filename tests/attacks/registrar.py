"""Rows D01 to D23: registrations, challenges, and requests inside calls that nobody knows."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

from sipp_runner.accounts import Account

from tests import raw
from tests.attacks.field import DOMAIN, PASSWORD, Field, Place, answered, renewed, request
from tests.attacks.table import row
from tests.attacks.transactions import a_way, same_transaction, until_final
from tests.servers.phone import md5

HOME = f"sip:{DOMAIN}"


def register(user: str, *more: bytes, contacts: tuple[bytes, ...] = (), call_id: bytes = b"", cseq: int = 0) -> bytes:
    """A REGISTER for a user."""
    changed = {"to": f"<sip:{user}@{DOMAIN}>".encode()}
    if call_id:
        changed |= {"call-id": call_id, "cseq": b"%d REGISTER" % cseq}
    lines = [b"Contact: " + contact for contact in contacts]
    return request("REGISTER", HOME, *lines, *more, without=(b"contact",), **changed)


def bound(place: Place, user: str) -> list[bytes]:
    """The Contact URIs that are bound to a user."""
    (answered,) = place.expect(register(user), 200).answers
    return [re.sub(rb"^<([^>]*)>.*", rb"\1", value) for value in answered.all(b"contact")]


def proved(challenged: raw.Raw, data: bytes, user: str, uri: str) -> bytes:
    """The same request with the answer to a challenge, as a client writes it (RFC 2617, MD5, qop=auth)."""
    proxy = challenged.status == 407
    value = challenged.first(b"proxy-authenticate" if proxy else b"www-authenticate").decode()
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', value))
    method = data.split(b" ", 1)[0].decode()
    response = md5(
        md5(user, given["realm"], PASSWORD), given["nonce"], "00000001", "client", "auth", md5(method, uri)
    )  # fmt: skip
    line = (
        f'{"Proxy-" * proxy}Authorization: Digest username="{user}", realm="{given["realm"]}", '
        f'nonce="{given["nonce"]}", uri="{uri}", qop=auth, nc=00000001, cnonce="client", '
        f'response="{response}", algorithm=MD5\r\n'
    ).encode()
    return renewed(data).replace(b"Content-Length:", line + b"Content-Length:", 1)


@row("D01")
def a_question(field: Field) -> None:
    field.open.expect(register("d01", contacts=(b"<sip:a@127.0.0.8>", b"<sip:b@127.0.0.8>;q=0.2")), 200)
    assert sorted(bound(field.open, "d01")) == [b"sip:a@127.0.0.8", b"sip:b@127.0.0.8"]
    assert bound(field.open, "d01-nobody") == []


@row("D02")
def a_star_with_others(field: Field) -> None:
    field.open.expect(register("d02", contacts=(b"<sip:a@127.0.0.8>",)), 200)
    for data in (
        register("d02", b"Expires: 0", contacts=(b"*", b"<sip:b@127.0.0.8>")),
        register("d02", b"Expires: 60", contacts=(b"*",)), register("d02", contacts=(b"*",)),
        register("d02", b"Expires: 0", contacts=(b"*, <sip:b@127.0.0.8>",)),
        register("d02", b"Expires: 0", contacts=(b"*", b"*")),
        register("d02", b"Expires: 0", contacts=(b"*;expires=0",)),
    ):  # fmt: skip
        field.open.expect(data, 400)
        assert bound(field.open, "d02") == [b"sip:a@127.0.0.8"]


@row("D03")
def a_star(field: Field) -> None:
    field.open.expect(register("d03", contacts=(b"<sip:a@127.0.0.8>",), call_id=b"d03", cseq=7), 200)
    # The order of one client's requests counts for the star too; whoever comes with another Call-ID is another client.
    field.open.expect(register("d03", b"Expires: 0", contacts=(b"*",), call_id=b"d03", cseq=6), 500)
    assert bound(field.open, "d03") == [b"sip:a@127.0.0.8"]
    field.open.expect(register("d03", b"Expires: 0", contacts=(b"*",), call_id=b"d03", cseq=8), 200)
    assert bound(field.open, "d03") == []


@row("D04")
def out_of_order(field: Field) -> None:
    field.open.expect(register("d04", contacts=(b"<sip:a@127.0.0.8>;q=0.5",), call_id=b"d04", cseq=10), 200)
    for cseq in (10, 9, 1):
        both = (b"<sip:new@127.0.0.8>", b"<sip:a@127.0.0.8>;q=0.1")
        field.open.expect(register("d04", contacts=both, call_id=b"d04", cseq=cseq), 500)
        assert bound(field.open, "d04") == [b"sip:a@127.0.0.8"]
    assert b"q=0.5" in field.open.expect(register("d04"), 200).answers[0].first(b"contact")


@row("D05")
def too_brief(field: Field) -> None:
    for data in (
        register("d05", b"Expires: 1", contacts=(b"<sip:a@127.0.0.8>",)),
        register("d05", contacts=(b"<sip:a@127.0.0.8>;expires=59", b"<sip:b@127.0.0.8>")),
    ):
        (refused,) = field.open.expect(data, 423).answers
        assert refused.first(b"min-expires") == b"60"
    assert bound(field.open, "d05") == []


@row("D06")
def too_many_contacts(field: Field) -> None:
    twelve = tuple(b"<sip:%d@127.0.0.8>" % number for number in range(12))
    field.open.expect(register("d06", contacts=twelve), 200)
    field.open.expect(register("d06", contacts=(b"<sip:one-more@127.0.0.8>",)), 403)
    assert len(bound(field.open, "d06")) == 12
    field.open.expect(register("d06-at-once", contacts=(*twelve, b"<sip:one-more@127.0.0.8>")), 403)
    assert bound(field.open, "d06-at-once") == []


@row("D07")
def contacts_that_lead_nowhere(field: Field) -> None:
    us = b"%b:%d" % (field.open.address[0].encode(), field.open.address[1])
    for contact in (
        b"<sip:d07@example.com>", b"<sip:x@" + us + b">", b"<sip:x@0.0.0.0>", b"<sip:x@255.255.255.255>",
        b"<sip:x@224.0.0.1>", b"<mailto:d07@example.com>", b"<sip:x@[::]>", b"<sip:x@[ff02::1]>",
        b"<sip:" + b"x" * 9_000 + b"@127.0.0.8>", b"<sip:x@::ffff:0.0.0.0>",
    ):  # fmt: skip
        seen = field.open.see(register("d07", contacts=(contact,)), "udp", answered)
        assert seen.statuses[0] in (400, 403, 513), (contact[:60], seen.statuses)
    assert bound(field.open, "d07") == []
    longest = b"sip:" + b"y" * 480 + b"@127.0.0.8"
    field.open.expect(register("d07", contacts=(b"<" + longest + b">",)), 200)
    with closing(sqlite3.connect(field.open.server.folder / "ringway.db")) as database:
        rows = database.execute("select contact from location where username = 'd07'").fetchall()
    assert rows == [(longest.decode(),)]


@row("D08")
def whom_we_do_not_serve(field: Field) -> None:
    for place in (field.open, field.default):
        data = request("REGISTER", "sip:example.net", to=b"<sip:alice@example.net>")
        seen = place.see(data, "udp", answered)
        assert seen.statuses[0] in (403, 404), seen.statuses
    data = register("nobody-here", contacts=(b"<sip:a@127.0.0.8>",))
    (challenged,) = field.default.expect(data, 401).answers
    # Whether there is such a user is not told to somebody who can't prove to be one.
    field.default.expect(proved(challenged, data, "nobody-here", HOME), 401)


@row("D09")
def somebody_else(field: Field) -> None:
    field.default.server.add_users([Account("bob", PASSWORD)])
    data = register("bob", contacts=(b"<sip:mallory@127.0.0.8>",))
    (challenged,) = field.default.expect(data, 401).answers
    field.default.expect(proved(challenged, data, "alice", HOME), 403)
    (challenged,) = field.default.expect(renewed(register("bob")), 401).answers
    (listed,) = field.default.expect(proved(challenged, register("bob"), "bob", HOME), 200).answers
    assert not listed.all(b"contact")


@row("D22")
def never_challenged(field: Field) -> None:
    alice = {"from": b"<sip:alice@example.com>;tag=22"}
    invite = request("INVITE", f"sip:alice@{DOMAIN}", **alice)
    for place in (field.default, field.open):
        place.silent(request("ACK", f"sip:alice@{DOMAIN}", **alice))
        place.expect(request("CANCEL", f"sip:alice@{DOMAIN}", **alice), 481)
    with a_way(field.default) as way:
        way.send(invite, field.default.address)
        assert until_final(way).raw.status == 407
        way.send(same_transaction(invite, b"ACK"), field.default.address)
        way.send(same_transaction(invite, b"CANCEL"), field.default.address)
        assert until_final(way).raw.status == 481  # the challenge was all that there was of it


@row("D23")
def inside_calls_nobody_knows(field: Field) -> None:
    made_up = b"<sip:alice@example.com>;tag=made-up"
    for method in ("INVITE", "BYE", "INFO", "UPDATE", "REFER", "NOTIFY", "PRACK"):
        for sender in (b"<sip:mallory@example.org>;tag=1", b"<sip:alice@example.com>;tag=1"):
            data = request(method, f"sip:alice@{DOMAIN}", to=made_up, **{"from": sender})
            seen = field.default.see(data, "udp", answered)
            # A NOTIFY may come without a dialog that we know: to a stranger it is a request like any other.
            wanted = (401, 407, 480, 481) if method == "NOTIFY" else (401, 407, 481)
            assert seen.statuses[0] in wanted and not seen.forwarded, (method, seen.statuses)
