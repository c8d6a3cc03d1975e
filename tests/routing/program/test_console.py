"""The lines that somebody reads who watches the terminal."""

import pytest

from routing.program import console
from routing.program.console import Console
from routing.runtime.platform import Domains
from sipcore.facts import CallEnded, CallProgress, Challenged, Dropped, Registered, Rejected
from sipcore.flow import Flow

PHONE = Flow("udp", ("192.168.1.10", 5060), ("192.168.1.20", 5062))
PHONE6 = Flow("tcp", ("2001:db8::1", 5060), ("2001:db8::20", 40001))


class Watched:
    """A console that remembers what it said, and a clock that stands still."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now = 100.0
        domains = Domains(("example.com",), lambda host: host == "192.168.1.10")
        self.console = Console(self.lines.append, domains, lambda: self.now)

    def see(self, *facts: object) -> list[str]:
        self.lines.clear()
        for fact in facts:
            self.console(fact)  # type: ignore[arg-type]
        return self.lines.copy()

    def call(self, *statuses: int, call_id: str = "c1", reason: str = "") -> list[str]:
        return self.see(
            *(
                CallProgress(call_id, "sip:1001@example.com", "sip:1002@192.168.1.10", status, reason, PHONE)
                for status in statuses
            )
        )


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_registration(watched: Watched) -> None:
    assert watched.see(Registered("1001@example.com", "sip:1001@10.0.0.1", 3600, PHONE, "Linphone/5.1")) == [
        "1001 registered from 192.168.1.20:5062 udp (Linphone/5.1), 3600 s"
    ]
    assert watched.see(Registered("1001@example.com", "sip:1001@10.0.0.1", 60, PHONE6, "")) == [
        "1001 registered from [2001:db8::20]:40001 tcp, 60 s"
    ]
    assert watched.see(Registered("1001@example.com", "*", 0, PHONE, "x")) == [
        "1001 unregistered from 192.168.1.20:5062 udp"
    ]


def test_a_challenge_is_no_news(watched: Watched) -> None:
    assert watched.see(Challenged("REGISTER", "1001@example.com", PHONE)) == []


def test_a_rejection_says_why(watched: Watched) -> None:
    assert watched.see(Rejected("REGISTER", "1002@example.com", "sip:example.com", 403, "wrong password", PHONE)) == [
        "1002 rejected: wrong password (REGISTER from 192.168.1.20:5062 udp, 403)"
    ]
    assert watched.see(Rejected("INVITE", "", "sip:0900@evil.example", 403, "not relaying", PHONE)) == [
        "somebody rejected: not relaying (INVITE to 0900@evil.example from 192.168.1.20:5062 udp, 403)"
    ]


def test_a_call_from_dialling_to_the_end(watched: Watched) -> None:
    assert watched.call(0, 0, 183, 180, 180) == ["1001 calls 1002", "1002 rings"]
    assert watched.call(200, 200) == ["1001 and 1002 talk"]
    watched.now += 12.4
    assert watched.see(CallEnded("c1", "sip:1002@example.com")) == ["1001 and 1002: ended by 1002 after 12 s"]


def test_a_call_that_is_not_answered(watched: Watched) -> None:
    assert watched.call(0, 180, 486, reason="Busy Here")[-1] == "1001 did not reach 1002: 486 Busy Here"
    assert watched.call(486) == []


def test_a_call_that_the_caller_gives_up_is_told_once(watched: Watched) -> None:
    watched.call(0, 180)
    assert watched.see(CallEnded("c1", "sip:1001@example.com")) == ["1001 gave up calling 1002"]
    assert watched.call(487, reason="Request Terminated") == []


def test_a_cancelled_call_may_be_told_by_its_487(watched: Watched) -> None:
    assert watched.call(0, 180, 487, 487)[-1] == "1001 gave up calling 1002"


def test_a_call_that_the_route_refuses_is_told(watched: Watched) -> None:
    assert watched.call(404, reason="Nobody") == ["1001 did not reach 1002: 404 Nobody"]


def test_the_same_call_id_may_be_dialled_again(watched: Watched) -> None:
    watched.call(0, 486)
    assert watched.call(0, 180, 200) == ["1001 calls 1002", "1002 rings", "1001 and 1002 talk"]


def test_a_refused_hold_does_not_end_the_call(watched: Watched) -> None:
    watched.call(0, 200)
    assert watched.call(488) == []
    assert "ended by" in watched.see(CallEnded("c1", "sip:1001@example.com"))[0]


def test_a_bye_that_is_sent_twice_is_told_once(watched: Watched) -> None:
    watched.call(0, 200)
    assert len(watched.see(*[CallEnded("c1", "sip:1001@example.com")] * 2)) == 1


def test_the_end_of_a_call_that_began_before_the_start(watched: Watched) -> None:
    assert watched.see(CallEnded("old", "sip:1002@example.com")) == ["a call from before was ended by 1002"]


def test_two_calls_are_kept_apart(watched: Watched) -> None:
    watched.call(0, 200, call_id="a")
    watched.now += 5
    watched.call(0, 200, call_id="b")
    watched.now += 5
    assert "after 10 s" in watched.see(CallEnded("a", "sip:1001@example.com"))[0]
    assert "after 5 s" in watched.see(CallEnded("b", "sip:1001@example.com"))[0]


def test_calls_that_never_end_take_a_bounded_place(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "MOST_CALLS", 3)
    for number in range(10):
        watched.call(0, 200, call_id=str(number))
    assert "a call from before" in watched.see(CallEnded("0", "sip:1001@example.com"))[0]
    assert "ended by" in watched.see(CallEnded("9", "sip:1001@example.com"))[0]
    assert len(watched.console._calls) == 3


def test_a_flood_of_rubbish_is_summed_up(watched: Watched) -> None:
    rubbish = Dropped("Malformed request line", 12, PHONE)
    assert watched.see(*[rubbish] * 50) == ["dropped 12 bytes from 192.168.1.20:5062 udp: Malformed request line"]
    watched.now += 1
    assert watched.see(rubbish)[0].endswith("Malformed request line (and 49 more since)")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("1001@example.com", "1001"),
        ("sip:1001@EXAMPLE.com;transport=tcp", "1001"),
        ("sip:1001@192.168.1.10:5060", "1001"),
        ("sip:alice@elsewhere.example", "alice@elsewhere.example"),
        ("sip:alice@192.0.2.1:5070", "alice@192.0.2.1:5070"),
        ("sip:example.com", "example.com"),
        ("tel:+442079460000", "+442079460000"),
        ("\x1b[2J", "\\x1b[2J"),
        ("x" * 100 + "@example.com", "x" * 57 + "..."),
    ],
)
def test_names(watched: Watched, address: str, name: str) -> None:
    assert watched.console.name(address) == name


def test_what_peers_write_is_escaped(watched: Watched) -> None:
    evil = "\x1b[2J\r\n\u202e"
    facts = [
        Registered(f"{evil}@example.com", evil, 60, PHONE, evil),
        Rejected(evil, f"{evil}@example.com", evil, 403, evil, PHONE),
        CallProgress(evil, evil, evil, 0, evil, PHONE),
        CallProgress(evil, evil, evil, 486, evil, PHONE),
        CallEnded("x", evil),
        Dropped(evil, 1, PHONE),
    ]
    lines = watched.see(*facts)
    assert len(lines) == len(facts)
    assert all(line.isprintable() for line in lines)
