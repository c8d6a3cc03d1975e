"""The generated secret outlives a restart and is nobody else's to read."""

from dataclasses import replace
from pathlib import Path

import pytest

from routing.program.config import Config
from routing.program.secret import secret_of
from sipcore.errors import ConfigurationError


def config_in(folder: Path) -> Config:
    return replace(Config(domains=("example.com",)), file=folder / "ringway.toml")


def test_a_configured_secret_is_used_as_it_is(tmp_path: Path) -> None:
    assert secret_of(replace(config_in(tmp_path), secret="0123456789abcdef")) == b"0123456789abcdef"
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = secret_of(config_in(tmp_path))
    assert len(first) == 64
    assert secret_of(config_in(tmp_path)) == first
    assert [file.name for file in tmp_path.iterdir()] == ["ringway.secret"]
    assert (tmp_path / "ringway.secret").stat().st_mode & 0o777 == 0o600


def test_two_servers_get_different_secrets(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert secret_of(config_in(tmp_path / "a")) != secret_of(config_in(tmp_path / "b"))


def test_the_start_that_comes_second_takes_the_secret_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process stores its secret between our look and our link."""
    file = tmp_path / "ringway.secret"
    file.write_text("f" * 64)
    file.chmod(0o600)
    monkeypatch.setattr(Path, "read_bytes", missing_once(Path.read_bytes))
    assert secret_of(config_in(tmp_path)) == b"f" * 64
    assert [entry.name for entry in tmp_path.iterdir()] == ["ringway.secret"]


def missing_once(original):  # type: ignore[no-untyped-def]
    calls: list[Path] = []

    def read(self: Path) -> bytes:
        calls.append(self)
        if len(calls) == 1:
            raise FileNotFoundError
        return original(self)  # type: ignore[no-any-return]

    return read


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    secret_of(config_in(tmp_path))
    (tmp_path / "ringway.secret").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        secret_of(config_in(tmp_path))


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "ringway.secret"
    file.touch(0o600)
    with pytest.raises(ConfigurationError, match="delete it"):
        secret_of(config_in(tmp_path))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be stored"):
        secret_of(config_in(tmp_path / "none"))
