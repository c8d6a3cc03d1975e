"""A route file of a server with numbers, trunks and a voicemail: everything it says is right, with the real modules."""

from __future__ import annotations

import pytest

from routing.language.problem import Severity
from routing.program.server import MODULES
from routing.runtime import Domains
from routing.runtime.loader import examine_routes

TABLES = {"domains": Domains(("example.com",)), "lists.denied_prefixes": frozenset({"0900"})}
FILE = r"""# A registrar and proxy for the domains this server owns.

on request {
    if source.ip in banned                     { drop() }
    limit(100/s, per: source.ip) else          { ban(source.ip, 10m)  drop() }

    if request.method == "REGISTER" {
        authenticate(as: to)
        save()
    }

    if from.domain in domains                  { authenticate(as: from) }
    else if request.uri.domain not in domains  { reply(403, "Not relaying") }

    if request.uri.domain not in domains       { relay() }
    if request.uri.user matches /^\+?[0-9]/    { call pstn() }
    call user()
}

route user() {
    ring(lookup(request.uri), for: 20s)
    if outcome.code in [486, 600]              { relay("sip:busy@voicemail.example.com") }
    if outcome.code in [408, 480]              { relay("sip:away@voicemail.example.com") }
    reply(outcome)
}

route pstn() {
    let number = e164(request.uri.user, country: "GB")
    match number {
        /^\+44(112|999)$/         => relay("sip:emergency@192.0.2.1")
        /^\+(44)?9\d+/            => reply(403, "Premium numbers are barred")
        in lists.denied_prefixes  => reply(403)
    }
    request.uri.user = number
    for host in ["192.0.2.1", "192.0.2.2"] {
        request.uri.domain = host
        ring(request.uri, for: 40s, progress: 6s, edit: outbound)
        if outcome.code in [486, 404, 600..699] { reply(outcome) }
    }
    reply(503, retry_after: 30s)
}

branch outbound(branch) {
    remove(branch.header["X-*"])
    branch.identity = asserted("+442079460000")
}
"""


def test_everything_in_it_is_right() -> None:
    problems, _ = examine_routes(FILE, MODULES, TABLES)
    assert problems == []


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("as: to)", "as: too)", "nothing here is called `too`"),
        ('country: "GB"', 'country: "ZZ"', 'there is no country "ZZ" here'),
        ("call user()", "call users()", "there is no route `users`"),
        ("[486, 404, 600..699]", '["486"]', "expected a status code, this is text"),
        ("lists.denied_prefixes", "lists.denied", "there is no table `lists.denied`"),
    ],
)
def test_one_mistake_in_it_is_one_problem(right: str, wrong: str, message: str) -> None:
    problems, _ = examine_routes(FILE.replace(right, wrong, 1), MODULES, TABLES)
    assert message in [problem.message for problem in problems if problem.severity is Severity.ERROR]
    line = FILE[: FILE.index(right)].count("\n") + 1
    assert {problem.line for problem in problems if problem.severity is Severity.ERROR} == {line}
