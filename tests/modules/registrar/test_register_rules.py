"""RFC 3261 section 10.3, steps 6 and 7, rule by rule, as a function of values."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.registrar.binding import Binding
from modules.registrar.register import Update, granted, read, update
from modules.registrar.settings import RegistrarSettings
from modules.registrar.source import source_of
from sipcore.errors import Malformed, Refused
from sipcore.flow import Flow
from sipcore.message.source import mark_source
from tests.platforms import PHONE, SERVER, register

NOW = 1_800_000_000
SETTINGS = RegistrarSettings(jitter=0.0)
_RUIDS = itertools.count(1)


def apply(
    current: tuple[Binding, ...] = (), *headers: str, settings: RegistrarSettings = SETTINGS, **options: Any
) -> Update:
    """What a REGISTER with these headers does to these bindings."""
    request = register(*headers, **options)
    flow = Flow("udp", SERVER, PHONE)
    mark_source(request, flow.remote)
    return update(
        current,
        read(request, source_of(request, flow), settings),
        settings,
        now=NOW,
        chance=0.0,
        new_ruid=lambda: f"row-{next(_RUIDS)}",
    )


def bound(*contacts: str, call_id: str = "call-1", cseq: int = 1) -> tuple[Binding, ...]:
    """Bindings as one REGISTER left them."""
    return apply(
        (), "Contact: " + ", ".join(f"<{contact}>" for contact in contacts), call_id=call_id, cseq=cseq
    ).bindings


def contacts(update: Update) -> list[str]:
    return [binding.contact for binding in update.bindings]


A, B, C = "sip:alice@10.0.0.2", "sip:alice@10.0.0.3", "sip:alice@10.0.0.4"


# -- step 6: the wildcard --------------------------------------------------------------------------------------------


@pytest.mark.row("D03")
@pytest.mark.conformance("RFC 3261 10.2.2", "RFC 3261 10.3")
def test_the_wildcard_removes_all() -> None:
    done = apply(bound(A, B), "Contact: *", "Expires: 0", cseq=2)
    assert done.bindings == () and done.stored == () and len(done.removed) == 2


@pytest.mark.row("D02")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize("headers", [("Contact: *",), ("Contact: *", "Expires: 1"), ("Contact: *", "Expires: x")])
def test_the_wildcard_needs_expires_0(headers: tuple[str, ...]) -> None:
    with pytest.raises(Malformed) as raised:
        apply(bound(A), *headers, cseq=2)
    assert raised.value.status == 400


@pytest.mark.row("D02")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize("headers", [(f"Contact: *, <{A}>",), (f"Contact: <{A}>", "Contact: *"), ("Contact: *, *",)])
def test_the_wildcard_stands_alone(headers: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        apply(bound(A), *headers, "Expires: 0", cseq=2)


@pytest.mark.row("D03", "D04")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize("cseq", [1, 2])
def test_an_old_wildcard_of_the_same_client_fails_as_a_whole(cseq: int) -> None:
    current = bound(A, call_id="other") + bound(B, cseq=2)
    with pytest.raises(Refused) as raised:
        apply(current, "Contact: *", "Expires: 0", cseq=cseq)
    assert raised.value.status == 500


@pytest.mark.row("D03")
@pytest.mark.conformance("RFC 3261 10.3")
def test_a_wildcard_of_another_client_needs_no_order() -> None:
    assert apply(bound(A, cseq=90), "Contact: *", "Expires: 0", call_id="other", cseq=1).bindings == ()


# -- step 7: expiry --------------------------------------------------------------------------------------------------


def lifetime(done: Update, at: int = 0) -> int:
    return done.bindings[at].expires - NOW


@pytest.mark.conformance("RFC 3261 10.2.1.1", "RFC 3261 10.3")
def test_the_parameter_goes_before_the_header_and_the_header_before_the_default() -> None:
    assert lifetime(apply((), f"Contact: <{A}>;expires=70", "Expires: 80")) == 70
    assert lifetime(apply((), f"Contact: <{A}>", "Expires: 80")) == 80
    assert lifetime(apply((), f"Contact: <{A}>")) == 3600
    assert lifetime(apply((), f"Contact: <{A}>", settings=RegistrarSettings(default_expires=120, jitter=0))) == 120


def test_each_contact_has_its_own() -> None:
    done = apply((), f"Contact: <{A}>;expires=100, <{B}>;expires=200, <{C}>", "Expires: 300")
    assert [lifetime(done, at) for at in range(3)] == [100, 200, 300]


@pytest.mark.row("D05")
@pytest.mark.conformance("RFC 3261 10.3", "RFC 3261 20.23", "RFC 3261 21.4.17")
@pytest.mark.parametrize("expires", ["1", "59"])
def test_too_brief_is_refused_with_the_minimum(expires: str) -> None:
    with pytest.raises(Refused) as raised:
        apply((), f"Contact: <{A}>;expires={expires}, <{B}>;expires=600")
    assert raised.value.status == 423 and raised.value.headers == (b"Min-Expires: 60",)


def test_the_minimum_itself_is_not_too_brief() -> None:
    assert lifetime(apply((), f"Contact: <{A}>;expires=60")) == 60


@pytest.mark.conformance("RFC 3261 10.2.1.1")
@pytest.mark.parametrize("expires", ["86401", "4294967295", "280297596632815", "9" * 100])
def test_too_long_is_cut(expires: str) -> None:
    assert lifetime(apply((), f"Contact: <{A}>;expires={expires}")) == 86_400


@pytest.mark.row("B18")
@pytest.mark.conformance("RFC 3261 10.2.1.1")
@pytest.mark.parametrize("expires", ["abc", "-1", "1.5", '"600"', "0x10"])
def test_what_is_no_number_counts_as_an_hour(expires: str) -> None:
    assert lifetime(apply((), f"Contact: <{A}>;expires={expires}")) == 3600


@given(st.integers(60, 10**6), st.floats(0, 1), st.floats(0, 0.99), st.integers(1, 3600), st.integers(3600, 90_000))
def test_jitter_never_gives_more_than_asked_or_less_than_the_minimum(
    asked: int, chance: float, jitter: float, least: int, most: int
) -> None:
    settings = RegistrarSettings(jitter=jitter, min_expires=least, max_expires=most)
    given = granted(asked, settings, chance)
    assert min(asked, least) <= given <= min(asked, most)
    assert given >= min(asked, most) * (1 - jitter) - 1


def test_jitter_spreads() -> None:
    settings = RegistrarSettings()
    given = {granted(3600, settings, chance / 100) for chance in range(100)}
    assert min(given) < 3260 and max(given) == 3600 and len(given) > 90


@pytest.mark.parametrize("wrong", [{"min_expires": 0}, {"min_expires": 4000}, {"max_expires": 30}, {"jitter": 1.0}])
def test_settings_that_contradict_each_other(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="registrar"):
        RegistrarSettings(**wrong)


# -- step 7: adding, updating and removing ----------------------------------------------------------------------------


def test_a_new_contact_is_added_beside_the_others() -> None:
    done = apply(bound(A), f"Contact: <{B}>", call_id="other")
    assert contacts(done) == [A, B] and [one.contact for one in done.stored] == [B] and done.removed == ()


@pytest.mark.conformance("RFC 3261 10.2.4")
def test_a_refresh_keeps_the_row_and_takes_everything_else_over() -> None:
    current = bound(A)
    done = apply(current, f"Contact: <{A}>;q=0.3;expires=600", "User-Agent: New/2", cseq=2)
    (binding,) = done.bindings
    assert binding.ruid == current[0].ruid
    assert (binding.cseq, binding.q, binding.user_agent, binding.expires) == (2, 0.3, "New/2", NOW + 600)
    assert done.stored == (binding,) and done.removed == ()


@pytest.mark.row("B31")
@pytest.mark.conformance("RFC 3261 10.3", "RFC 3261 19.1.4")
@pytest.mark.parametrize(
    "same",
    ["sip:alice@10.0.0.2;newparam=5", "SIP:alice@10.0.0.2", "sip:%61lice@10.0.0.2", "sip:alice@10.0.0.2;unknown"],
)
def test_contacts_are_compared_as_uris(same: str) -> None:
    current = bound(A)
    done = apply(current, f"Contact: <{same}>", cseq=2)
    assert contacts(done) == [same]
    # Its text is in an index, so the row is another one.
    assert done.removed == current and done.stored[0].ruid != current[0].ruid


@pytest.mark.row("B31")
@pytest.mark.conformance("RFC 3261 19.1.4")
@pytest.mark.parametrize("other", ["sip:Alice@10.0.0.2", A + ":5060", A + ";transport=tcp"])
def test_contacts_that_are_not_equal_are_two(other: str) -> None:
    assert contacts(apply(bound(A), f"Contact: <{other}>", cseq=2)) == [A, other]


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 4475 3.1.1.4")
def test_escaped_nul_characters_make_two_contacts() -> None:
    done = apply((), "Contact: <sip:%00@host5.example.org>, <sip:%00%00@host5.example.org>")
    assert len(done.bindings) == 2


@pytest.mark.conformance("RFC 3261 10.2.2")
def test_expires_0_removes_one() -> None:
    current = bound(A, B)
    done = apply(current, f"Contact: <{A}>;expires=0", cseq=2)
    assert contacts(done) == [B] and done.stored == () and done.removed == (current[0],)


def test_removing_what_is_not_there_changes_nothing() -> None:
    current = bound(A)
    done = apply(current, f"Contact: <{B}>;expires=0", cseq=2)
    assert done == Update(current, (), ())


def test_one_request_may_add_update_and_remove() -> None:
    done = apply(bound(A, B), f"Contact: <{A}>;expires=0, <{B}>;q=0.1, <{C}>", cseq=2)
    assert contacts(done) == [B, C] and len(done.stored) == 2 and len(done.removed) == 1


@pytest.mark.row("D04")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize("cseq", [0, 4, 5])
@pytest.mark.parametrize("expires", [0, 600])
def test_the_same_client_needs_a_higher_cseq_and_nothing_is_changed(cseq: int, expires: int) -> None:
    current = bound(B, call_id="other") + bound(A, cseq=5)
    with pytest.raises(Refused) as raised:
        apply(current, f"Contact: <{C}>, <{B}>, <{A}>;expires={expires}", cseq=cseq)
    assert raised.value.status == 500


@pytest.mark.conformance("RFC 3261 10.3")
def test_another_client_may_update_whatever_its_cseq() -> None:
    done = apply(bound(A, cseq=90), f"Contact: <{A}>", call_id="other", cseq=1)
    assert done.bindings[0].call_id == "other" and done.bindings[0].cseq == 1


@pytest.mark.row("D04")
@pytest.mark.conformance("RFC 3261 10.3")
def test_a_contact_named_twice_fails_like_any_repetition() -> None:
    with pytest.raises(Refused):
        apply((), f"Contact: <{A}>, <{A}>;expires=0")


@pytest.mark.row("D06")
def test_the_limit_keeps_what_is_there() -> None:
    settings = RegistrarSettings(contacts=2)
    with pytest.raises(Refused) as raised:
        apply(bound(A, B), f"Contact: <{C}>", cseq=2, settings=settings)
    assert raised.value.status == 403
    assert contacts(apply(bound(A, B), f"Contact: <{B}>", cseq=2, settings=settings)) == [A, B]
    assert contacts(apply(bound(A, B), f"Contact: <{A}>;expires=0, <{C}>", cseq=2, settings=settings)) == [B, C]


def test_more_than_the_limit_from_earlier_may_still_be_refreshed() -> None:
    settings = RegistrarSettings(contacts=1)
    assert len(apply(bound(A, B), f"Contact: <{A}>", cseq=2, settings=settings).bindings) == 2


# -- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.row("D01")
@pytest.mark.conformance("RFC 3261 10.2.3", "RFC 3261 10.3")
def test_without_contact_it_is_a_query() -> None:
    request = register()
    registration = read(request, source_of(request, Flow("udp", SERVER, PHONE)), SETTINGS)
    assert registration.wanted == () and not registration.wildcard


@pytest.mark.row("B20")
@pytest.mark.parametrize(
    "header",
    [
        "Contact:",
        "Contact: ,",
        "Contact: <sip:alice@10.0.0.2",
        "Contact: sip:alice@10.0.0.2?Route=%3Csip:x%3E",
        "Contact: <sip:alice@10.0.0.2>;q=2",
        "Contact: <sip:alice@10.0.0.2>;q=-1",
        "Contact: <sip:alice@10.0.0.2:99999>",
        'Contact: "Alice <sip:alice@10.0.0.2>',
    ],
)
def test_broken_contacts_are_malformed(header: str) -> None:
    with pytest.raises(Malformed):
        apply((), header)


def test_call_id_is_kept_whole_or_refused() -> None:
    assert apply((), f"Contact: <{A}>", call_id="x" * 255).bindings[0].call_id == "x" * 255
    for call_id in ("x" * 256, "x\udcff"):
        with pytest.raises(Malformed):
            apply((), f"Contact: <{A}>", call_id=call_id)


@pytest.mark.conformance("RFC 3261 20", "RFC 4475 3.3.12")
def test_parameters_without_brackets_belong_to_the_header() -> None:
    (binding,) = apply((), "Contact: sip:+19725552222@gw1.example.org;unknownparam").bindings
    assert binding.contact == "sip:+19725552222@gw1.example.org"
    (binding,) = apply((), "Contact: <sip:+19725552222@gw1.example.org;unknownparam>").bindings
    assert binding.contact == "sip:+19725552222@gw1.example.org;unknownparam"


def test_instance_flow_number_and_methods() -> None:
    (binding,) = apply(
        (), f'Contact: <{A}>;+sip.instance="<urn:uuid:1>";reg-id=2', "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, X"
    ).bindings
    assert (binding.instance, binding.reg_id, binding.methods) == ("<urn:uuid:1>", 2, 1 | 2 | 4 | 8 | 512)


@pytest.mark.parametrize("instance", ["x", '"urn:x"', '"<a b>"', '"<a\\">"', '"<' + "x" * 300 + '>"'])
def test_a_broken_instance_counts_as_none(instance: str) -> None:
    (binding,) = apply((), f"Contact: <{A}>;+sip.instance={instance};reg-id=1").bindings
    assert binding.instance is None and binding.reg_id == 0


@pytest.mark.conformance("RFC 3327 5.3")
def test_path_is_kept_when_the_phone_knows_it() -> None:
    (binding,) = apply(
        (), f"Contact: <{A}>", "Path: <sip:p1.example.org;lr>", "Supported: gruu, PATH", "Path: <sip:p2.example.org;lr>"
    ).bindings
    assert binding.path == "<sip:p1.example.org;lr>,<sip:p2.example.org;lr>"


@pytest.mark.row("D35")
@pytest.mark.conformance("RFC 3327 5.3")
def test_path_that_the_phone_does_not_know_of_is_refused() -> None:
    with pytest.raises(Refused) as raised:
        apply((), f"Contact: <{A}>", "Path: <sip:p1.example.org;lr>")
    assert raised.value.status == 420 and raised.value.headers == (b"Unsupported: path",)
    with pytest.raises(Malformed):
        apply((), f"Contact: <{A}>", "Supported: path", f"Path: <sip:{'p' * 520}.example.org;lr>")


def test_user_agent_is_cut_and_may_be_anything() -> None:
    (binding,) = apply((), f"Contact: <{A}>", "User-Agent: " + "\u20ac\udcff" * 200).bindings
    assert len(binding.user_agent) == 255 and binding.user_agent.startswith("\u20ac\ufffd")
    binding.user_agent.encode()


# -- all together ----------------------------------------------------------------------------------------------------

_contacts = st.sampled_from([A, B, C])
_requests = st.lists(
    st.tuples(
        st.sampled_from(["call-1", "call-2"]),
        st.integers(1, 6),
        st.lists(
            st.tuples(_contacts, st.sampled_from([0, 60, 600])), min_size=1, max_size=3, unique_by=lambda one: one[0]
        ),
    ),
    max_size=12,
)


@pytest.mark.conformance("RFC 3261 10.3")
@given(_requests)
def test_any_sequence_agrees_with_a_naive_model(requests: list[tuple[str, int, list[tuple[str, int]]]]) -> None:
    current: tuple[Binding, ...] = ()
    model: dict[str, tuple[str, int, int]] = {}
    for call_id, cseq, wanted in requests:
        header = "Contact: " + ", ".join(f"<{contact}>;expires={expires}" for contact, expires in wanted)
        old = [model[contact] for contact, _ in wanted if contact in model]
        late = any(known[0] == call_id and known[1] >= cseq for known in old)
        try:
            done = apply(current, header, call_id=call_id, cseq=cseq)
        except Refused:
            assert late
            continue
        assert not late
        for contact, expires in wanted:
            model.pop(contact, None) if expires == 0 else model.update({contact: (call_id, cseq, expires)})
        rows = {binding.ruid: binding for binding in current}
        for binding in done.removed:
            del rows[binding.ruid]
        rows.update({binding.ruid: binding for binding in done.stored})
        assert sorted(rows.values()) == sorted(done.bindings)  # the store and memory agree
        current = done.bindings
        assert {b.contact: (b.call_id, b.cseq, b.expires - NOW) for b in current} == model
