"""`ringway quickstart`: from nothing to two phones that call each other, with one command and nothing to edit.

Whatever is there already is kept: the second start shows the same passwords and uses the files as they were edited.
The database holds hashes only, so the passwords of the two users stand in `passwords.txt` too, readable by their
owner alone.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from modules.database.accounts import add_account, has_password
from modules.database.engine import transaction
from routing.program.accounts import prepare_database
from routing.program.check import checked_config
from routing.program.config import FILE_NAME, Config, load
from routing.program.listen import SIP_PORT, Listen
from routing.program.passwords import generate
from routing.program.run import run
from routing.program.server import CannotListen
from routing.program.version import version
from sipcore.errors import ConfigurationError
from sipcore.flow import Target
from sipcore.net.addresses import lan_address

USERS = ("1001", "1002")
PASSWORDS = "passwords.txt"
ROUTE = "main.route"
LOOPBACK = "127.0.0.1"
"""What phones on the same machine use when it has no other address."""
_ATTEMPTS = 20

_CONFIGURATION = """\
# Made by `ringway quickstart`; edit it as you like. `ringway check` finds mistakes and shows every setting.

listen  = ["udp:{host}:5060", "tcp:{host}:5060"]
domains = ["ringway.internal"]     # phones may also use an address of this machine as their domain
routes  = "main.route"             # what is done with each request

[database]
url = "sqlite:///ringway.db"
"""

_WELCOME = """\

 Ringway {version}

 SIP      udp and tcp, {server}
 Phones   user 1001   password {first}
          user 1002   password {second}
          server (or domain, or registrar) {server}

 Now: enter these into two phones (Linphone, MicroSIP, Zoiper, baresip) and call 1002 from 1001.
 What happens is shown below. Ctrl-C stops it.

 Files    {folder}: ringway.toml, main.route (after a change: {reload}), ringway.db, passwords.txt
{warning}"""
_ONLY_LOOPBACK = """
 Warning: only loopback is up. Phones must run on this machine; connect it to a network and start again for others.
"""
_CHANGED = "(changed with `ringway user passwd`)"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a start needs: the files are there, the users too."""

    config: Config
    passwords: dict[str, str]
    """User to password; None of them is empty: one that is no longer right is replaced by a note."""
    address: str
    """What phones enter as server, without the port."""


def quickstart(folder: Path, port: int | None) -> int:
    """The command; returns the exit code of the server. `port` goes before the configuration's, 0 is any free one."""
    prepared = prepare(folder, port)

    def announce(addresses: tuple[Target, ...]) -> None:
        print(welcome(prepared, addresses), flush=True)

    try:
        return run(
            prepared.config,
            stream=sys.stdout,
            watched=True,
            announce=announce,
            adjust=lambda config: replace(config, listen=prepared.config.listen) if port is not None else config,
        )
    except CannotListen as error:
        hint = "\n  hint: `--port 5070` takes another port, `--port 0` any free one"
        raise CannotListen([problem + hint for problem in error.problems]) from None


def prepare(folder: Path, port: int | None, find_address: Callable[[], str | None] = lan_address) -> Prepared:
    """Make what is missing in `folder`."""
    _make_folder(folder)
    address = find_address()
    host = "0.0.0.0" if address else LOOPBACK
    _write_once(folder / FILE_NAME, _CONFIGURATION.format(host=host))
    _write_once(load(folder / FILE_NAME, os.environ).route_file, _default_route())
    config = checked_config(folder / FILE_NAME, os.environ)
    if port is not None:
        config = replace(config, listen=_at_port(config.listen, port))
    prepare_database(config)
    return Prepared(config, _users(folder / PASSWORDS, config), address or LOOPBACK)


def welcome(prepared: Prepared, addresses: tuple[Target, ...]) -> str:
    """What to type into a phone."""
    port = addresses[0].port
    return _WELCOME.format(
        version=version(),
        server=prepared.address if port == SIP_PORT else f"{prepared.address}:{port}",
        first=prepared.passwords[USERS[0]],
        second=prepared.passwords[USERS[1]],
        folder=prepared.config.file.parent,
        reload=f"ringway reload -f {prepared.config.file}",
        warning=_ONLY_LOOPBACK if prepared.address == LOOPBACK else "",
    )


# -- files ------------------------------------------------------------------------------------------------------------


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"the folder {folder} can't be made: {error.strerror}"]) from None


def _write_once(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file that is not there; one that is stays as it was edited."""
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as output:
            output.write(text)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigurationError([f"{file} can't be written: {error.strerror}"]) from None


def _default_route() -> str:
    return resources.files("routing.program").joinpath("data", ROUTE).read_text("utf-8")


# -- users ------------------------------------------------------------------------------------------------------------


def _users(file: Path, config: Config) -> dict[str, str]:
    """Add the users that are missing; returns the password of each."""
    domain = config.domains[0]
    _write_once(file, "".join(f"{user} {generate()}\n" for user in USERS), 0o600)
    lines = (line.split() for line in file.read_text("utf-8").splitlines())
    known = {words[0]: words[1] for words in lines if len(words) == 2}
    with transaction(config.database_url) as connection:
        for user in USERS:
            password = known.get(user) or _another(file, known, user)
            if not add_account(connection, user, domain, password) and not has_password(
                connection, user, domain, password
            ):
                known[user] = _CHANGED
    return known


def _another(file: Path, known: dict[str, str], user: str) -> str:
    """Somebody took the user's line out of the file."""
    password = known[user] = generate()
    with file.open("a", encoding="utf-8") as output:
        output.write(f"{user} {password}\n")
    return password


# -- ports ------------------------------------------------------------------------------------------------------------


def _at_port(listens: tuple[Listen, ...], port: int) -> tuple[Listen, ...]:
    """The same sockets at another port, which all of them share."""
    chosen = port or _free_port(listens)
    return tuple(replace(listen, port=chosen) for listen in listens)


def _free_port(listens: tuple[Listen, ...]) -> int:
    """A port that is free for every transport and address; somebody else may still take it before we do."""
    for _ in range(_ATTEMPTS):
        port = _bind(listens[0], 0)
        if port is not None and all(_bind(listen, port) for listen in listens[1:]):
            return port
    raise ConfigurationError(["no port is free for all of " + ", ".join(map(str, listens))])


def _bind(listen: Listen, port: int) -> int | None:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    kind = socket.SOCK_DGRAM if listen.transport == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        try:
            probe.bind((listen.host, port))
        except OSError:
            return None
        bound: int = probe.getsockname()[1]
        return bound
