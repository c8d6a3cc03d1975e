"""How listening sockets are opened, and what is said when they can't be."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from sipcore.net import sockets
from sipcore.net.port_owner import port_owner
from sipcore.net.settings import EdgeSettings
from sipcore.net.sockets import advertised, open_tcp, open_udp, why_not
from tests.net.echo import TCP4, TCP6, UDP4, UDP6, Listen


@pytest.mark.parametrize("listen", [UDP4, UDP6, TCP4, TCP6])
def test_sockets_never_block(listen: Listen) -> None:
    opened = (open_udp if listen.transport == "udp" else open_tcp)(listen, EdgeSettings((listen,)))
    with opened:
        assert not opened.getblocking()
        assert opened.getsockname()[0] == listen.host


def test_a_restart_need_not_wait_for_old_connections() -> None:
    with open_tcp(TCP4, EdgeSettings((TCP4,))) as opened:
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)


def test_long_datagrams_are_fragmented_on_their_way() -> None:
    with open_udp(UDP4, EdgeSettings((UDP4,))) as opened:
        dont_discover, mtu_discover = 0, 10
        assert opened.getsockopt(socket.IPPROTO_IP, mtu_discover) == dont_discover


def test_udp_buffers_are_larger_than_usual() -> None:
    with open_udp(UDP4, EdgeSettings((UDP4,))) as opened, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as usual:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            size = opened.getsockopt(socket.SOL_SOCKET, option)
            assert size >= usual.getsockopt(socket.SOL_SOCKET, option)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_both_wildcards_can_be_open_at_one_port(transport: str) -> None:
    open_one = open_udp if transport == "udp" else open_tcp
    for attempt in range(10):
        with open_one(Listen(transport, "::"), EdgeSettings(())) as six:
            port = six.getsockname()[1]
            try:
                four = open_one(Listen(transport, "0.0.0.0", port), EdgeSettings(()))
            except OSError:  # by chance another program has this port of IPv4
                assert attempt < 9
                continue
        with four:
            assert four.getsockname()[1] == port
        return


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_is_taken_unless_workers_share_it(transport: str) -> None:
    open_one = open_udp if transport == "udp" else open_tcp
    shared = EdgeSettings((), reuse_port=True)
    with open_one(Listen(transport, "127.0.0.1"), shared) as first:
        again = Listen(transport, "127.0.0.1", first.getsockname()[1])
        with open_one(again, shared) as second:
            assert second.getsockname() == first.getsockname()
        with pytest.raises(OSError, match="in use"):
            open_one(again, EdgeSettings(()))


@pytest.mark.parametrize(
    ("advertise", "carried"),
    [
        ("", ""),
        ("sip.example.com", "sip.example.com:5070"),
        ("192.0.2.1", "192.0.2.1:5070"),
        ("192.0.2.1:5080", "192.0.2.1:5080"),
        ("[2001:db8::1]", "[2001:db8::1]:5070"),
        ("[2001:db8::1]:5080", "[2001:db8::1]:5080"),
    ],
)
def test_advertise_gets_the_port_of_the_socket(advertise: str, carried: str) -> None:
    assert advertised(advertise, 5070) == carried


@pytest.mark.parametrize(
    ("listen", "number", "said"),
    [
        (Listen("udp", "192.0.2.1", 53), errno.EACCES, "udp:192.0.2.1:53: not allowed; ports below 1024 need CAP_NET"),
        (Listen("tcp", "::1", 5060), errno.EAFNOSUPPORT, "tcp:[::1]:5060: this machine has no IPv6"),
        (Listen("tcp", "127.0.0.1", 5060), errno.ENOBUFS, "tcp:127.0.0.1:5060: can't listen: No buffer space"),
    ],
)
def test_other_reasons_are_said_too(listen: Listen, number: int, said: str) -> None:
    assert why_not(listen, OSError(number, "")).startswith(said)


def test_a_port_whose_owner_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "port_owner", lambda transport, port: "")
    said = why_not(Listen("udp", "127.0.0.1", 5060), OSError(errno.EADDRINUSE, ""))
    assert said == "udp:127.0.0.1:5060: the port is in use; stop that program or listen elsewhere"


def test_the_owner_of_a_port() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("::1", 0))
        tcp.bind(("127.0.0.1", 0))
        assert port_owner("tcp", tcp.getsockname()[1]) == ""  # not listening yet
        tcp.listen()
        for transport, opened in (("udp", udp), ("tcp", tcp)):
            assert port_owner(transport, opened.getsockname()[1]).endswith(f"(process {os.getpid()})")
        port = udp.getsockname()[1]
    assert port_owner("udp", port) == ""
