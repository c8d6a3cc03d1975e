"""The hosts file."""

from __future__ import annotations

from pathlib import Path

from sipcore.net.hosts import HOSTS_FILE, HostsFile

TEXT = """\
# comment
127.0.0.1   localhost
192.0.2.10  sip.example.com  SIP   # the server
2001:db8::10\tsip.example.com.
not-an-address  nonsense
192.0.2.11
192.0.2.10  sip
fe80::1%lo0 zone
"""


def test_names_and_aliases(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text(TEXT)
    hosts = HostsFile(file)
    assert hosts.addresses("sip.example.com", 0.0) == ("192.0.2.10", "2001:db8::10")
    assert hosts.addresses("sip", 0.0) == ("192.0.2.10",)
    assert hosts.addresses("localhost", 0.0) == ("127.0.0.1",)
    for name in ("nonsense", "zone", "example.com", "#", ""):
        assert hosts.addresses(name, 0.0) is None


def test_a_changed_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("192.0.2.1 a\n")
    hosts = HostsFile(file)
    assert hosts.addresses("a", 100.0) == ("192.0.2.1",)
    file.write_text("192.0.2.99 a\n")
    assert hosts.addresses("a", 104.0) == ("192.0.2.1",)
    assert hosts.addresses("a", 105.0) == ("192.0.2.99",)
    file.unlink()
    assert hosts.addresses("a", 110.0) is None
    assert hosts.addresses("localhost", 110.0) == ("127.0.0.1", "::1")


def test_localhost_needs_no_file(tmp_path: Path) -> None:
    assert HostsFile(tmp_path / "none").addresses("localhost", 0.0) == ("127.0.0.1", "::1")


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"\xff\xfe\0 192.0.2.1 \n192.0.2.2 b\n")
    assert HostsFile(file).addresses("b", 0.0) == ("192.0.2.2",)


def test_the_file_of_this_machine_can_be_read() -> None:
    assert HostsFile(HOSTS_FILE).addresses("localhost", 0.0)
