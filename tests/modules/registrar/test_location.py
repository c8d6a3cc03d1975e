"""The table in memory: what it gives back, what leaves it with time, and what it costs."""

from __future__ import annotations

import gc
import random

import pytest

from modules.registrar.binding import Binding, from_row
from modules.registrar.location import Location
from sipcore.flow import Flow

NOW = 1_800_000_000


def binding(ruid: str, expires: int = 600) -> Binding:
    return Binding(
        f"sip:{ruid}@10.0.0.2", NOW + expires, -1.0, "c", 1, "Phone/1", None, None, "udp:x", None, None, 0, ruid
    )


def test_what_is_put_in_comes_out() -> None:
    location = Location()
    bindings = (binding("a"), binding("b"))
    location.replace("alice@example.com", bindings)
    assert location.bindings("alice@example.com", NOW) == bindings
    assert location.bindings("bob@example.com", NOW) == ()
    assert len(location) == 1 and location.count == 2
    location.replace("alice@example.com", bindings[1:])
    assert location.bindings("alice@example.com", NOW) == bindings[1:] and location.count == 1
    location.replace("alice@example.com", ())
    assert len(location) == 0 and location.count == 0
    location.replace("alice@example.com", ())
    assert location.count == 0


def test_an_expired_binding_is_not_seen_though_nobody_looked_for_it_yet() -> None:
    location = Location()
    location.replace("alice@example.com", (binding("a", 60), binding("b", 120)))
    assert len(location.bindings("alice@example.com", NOW + 59.9)) == 2
    assert [one.ruid for one in location.bindings("alice@example.com", NOW + 60)] == ["b"]


def test_expired_bindings_leave() -> None:
    location = Location()
    location.replace("alice@example.com", (binding("a", 60), binding("b", 120)))
    location.replace("bob@example.com", (binding("c", 60),))
    assert location.expire(NOW + 59, 100)
    assert location.count == 3
    assert location.expire(NOW + 80, 100)
    assert location.count == 1 and len(location) == 1
    assert location.expire(NOW + 140, 100)
    assert location.count == 0 and len(location) == 0
    assert not location._slots


def test_a_refreshed_binding_stays() -> None:
    location = Location()
    for minute in range(100):
        location.replace("alice@example.com", (binding("a", minute * 60 + 100),))
        assert location.expire(NOW + minute * 60, 100)
        assert location.count == 1
        assert sum(map(len, location._slots.values())) <= 2
    assert location.expire(NOW + 100 * 60 + 200, 10_000)
    assert location.count == 0


def test_work_is_done_in_parts() -> None:
    location = Location()
    for number in range(100):
        location.replace(f"{number}@example.com", (binding(str(number), 60),))
    calls = 1
    while not location.expire(NOW + 100, 10):
        calls += 1
        assert calls < 100
    assert location.count == 0 and calls >= 10


def test_connections_are_forgotten_with_their_binding() -> None:
    location = Location()
    flow = Flow("tcp", ("10.0.0.1", 5060), ("10.0.0.2", 4444))
    location.replace("alice@example.com", (binding("a"), binding("b")))
    for ruid in ("a", "b"):
        location.connections.connect("alice@example.com", ruid, flow)
    assert location.connection("a") is flow
    location.replace("alice@example.com", (binding("b"),))
    assert location.connection("a") is None and location.connection("b") is flow
    flow.closed = True
    assert location.connection("b") is None
    location.connections.connect("alice@example.com", "b", None)
    assert not location.connections


def test_a_connection_that_its_phone_has_finished_with_leads_nowhere() -> None:
    """It is still open for answers, but a request by it would be reset, and the call lost."""
    location = Location()
    flow = Flow("tcp", ("10.0.0.1", 5060), ("10.0.0.2", 4444))
    location.replace("alice@example.com", (binding("a"),))
    location.connections.connect("alice@example.com", "a", flow)
    flow.ending = True
    assert location.connection("a") is None


@pytest.mark.parametrize("seed", range(5))
def test_any_history_agrees_with_a_dict(seed: int) -> None:
    chance = random.Random(seed)
    location, model = Location(), dict[str, tuple[Binding, ...]]()
    now = NOW
    for _ in range(3000):
        now += chance.choice((0, 0, 1, 7, 40))
        name = f"u{chance.randrange(20)}@example.com"
        if chance.random() < 0.7:
            bindings = tuple(
                binding(f"r{chance.randrange(9)}", now - NOW + chance.choice((1, 8, 60, 300)))
                for _ in range(chance.randrange(4))
            )
            location.replace(name, bindings)
            model[name] = bindings
        else:
            location.expire(now, chance.choice((1, 5, 1000)))
        expected = tuple(one for one in model.get(name, ()) if one.expires > now)
        assert location.bindings(name, now) == expected
    while not location.expire(now + 1000, 1000):
        pass
    assert location.count == 0 and len(location) == 0 and not location._slots


def test_a_binding_is_small_and_the_garbage_collector_does_not_watch_it() -> None:
    location = Location()
    for number in range(1000):
        location.replace(f"{number}@example.com", (binding(str(number)),))
    for _ in range(3):  # it lets go of inner tuples first, and of what holds them the next time
        gc.collect()
    watched = [entry for entry in location._entries.values() if gc.is_tracked(entry) or gc.is_tracked(entry[1])]
    assert not watched and not gc.is_tracked(location._entries)


def test_a_row_of_the_store_keeps_its_remaining_life() -> None:
    made = binding("a", 600)
    row = made.row("alice@example.com", NOW, 5_000.0)
    assert row.expires == 5_600.0 and (row.username, row.domain) == ("alice", "example.com")
    # After a restart, under a clock that tells another time.
    assert from_row(row, 77, 5_100.0) == made._replace(expires=77 + 500)


def test_a_row_that_never_expires_lives_for_years() -> None:
    row = binding("a").row("alice@example.com", NOW, NOW)._replace(expires=0.0)
    assert from_row(row, NOW, NOW).expires > NOW + 9 * 365 * 86_400


def test_a_binding_behind_a_nat_is_marked_as_kamailio_does() -> None:
    row = binding("a")._replace(received="sip:192.0.2.1:4444").row("a@b@example.com", NOW, NOW)
    assert (row.cflags, row.keepalive, row.connection_id, row.username) == (64, 1, -1, "a@b")
    assert binding("a").row("alice@example.com", NOW, NOW).cflags == 0
