"""`authenticate`: who is let through, who is asked, and what nobody can learn from it (rows D09-D23, E14)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from modules.auth.settings import AuthSettings
from sipcore.digest import MD5, expected_response, ha1, parse_credentials
from sipcore.facts import Challenged, Rejected
from tests.gates import ALL, Answer, Gate, account, challenges, nonce_of
from tests.platforms import register


@pytest.fixture
def gate() -> Gate:
    return Gate()


# -- the usual way ----


@pytest.mark.conformance("RFC 3261 10.3", "RFC 3261 22.1", "RFC 3261 22.2", "RFC 7616 3.3")
def test_a_register_is_asked_and_then_let_through(gate: Gate) -> None:
    asked = gate.send()
    assert asked.status == 401
    assert challenges(asked) == [f'Digest realm="example.com", nonce="{nonce_of(asked)}", qop="auth", algorithm=MD5']
    assert "proxy-authenticate" not in asked.response.names
    assert gate.answer().status == 200
    assert gate.bench.contexts[-1].user == "alice@example.com"
    assert gate.auth.statistics().accepted == 1 and gate.auth.statistics().challenged == 2


@pytest.mark.conformance("RFC 3261 22.3")
def test_other_requests_are_asked_as_a_proxy_does(gate: Gate) -> None:
    invite: dict[str, Any] = {"method": "INVITE", "uri": "sip:bob@example.com"}
    gate.as_to = False
    asked = gate.send(**invite)
    assert asked.status == 407 and "www-authenticate" not in asked.response.names
    answer = Answer(uri="sip:bob@example.com", method="INVITE")
    assert gate.answer(answer, "Proxy-Authorization", **invite).status == 200


@pytest.mark.row("D25")
@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY", "INFO", "BYE", "UPDATE"])
def test_every_method_is_asked(gate: Gate, method: str) -> None:
    assert gate.send(method=method, uri="sip:bob@example.com").status == 407


@pytest.mark.conformance("RFC 3261 22.2", "RFC 3261 22.3")
def test_a_request_to_the_server_itself_is_asked_as_a_server_does(gate: Gate) -> None:
    assert gate.send(method="OPTIONS", uri="sip:example.com").status == 401
    assert gate.send(method="OPTIONS", uri="sip:10.0.0.1:5060").status == 401
    assert gate.send(method="OPTIONS", uri="sip:example.org").status == 407


@pytest.mark.row("D22")
@pytest.mark.conformance("RFC 3261 22.1")
@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_ack_and_cancel_are_never_asked(gate: Gate, method: str) -> None:
    assert gate.send(method=method).status == 200


@pytest.mark.row("D18")
@pytest.mark.conformance("RFC 7616 3.4.2", "RFC 8760 2.1")
@pytest.mark.parametrize("name", [name for algorithm in ALL for name in (algorithm, algorithm + "-sess")])
def test_every_algorithm_works(name: str) -> None:
    gate = Gate(algorithms=ALL)
    assert gate.answer(Answer(algorithm=name)).status == 200


@pytest.mark.conformance("RFC 8760 2.3")
def test_one_challenge_for_each_algorithm_the_strongest_first() -> None:
    asked = Gate(algorithms=ALL).send()
    assert [value.rpartition("=")[2] for value in challenges(asked)] == ["SHA-512-256", "SHA-256", "MD5"]
    assert len({value.split('nonce="')[1][:32] for value in challenges(asked)}) == 1


def test_the_realm_is_the_domain_also_when_it_was_reached_by_address(gate: Gate) -> None:
    options = {"domain": "10.0.0.1"}
    assert 'realm="example.com"' in challenges(gate.send(**options))[0]
    assert gate.answer(Answer(uri="sip:10.0.0.1"), **options).status == 200


def test_users_of_another_served_domain_have_their_own_realm() -> None:
    gate = Gate(account(), account(domain="example.net"))
    answer = Answer(realm="example.net", uri="sip:example.net")
    assert gate.answer(answer, domain="example.net").status == 200
    assert gate.answer(Answer(uri="sip:example.net", nonce=gate.nonce()), domain="example.net").status == 401


def test_the_whole_address_as_user_name(gate: Gate) -> None:
    assert gate.answer(Answer(user="alice@example.com")).status == 200
    assert gate.answer(Answer(user="alice@example.net")).status == 403


def test_the_whole_address_goes_with_md5_only() -> None:
    gate = Gate(algorithms=ALL)
    for user in ("alice", "nobody"):  # says nothing about who exists
        asked = gate.answer(Answer(user=f"{user}@example.com", algorithm="SHA-256"), user=user)
        assert asked.status == 401 and [value.rpartition("=")[2] for value in challenges(asked)] == ["MD5"]
    assert gate.answer(Answer(user="alice@example.com")).status == 200


def test_escapes_in_the_address_do_not_matter(gate: Gate) -> None:
    assert gate.answer(user="%61lice").status == 200


# -- what is forwarded ----


@pytest.mark.conformance("RFC 3261 22.3")
def test_our_credentials_are_taken_off_and_others_stay(gate: Gate) -> None:
    other = Answer(realm="example.org", nonce="abc")
    ours = Answer(nonce=gate.nonce())
    stale = Answer(nonce="0" * 32)
    headers = [f"Authorization: {value}" for value in (other, stale, ours)]
    assert gate.send(*headers, "Authorization: Bearer abc", "X-Last: 1").status == 200
    assert gate.request.all("authorization") == [str(other).encode(), b"Bearer abc"]
    assert gate.request.get("x-last") == b"1"
    assert len(gate.request.names) == len(gate.request.lines)


# -- who is not let through ----


@pytest.mark.row("D10")
def test_wrong_password_and_unknown_user_are_told_apart_by_the_operator_only(gate: Gate) -> None:
    wrong = gate.answer(Answer(password="guess"))
    assert gate.why == "wrong password (nonce fresh)"
    unknown = gate.answer(Answer(user="nobody", password="guess"), user="nobody")
    assert gate.why == "unknown user (nonce fresh)"
    texts = []
    for answer, user in ((wrong, b"alice"), (unknown, b"nobody")):
        response = answer.response
        response.set("to", b"<sip:x>")
        text = response.write().replace(user, b"user").replace(nonce_of(answer).encode(), b"nonce")
        texts.append(text)
    assert texts[0] == texts[1] and wrong.status == 401
    assert "stale" not in challenges(wrong)[0]


@pytest.mark.row("D10")
def test_unknown_user_and_wrong_password_cost_the_same_work(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[bytes] = []
    real = hashlib.md5
    monkeypatch.setattr(hashlib, "md5", lambda data, **options: counted.append(data) or real(data, **options))
    work = []
    for user in ("alice", "nobody"):
        for attempt in range(3):
            value = Answer(user=user, password="guess", nonce=gate.nonce(user=user))
            header = f"Authorization: {value}"
            counted.clear()
            gate.store.fetched.clear()
            gate.send(header, user=user)
            work.append((user, attempt, len(counted), len(gate.store.fetched)))
    assert [entry[1:] for entry in work[:3]] == [entry[1:] for entry in work[3:]]


@pytest.mark.row("D09", "D28")
@pytest.mark.conformance("RFC 3261 10.3")
def test_the_digest_user_must_be_the_user_of_the_address(gate: Gate) -> None:
    gate.store.accounts["bob", "example.com"] = account("bob")
    assert gate.answer(Answer(user="bob")).status == 403
    assert gate.why == "authenticated as 'bob'"
    assert gate.answer(Answer(user="Alice")).status == 403


@pytest.mark.parametrize(
    "to", ["<sip:alice@example.org>", "<sip:example.com>", "<tel:+4420>", "<sip:a@anonymous.invalid>"]
)
def test_nobody_of_ours_is_refused(gate: Gate, to: str) -> None:
    request = register()
    request.set("to", to.encode())
    assert gate.bench.run(gate.route, request).status == 403
    assert gate.why == "not a user of a served domain"


@pytest.mark.row("D17")
@pytest.mark.conformance("RFC 7616 3.4.6")
@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("sip:example.com", 200),
        ("SIP:EXAMPLE.com", 200),
        ("sip:example.com;transport=udp", 200),
        ("sip:10.0.0.1:5060", 200),  # SIPp puts the next hop there
        ("sip:example.net", 200),
        ("sip:bob@example.com", 400),
        ("sip:example.org", 400),
        ("tel:+4420", 400),
        ("", 400),
        ("/dir/index.html", 400),
    ],
)
def test_the_digest_uri_must_name_what_the_request_is_for(gate: Gate, uri: str, status: int) -> None:
    assert gate.answer(Answer(uri=uri)).status == status


@pytest.mark.row("D17")
@pytest.mark.parametrize(
    ("uri", "status"),
    [("sip:bob@example.com;transport=tcp", 200), ("sip:b%6fb@10.0.0.1", 200), ("sip:carol@example.com", 400)],
)
def test_the_digest_uri_of_a_call(gate: Gate, uri: str, status: int) -> None:
    answer = Answer(uri=uri, method="INVITE")
    options = {"method": "INVITE", "uri": "sip:bob@example.com"}
    assert gate.answer(answer, "Proxy-Authorization", **options).status == status


def test_credentials_of_another_method_are_wrong(gate: Gate) -> None:
    assert gate.answer(Answer(method="INVITE")).status == 401


@pytest.mark.row("D16")
def test_an_algorithm_that_was_not_offered_is_asked_again(gate: Gate) -> None:
    assert gate.answer(Answer(algorithm="SHA-256")).status == 401
    strict = Gate(algorithms=("SHA-256",))
    assert strict.answer(Answer(algorithm="MD5")).status == 401
    assert strict.answer(Answer(algorithm="SHA-256")).status == 200


@pytest.mark.row("D16")
@pytest.mark.parametrize("change", [("qop=auth", "qop=auth-int"), ("algorithm=MD5", "algorithm=MD4")])
def test_what_we_do_not_know_is_asked_again(gate: Gate, change: tuple[str, str]) -> None:
    value = str(Answer(nonce=gate.nonce())).replace(*change)
    assert gate.send("Authorization: " + value).status == 401
    assert gate.why == "algorithm or qop was not offered"


@pytest.mark.row("D16")
@pytest.mark.conformance("RFC 8760 2.6")
def test_qop_may_not_be_left_out(gate: Gate) -> None:
    nonce = gate.nonce()
    value = f'Digest username="alice", realm="example.com", nonce="{nonce}", uri="sip:example.com", response="%s"'
    credentials = parse_credentials((value % "0").encode())
    assert credentials is not None
    right = expected_response(credentials, MD5, ha1(MD5, "alice", "example.com", "secret"), "REGISTER")
    assert gate.send("Authorization: " + value % right).status == 401


@pytest.mark.row("D15", "D20")
@pytest.mark.parametrize(
    "value",
    [
        "Digest",
        "Digest ,,,=",
        'Digest username="alice',
        str(Answer(nonce="x")).replace("nc=00000001", "nc=00000000"),
        str(Answer(nonce="x")).replace("nc=00000001", "nc=1"),
        str(Answer(nonce="x")).replace(', cnonce="c"', ""),
        str(Answer(nonce="x")).replace('uri="sip:example.com", ', ""),
    ],
)
def test_broken_credentials_are_a_bad_request(gate: Gate, value: str) -> None:
    assert gate.send("Authorization: " + value).status == 400


@pytest.mark.row("D20")
def test_only_so_many_credentials_are_looked_at(gate: Gate) -> None:
    other = Answer(realm="example.org", nonce="x")
    assert gate.send(*[f"Authorization: {other}"] * 8).status == 401
    assert gate.send(*[f"Authorization: {other}"] * 64).status == 400


@pytest.mark.row("D21")
@pytest.mark.conformance("RFC 8760 2.6", "RFC 4475 3.3.7")
@pytest.mark.parametrize("value", ["Basic YWxpY2U6c2VjcmV0", "Bearer x", "NoOneKnowsThisScheme opaque-data=here"])
def test_other_schemes_get_a_new_challenge(gate: Gate, value: str) -> None:
    asked = gate.send("Authorization: " + value)
    assert asked.status == 401 and challenges(asked)[0].startswith("Digest ")


def test_empty_credentials_are_no_credentials(gate: Gate) -> None:
    value = 'Digest username="alice", realm="example.com", nonce="", uri="sip:example.com", response=""'
    assert gate.send("Authorization: " + value).status == 401
    assert gate.bench.facts_of(Rejected) == []


def test_credentials_in_the_other_header_do_not_count(gate: Gate) -> None:
    assert gate.answer(header="Proxy-Authorization").status == 401


@pytest.mark.row("D19")
@pytest.mark.parametrize("user", ["' OR 1=1--", 'a\\"b', "x" * 5000, "al\udcffice", "\u202e", "%00", "alice\\"])
def test_strange_digest_user_names_are_not_this_user(gate: Gate, user: str) -> None:
    value = str(Answer(nonce=gate.nonce())).replace("alice", user)
    assert gate.send("Authorization: " + value).status in (400, 403)
    assert gate.store.fetched == []


@pytest.mark.row("D19")
@pytest.mark.parametrize(
    ("escaped", "user"), [("%27%20OR%201=1--", "' OR 1=1--"), ("%00", "\0"), ("%ff", "\udcff"), ("%22", '\\"')]
)
def test_strange_users_are_unknown(gate: Gate, escaped: str, user: str) -> None:
    value = str(Answer(nonce=gate.nonce())).replace("alice", user.replace("\0", "\\\0"))
    assert gate.send("Authorization: " + value, user=escaped).status == 401
    assert gate.why == "unknown user (nonce fresh)"
    assert gate.store.fetched == [(user.replace("\\", ""), "example.com")]


@pytest.mark.row("D19")
def test_very_long_names_never_reach_the_database(gate: Gate) -> None:
    gate.answer(Answer(user="x" * 100), user="x" * 100)
    assert gate.store.fetched == [] and gate.auth.statistics().remembered == 0


# -- what is reported and answered ----


def test_the_first_challenge_is_no_refusal(gate: Gate) -> None:
    gate.send()
    (fact,) = gate.bench.facts
    assert isinstance(fact, Challenged) and fact.user == "alice@example.com" and fact.method == "REGISTER"


def test_refusals_name_user_target_and_status(gate: Gate) -> None:
    gate.answer(Answer(password="guess"))
    (fact,) = gate.bench.facts_of(Rejected)
    assert (fact.method, fact.user, fact.target, fact.status) == (
        "REGISTER",
        "alice@example.com",
        "sip:example.com",
        401,
    )
    gate.bench.platform.observe_refusals = None
    gate.answer(Answer(password="guess"))
    assert len(gate.bench.facts_of(Rejected)) == 1 and gate.auth.statistics().rejected == 2


@pytest.mark.row("E14")
def test_a_challenge_is_not_much_larger_than_the_request() -> None:
    gate = Gate(algorithms=ALL)
    asked = gate.send()
    assert len(asked.response.write()) <= 3 * len(asked.request.write())
    assert len(asked.responses) == 1


@pytest.mark.parametrize("names", [(), ("SHA-1",)])
def test_settings_that_make_no_sense(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="algorithm"):
        AuthSettings(algorithms=names)
