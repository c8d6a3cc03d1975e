from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.tokens import BRANCH_COOKIE, Tokens

SECRET = b"a secret of sixteen bytes or more"
TOKEN_CHARACTERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")


def counted(start: int = 1) -> Callable[[int], bytes]:
    numbers = itertools.count(start)
    return lambda size: next(numbers).to_bytes(size, "big")


def tokens_of(owner: str = "n1w0", secret: bytes = SECRET, start: int = 1) -> Tokens:
    return Tokens(owner, secret, counted(start))


@pytest.fixture
def tokens() -> Tokens:
    return tokens_of()


def test_the_same_randomness_gives_the_same_tokens() -> None:
    first, second = tokens_of(), tokens_of()
    assert [first.token() for _ in range(3)] == [second.token() for _ in range(3)]
    assert tokens_of(start=2).token() != tokens_of(start=1).token()


def test_every_token_is_new_and_fit_for_a_tag_or_a_branch(tokens: Tokens) -> None:
    made = [make() for _ in range(500) for make in (tokens.token, tokens.branch, tokens.call_id)]
    assert len(set(made)) == len(made)
    assert set("".join(made)) <= TOKEN_CHARACTERS
    assert max(map(len, made)) < 64


def test_a_tag_is_the_same_each_time_and_passes_for_nothing_else(tokens: Tokens) -> None:
    tag = tokens.tag(b"call 1")
    assert tag == tokens.tag(b"call 1") == tokens_of(start=9).tag(b"call 1")
    assert tag != tokens.tag(b"call 2") and tag != tokens_of(secret=SECRET[::-1]).tag(b"call 1")
    assert tag != tokens.stamp(b"call 1") and not tokens.is_stamp(tag, b"call 1")
    assert tokens.unseal(tag) is None and tokens.owner_of(tag) is None


@pytest.mark.conformance("RFC 3261 8.1.1.7")
def test_a_branch_has_the_cookie(tokens: Tokens) -> None:
    assert tokens.branch().startswith(BRANCH_COOKIE + "n1w0-")


def test_every_token_names_its_owner(tokens: Tokens) -> None:
    other = tokens_of("n2w7")
    for make in (tokens.token, tokens.branch, tokens.call_id):
        assert other.owner_of(make()) == "n1w0"
    assert other.owner_of(tokens.branch() + ".a1b2c3") == "n1w0"


def test_a_token_of_another_secret_has_no_owner(tokens: Tokens) -> None:
    assert tokens_of(secret=b"another secret of the same owner").owner_of(tokens.token()) is None


@pytest.mark.parametrize(
    "forged",
    ["", "-", "--", "z9hG4bK", "z9hG4bK-23-1-0", "n1w0-1-000000000000", "n1w0", "n1w0-\udc80-\udcff", "é-é-é", "."],
)
def test_what_others_made_has_no_owner_and_no_text(tokens: Tokens, forged: str) -> None:
    assert tokens.owner_of(forged) is None
    assert tokens.unseal(forged) is None
    assert not tokens.is_stamp(forged, b"call")


@pytest.mark.row("C21")
def test_an_altered_token_has_no_owner(tokens: Tokens) -> None:
    token = tokens.token()
    for at, character in enumerate(token):
        altered = token[:at] + ("x" if character != "x" else "y") + token[at + 1 :]
        assert tokens.owner_of(altered) is None
    assert tokens.owner_of(token[:-1]) is None


@given(st.text(alphabet=sorted(TOKEN_CHARACTERS)))
def test_a_sealed_text_comes_back_at_any_worker(text: str) -> None:
    sealed = tokens_of().seal(text)
    assert sealed.startswith("n1w0-")
    assert tokens_of("n2w1").unseal(sealed) == text


@pytest.mark.row("C21")
def test_an_altered_seal_gives_nothing(tokens: Tokens) -> None:
    sealed = tokens.seal("flow7")
    for at, character in enumerate(sealed):
        assert tokens.unseal(sealed[:at] + ("x" if character != "x" else "y") + sealed[at + 1 :]) is None
    assert tokens_of(secret=b"another secret of the same owner").unseal(sealed) is None


@pytest.mark.row("C21")
def test_a_stamp_proves_one_subject_and_no_other(tokens: Tokens) -> None:
    stamp = tokens.stamp(b"call-1@host")
    assert stamp == tokens.stamp(b"call-1@host")
    other = tokens_of("n2w1")
    assert other.is_stamp(stamp, b"call-1@host")
    assert not other.is_stamp(stamp, b"call-2@host")
    assert not other.is_stamp(stamp.replace("n1w0", "n2w1"), b"call-1@host")
    assert not tokens_of(secret=b"another secret of the same owner").is_stamp(stamp, b"call-1@host")


def test_a_token_for_one_use_does_not_pass_for_another(tokens: Tokens) -> None:
    """A peer chooses the Call-ID that is stamped and is handed tokens: neither may help it to a seal."""
    minted = tokens.token()
    assert tokens.unseal(minted) is None
    assert tokens.owner_of(tokens.seal("1f")) is None
    chosen = tokens.stamp(b"1f-")
    assert tokens.unseal(f"n1w0-1f-{chosen.partition('-')[2]}") is None
    assert tokens.owner_of(f"n1w0-1f-{chosen.partition('-')[2]}") is None


def test_a_stamp_may_name_a_flow(tokens: Tokens) -> None:
    stamp = tokens.stamp_flow(b"call-1@host", "1f")
    assert stamp.startswith("n1w0-1f-")
    other = tokens_of("n2w1")
    assert other.flow_of(stamp, b"call-1@host") == "1f"
    assert other.flow_of(stamp, b"call-2@host") is None
    for at, character in enumerate(stamp):
        altered = stamp[:at] + ("x" if character != "x" else "y") + stamp[at + 1 :]
        assert other.flow_of(altered, b"call-1@host") is None
    assert tokens_of(secret=b"another secret of the same owner").flow_of(stamp, b"call-1@host") is None


@pytest.mark.parametrize(
    "token", ["", "-", "--", "n1w0--", "n1w0-1f", "n1w0-1f-", "n1w0-1f-\udcff", "\udcff-\udcff-x", "a-b-c-d"]
)
def test_what_is_no_stamp_names_no_flow(tokens: Tokens, token: str) -> None:
    assert tokens.flow_of(token, b"call-1@host") is None


def test_a_chosen_call_id_makes_no_stamp_of_another_kind_or_flow(tokens: Tokens) -> None:
    """Who chooses what is stamped must not get the proof of something else."""
    plain = tokens.stamp(b"1f-call").partition("-")[2]
    assert tokens.flow_of(f"n1w0-1f-{plain}", b"call") is None
    named = tokens.stamp_flow(b"2e-call", "1f").rpartition("-")[2]
    assert tokens.flow_of(f"n1w0-1f-2e-{named}", b"call") is None
    assert tokens.flow_of(f"n1w0-1f-{named}", b"call") is None
    assert not tokens.is_stamp(f"n1w0-{named}", b"1f-2e-call")


@pytest.mark.parametrize("name", ["", "1f"])
def test_a_stamp_may_carry_a_text(name: str, tokens: Tokens) -> None:
    stamp = tokens.stamp_text(b"call-1@host", b"a1", name, b"a text")
    assert stamp.startswith(f"n1w0-{name}-") and set(stamp) <= TOKEN_CHARACTERS
    other = tokens_of("n2w1")
    assert other.text_of(stamp, b"call-1@host", (b"b1", b"a1")) == (name, b"a text", b"a1")
    assert other.text_of(stamp, b"call-2@host", (b"a1",)) is None
    assert other.text_of(stamp, b"call-1@host", (b"b1",)) is None
    for at, character in enumerate(stamp):
        altered = stamp[:at] + ("x" if character != "x" else "y") + stamp[at + 1 :]
        assert other.text_of(altered, b"call-1@host", (b"a1",)) is None
        assert other.text_of(stamp[:at], b"call-1@host", (b"a1",)) is None


@pytest.mark.parametrize(
    "token", ["", "-", "--", "n1w0--", "n1w0-1f", "n1w0-1f-", "n1w0-1f-\udcff", "\udcff-\udcff-x", "a-b-c-d"]
)
def test_what_is_no_stamp_carries_no_text(tokens: Tokens, token: str) -> None:
    assert tokens.text_of(token, b"call-1@host", (b"a1",)) is None


def test_a_stamp_with_a_text_passes_for_no_other_and_no_other_for_it(tokens: Tokens) -> None:
    subject, holders = b"call-1@host", (b"a1", b"")
    stamp = tokens.stamp_text(subject, b"a1", "1f", b"a text")
    assert not tokens.is_stamp(stamp, subject)
    assert tokens.flow_of(stamp, subject) is None and tokens.owner_of(stamp) is None and tokens.unseal(stamp) is None
    for other in (tokens.stamp(subject), tokens.stamp_flow(subject, "1f"), tokens.token(), tokens.seal("1f")):
        assert tokens.text_of(other, subject, holders) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        tokens_of(secret=b"fifteen bytes..")
