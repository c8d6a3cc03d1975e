"""What quickstart makes: files that stay as they were edited, users whose passwords can be read again."""

from pathlib import Path

import pytest

from modules.database.accounts import change_password, has_password, remove_account
from modules.database.engine import transaction
from routing.program.listen import Listen
from routing.program.quickstart import Prepared, prepare, welcome
from sipcore.errors import ConfigurationError
from sipcore.flow import Target

ADDRESS = "192.0.2.10"


def prepared(folder: Path, port: int | None = None, address: str | None = ADDRESS) -> Prepared:
    return prepare(folder, port, lambda: address)


def test_the_first_start_makes_everything(tmp_path: Path) -> None:
    made = prepared(tmp_path / "a" / "b")
    folder = tmp_path / "a" / "b"
    assert sorted(file.name for file in folder.iterdir()) == [
        "main.route",
        "passwords.txt",
        "ringway.db",
        "ringway.toml",
    ]
    assert (folder / "passwords.txt").stat().st_mode & 0o777 == 0o600
    assert made.config.listen == (Listen("udp", "0.0.0.0", 5060), Listen("tcp", "0.0.0.0", 5060))
    with transaction(made.config.database_url) as connection:
        for user, password in made.passwords.items():
            assert has_password(connection, user, made.config.domains[0], password)
    assert list(made.passwords) == ["1001", "1002"]


def test_the_database_does_not_hold_the_passwords(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    content = (tmp_path / "ringway.db").read_bytes()
    assert not any(password.encode() in content for password in made.passwords.values())


def test_the_second_start_changes_nothing_and_knows_the_passwords(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    (tmp_path / "main.route").write_text("on request { reply(404) }\n")
    second = prepared(tmp_path)
    assert second.passwords == first.passwords
    assert (tmp_path / "main.route").read_text() == "on request { reply(404) }\n"


def test_an_edited_configuration_is_used(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "ringway.toml").write_text('domains = ["example.com"]\nlisten = ["udp:127.0.0.1:5070"]\n')
    again = prepared(tmp_path)
    assert again.config.listen == (Listen("udp", "127.0.0.1", 5070),)
    with transaction(again.config.database_url) as connection:
        assert has_password(connection, "1001", "example.com", again.passwords["1001"])


def test_a_mistake_in_an_edited_configuration_stops_it(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "ringway.toml").write_text("domain = 1\n")
    with pytest.raises(ConfigurationError):
        prepared(tmp_path)


def test_a_password_that_was_changed_is_not_shown_wrongly(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    with transaction(first.config.database_url) as connection:
        change_password(connection, "1001", first.config.domains[0], "another")
    again = prepared(tmp_path)
    assert again.passwords == {"1001": "(changed with `ringway user passwd`)", "1002": first.passwords["1002"]}


def test_a_user_that_was_removed_comes_back_with_his_password(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    with transaction(first.config.database_url) as connection:
        remove_account(connection, "1002", first.config.domains[0])
    assert prepared(tmp_path).passwords == first.passwords


def test_a_line_that_was_taken_out_of_the_passwords_is_made_again(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    with transaction(first.config.database_url) as connection:
        remove_account(connection, "1002", first.config.domains[0])
    (tmp_path / "passwords.txt").write_text(f"1001 {first.passwords['1001']}\n\n")
    second = prepared(tmp_path)
    assert second.passwords["1002"] != first.passwords["1002"]
    assert prepared(tmp_path).passwords == second.passwords


def test_with_loopback_only_it_listens_there(tmp_path: Path) -> None:
    made = prepared(tmp_path, address=None)
    assert {listen.host for listen in made.config.listen} == {"127.0.0.1"}
    assert "only loopback is up" in welcome(made, (Target("udp", "127.0.0.1", 5060),))


def test_a_port_goes_before_the_configuration(tmp_path: Path) -> None:
    assert {listen.port for listen in prepared(tmp_path, 5090).config.listen} == {5090}
    assert {listen.port for listen in prepared(tmp_path).config.listen} == {5060}


def test_any_free_port_is_one_for_both_transports(tmp_path: Path) -> None:
    ports = {listen.port for listen in prepared(tmp_path, 0).config.listen}
    assert len(ports) == 1
    assert ports != {0}


@pytest.mark.parametrize(("port", "server"), [(5060, "192.0.2.10"), (5070, "192.0.2.10:5070")])
def test_what_to_type_into_a_phone(tmp_path: Path, port: int, server: str) -> None:
    made = prepared(tmp_path)
    text = welcome(made, (Target("udp", "0.0.0.0", port), Target("tcp", "0.0.0.0", port)))
    assert f"user 1001   password {made.passwords['1001']}\n" in text
    assert f"user 1002   password {made.passwords['1002']}\n" in text
    assert f"server (or domain, or registrar) {server}\n" in text
    assert "loopback" not in text
    assert str(tmp_path) in text


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="can't be made"):
        prepared(tmp_path / "file" / "folder")
