"""A client's user hears once that nothing more will come: by `failed`, or by `ended`."""

from __future__ import annotations

import pytest

from sipcore.transaction.client import ClientMachine
from tests.sipcore.transaction.machines import Recorder, new_transaction
from tests.wire import response_to

ENDINGS = {
    "nobody answers": (),
    "ringing for ever": (180,),
    "a 2xx": (180, 200),
    "a refusal": (404,),
    "a 2xx repeated": (200, 200),
}


def last_words(user: Recorder) -> int:
    return user.ends + sum(word in ("lost", "timeout") for word in user.heard)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ["invite_client", "non_invite_client"])
def test_by_itself(name: str, ending: str, transport: str) -> None:
    transaction, user, _ = new_transaction(name, transport)
    assert isinstance(transaction, ClientMachine)
    request = transaction.request
    for status in ENDINGS[ending]:
        transaction.receive(response_to(request, status))  # type: ignore[attr-defined]
    timers = transaction.layer.timers
    if name == "invite_client" and ENDINGS[ending] == (180,):
        assert last_words(user) == 0
        transaction.cancel()  # type: ignore[attr-defined]
    for second in range(200):
        timers.expire(float(second))
    assert last_words(user) == 1
    assert transaction.user is None


@pytest.mark.parametrize("name", ["invite_client", "non_invite_client"])
def test_when_its_flow_is_lost_or_it_is_abandoned(name: str) -> None:
    for end in (lambda one: one.fire("flow lost"), lambda one: one.abandon()):
        transaction, user, _ = new_transaction(name)
        end(transaction)
        assert last_words(user) == 1
        end(transaction)
        assert last_words(user) == 1
