"""Accounts on the command line, in lists, and in SIPp's own form; where a target is."""

from __future__ import annotations

from pathlib import Path

import pytest
from sipp_runner.accounts import Account, parse_account, read_accounts, write_user_list
from sipp_runner.target import Target, parse_target


def test_an_account_is_user_and_password_and_the_password_may_hold_colons() -> None:
    assert parse_account("1001:se:cret") == Account("1001", "se:cret")
    for wrong in ("1001", ":secret", ""):
        with pytest.raises(ValueError, match="is not USER:PASSWORD"):
            parse_account(wrong)


def test_a_list_has_one_account_a_line(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("# a comment\n1001;secret\n\n1002;another;\n")
    assert read_accounts(file) == [Account("1001", "secret"), Account("1002", "another")]


@pytest.mark.parametrize("line", ["1002", ";secret"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "users.csv"
    file.write_text(f"1001;secret\n{line}\n")
    with pytest.raises(ValueError, match=r"users\.csv:2: expected user;password"):
        read_accounts(file)


def test_sipp_reads_the_whole_digest_keyword_from_a_field(tmp_path: Path) -> None:
    file = tmp_path / "sipp.csv"
    write_user_list([Account("1001", "secret"), Account("1002", "another")], file)
    assert file.read_text().splitlines() == [
        "SEQUENTIAL",
        "1001;[authentication username=1001 password=secret];",
        "1002;[authentication username=1002 password=another];",
    ]


def test_a_target_has_a_port_or_sips_own() -> None:
    assert parse_target("192.0.2.1:5080") == ("192.0.2.1", 5080)
    assert parse_target("sip.example.com") == ("sip.example.com", 5060)
    for wrong in (":5060", "host:", "host:0", "host:65536", "host:\u0665", "host:x"):
        with pytest.raises(ValueError, match="is not HOST:PORT"):
            parse_target(wrong)


def test_our_address_is_the_one_towards_the_target() -> None:
    target = Target("127.0.0.1", 5060)
    assert target.own_address() == "127.0.0.1"
    assert target.remote == "127.0.0.1:5060"
