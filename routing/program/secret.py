"""The secret that keys tokens and nonces, kept in a file so that they stay valid over a restart."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from routing.program.config import Config
from sipcore.errors import ConfigurationError


def secret_of(config: Config) -> bytes:
    """The configured secret, or the one in the file next to the database, which is made when there is none."""
    if config.secret:
        return config.secret.encode()
    file = config.database_file.with_suffix(".secret")
    try:
        return _read(file)
    except FileNotFoundError:
        return _make(file)
    except OSError as error:
        raise ConfigurationError([f"{file}: can't be read: {error.strerror}"]) from None


def _read(file: Path) -> bytes:
    content = file.read_bytes().strip()
    if len(content) < 32:
        raise ConfigurationError([f"{file}: holds no secret of 32 characters; delete it to get a new one"])
    if file.stat().st_mode & 0o077:
        raise ConfigurationError([f"{file}: others may read it; run: chmod 600 {file}"])
    return content


def _make(file: Path) -> bytes:
    """Write a new secret beside and link it into place, so that two starts at once agree on one."""
    content = secrets.token_hex(32).encode()
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
            output.write(content + b"\n")
            output.flush()
            os.fsync(output.fileno())
        try:
            os.link(beside, file)
        except FileExistsError:
            return _read(file)
        finally:
            beside.unlink()
    except OSError as error:
        raise ConfigurationError([f"{file}: the secret can't be stored: {error.strerror}"]) from None
    return content
