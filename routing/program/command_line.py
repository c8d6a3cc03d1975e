"""The `ringway` command: what can be asked for, and where that is done.

Each command imports what it needs when it runs, so that a small one does not wait for the parts of the server.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from routing.program.exit_codes import BAD_CONFIGURATION, FAILURE, OK, TEMPORARY, USAGE
from routing.program.language_commands import add_language_commands
from routing.program.listen import TRANSPORTS
from sipcore.errors import ConfigurationError, RingwayError, Unavailable

if TYPE_CHECKING:
    from routing.program.accounts import NewPassword
    from routing.program.config import Config

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        asked = parser().parse_args(_as_commands(sys.argv[1:] if arguments is None else arguments))
        command: Command = asked.command
        return command(asked)
    except ConfigurationError as error:
        return _complain(error.problems, BAD_CONFIGURATION)
    except Unavailable as error:
        return _complain([f"error: {error}"], TEMPORARY)
    except RingwayError as error:
        return _complain([f"error: {problem}" for problem in getattr(error, "problems", [str(error)])], FAILURE)
    except BrokenPipeError:  # the reader of our output, `head` for example, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except KeyboardInterrupt:
        return FAILURE


def _complain(problems: Sequence[str], code: int) -> int:
    for problem in problems:
        print(problem if problem.startswith(("error:", "warning:")) else f"error: {problem}", file=sys.stderr)
    return code


def _as_commands(arguments: Sequence[str]) -> list[str]:
    """The short spellings that people bring along from other servers: `-c`, `-f FILE -c`, `-v`, `-f FILE`."""
    words = list(arguments)
    if words[:1] == ["-f"] and len(words) >= 2 and words[2:] in ([], ["-c"]):
        return ["check", words[1]] if words[2:] else ["run", *words]
    aliases = {"-c": "check", "-v": "version", "-V": "version", "--version": "version"}
    return [aliases.get(words[0], words[0]), *words[1:]] if words else ["--help"]


class _Parser(argparse.ArgumentParser):
    """Says what was probably meant when a word is unknown."""

    def error(self, message: str) -> NoReturn:
        """One sentence, and where to read on."""
        wrong = re.match(r"argument \S+: invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if wrong:
            from routing.language.problem import nearest

            known = re.findall(r"[\w-]+", wrong[2])
            message = f"unknown command `{wrong[1]}`: {nearest(wrong[1], known) or 'known are ' + ', '.join(known)}"
        self.exit(USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


def parser() -> argparse.ArgumentParser:
    """All commands with their arguments."""
    top = _Parser(prog="ringway", description="A SIP registrar and proxy.", allow_abbrev=False)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _add_server_commands(commands)
    _add_running_commands(commands)
    _add_user_commands(commands)
    _add_registration_commands(commands)
    _add_database_commands(commands)
    _add_certificate_commands(commands)
    _add_resolve_command(commands)
    add_language_commands(partial(_add, commands))
    _add(commands, "version", _version, "show the version")
    return top


_Commands = argparse._SubParsersAction  # no public name for what add_subparsers returns


def _add(commands: _Commands[_Parser], name: str, command: Command, summary: str) -> _Parser:
    added = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
    )
    added.set_defaults(command=command)
    return added


def _add_config(command: _Parser) -> None:
    command.add_argument(
        "-f",
        dest="file",
        metavar="FILE",
        help="the configuration ($RINGWAY_CONFIG, ./ringway.toml, /etc/ringway/ringway.toml)",
    )


def _add_server_commands(commands: _Commands[_Parser]) -> None:
    run = _add(commands, "run", _run, "run the server until it gets SIGTERM")
    _add_config(run)
    check = _add(commands, "check", _check, "find every mistake in the configuration and the routes")
    check.add_argument("files", nargs="*", metavar="FILE", help="a configuration, or a .route file alone")
    check.add_argument("-f", dest="file", metavar="FILE", help="the same as FILE")
    check.add_argument("--json", action="store_true", help="for programs")
    check.add_argument("--strict", action="store_true", help="a warning is as bad as a mistake")
    _add_explain_command(commands)
    _add_test_command(commands)
    first = _add(
        commands, "quickstart", _quickstart, "make a configuration with two users, and run it for everybody to see"
    )
    first.add_argument("--dir", default=".", type=Path, help="where its files are kept (default: here)")
    first.add_argument("--port", type=_port, help="the SIP port (default: 5060; 0: any free one)")


def _add_explain_command(commands: _Commands[_Parser]) -> None:
    added = _add(
        commands, "explain", _explain, "show what would be done with one request, line by line, without a network"
    )
    added.add_argument(
        "request", nargs="?", metavar="FILE.sip", type=Path, help="a request as text; or the flags below"
    )
    added.add_argument("--method", default="", help="default: INVITE")
    added.add_argument("--from", dest="from_", default="", metavar="WHO", help="1001, 1001@example.com, or a URI")
    added.add_argument("--to", default="", metavar="WHO", help="the same; default: 1002")
    added.add_argument("--uri", default="", metavar="URI", help="the Request-URI; default: that of --to")
    added.add_argument("--header", action="append", default=[], metavar="LINE", help='"X-Account: 7"; may be repeated')
    added.add_argument("--source", default="", metavar="ADDRESS", help="where it comes from; default: 127.0.0.1:5060")
    added.add_argument("--transport", default="udp", choices=TRANSPORTS, help="default: udp")
    added.add_argument("--authenticated", action="store_true", help="go on as if each password were right")
    text = "what the next target answers, 486 for example; may be repeated; without it no target answers"
    added.add_argument("--answer", action="append", default=[], type=_status_code, metavar="CODE", help=text)
    added.add_argument("--json", action="store_true", help="for programs")
    _add_config(added)


def _add_test_command(commands: _Commands[_Parser]) -> None:
    added = _add(commands, "test", _test, "run the tests of route files, on the real engine and without a network")
    text = "a route file, a file of tests, a folder with them, or a configuration (default: as for `run`)"
    added.add_argument("files", nargs="*", metavar="FILE", type=Path, help=text)
    added.add_argument("-k", dest="name", default="", metavar="NAME", help="only tests with this in their names")
    added.add_argument("--coverage", action="store_true", help="show which statements of the routes no test reached")
    added.add_argument("-v", "--verbose", action="store_true", help="name the tests that passed, too")
    added.add_argument("--json", action="store_true", help="for programs")
    _add_config(added)


def _status_code(text: str) -> int:
    if text.isdecimal() and len(text) == 3 and 200 <= int(text) <= 699:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no final status code: 200 to 699")


def _add_running_commands(commands: _Commands[_Parser]) -> None:
    for name, command, summary in (
        ("reload", _reload, "have the running server take over configuration and routes as they are now"),
        ("rollback", _rollback, "have the running server go back to an earlier version"),
        ("versions", _versions, "list the versions that the running server keeps"),
        ("status", _status, "show what the running server does"),
    ):
        added = _add(commands, name, command, summary)
        if command is _rollback:
            text = "as listed by `versions`; default: the one before"
            added.add_argument("version", metavar="VERSION", nargs="?", type=_number, help=text)
        added.add_argument("--json", action="store_true", help="for programs")
        _add_config(added)


def _number(text: str) -> int:
    if text.isdecimal() and len(text) < 10:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no number of a version")


def _add_group(commands: _Commands[_Parser], name: str, summary: str) -> _Commands[_Parser]:
    group = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
    )
    return group.add_subparsers(metavar="COMMAND", required=True)


def _add_user_commands(commands: _Commands[_Parser]) -> None:
    group = _add_group(commands, "user", "add, change, remove and list users")
    for name, command, summary in (
        ("add", _user_add, "add a user"),
        ("passwd", _user_passwd, "give a user another password"),
    ):
        added = _add(group, name, command, summary + "; without a flag the password is asked for")
        added.add_argument(
            "address", metavar="USER[@DOMAIN]", help="without a domain: the first one of the configuration"
        )
        how = added.add_mutually_exclusive_group()
        how.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        how.add_argument("--generate", action="store_true", help="make a password and show it once")
        _add_config(added)
    removed = _add(group, "rm", _user_rm, "remove a user")
    removed.add_argument("address", metavar="USER[@DOMAIN]")
    _add_config(removed)
    listed = _add(group, "list", _user_list, "list all users")
    listed.add_argument("--json", action="store_true", help="for programs")
    _add_config(listed)


def _add_registration_commands(commands: _Commands[_Parser]) -> None:
    group = _add_group(commands, "reg", "list and remove registrations")
    listed = _add(group, "list", _reg_list, "list registrations")
    listed.add_argument("address", nargs="?", metavar="USER[@DOMAIN]", help="of this user only")
    listed.add_argument("--json", action="store_true", help="for programs")
    _add_config(listed)
    removed = _add(group, "rm", _reg_rm, "remove registrations; a running server follows within a second")
    removed.add_argument("address", metavar="USER[@DOMAIN]")
    removed.add_argument("contact", nargs="?", help="this one only (as listed)")
    _add_config(removed)


def _add_database_commands(commands: _Commands[_Parser]) -> None:
    group = _add_group(commands, "db", "make and check the database")
    _add_config(_add(group, "init", _db_init, "make the tables, or bring old ones up to date"))
    checked = _add(group, "check", _db_check, "compare the database with what is expected")
    checked.add_argument("--json", action="store_true", help="for programs")
    _add_config(checked)


def _add_certificate_commands(commands: _Commands[_Parser]) -> None:
    group = _add_group(commands, "cert", "make certificates")
    made = _add(group, "self-signed", _cert_self_signed, "make a certificate for a start, which vouches for itself")
    made.add_argument(
        "--name",
        nargs="+",
        metavar="NAME",
        help="domains and addresses it is for (default: the domains of the configuration and this machine's address)",
    )
    made.add_argument("--dir", default=".", type=Path, help="where cert.pem and key.pem are put (default: here)")


def _add_resolve_command(commands: _Commands[_Parser]) -> None:
    command = _add(commands, "resolve", _resolve, "show where a URI leads: the servers to try, and what is left out")
    command.add_argument("uri", metavar="URI", help="sip:example.com, or a domain alone")
    command.add_argument("--json", action="store_true", help="for programs")
    _add_config(command)


# -- the server -------------------------------------------------------------------------------------------------------


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")


def _run(asked: argparse.Namespace) -> int:
    from routing.program.check import checked_config
    from routing.program.config import find
    from routing.program.run import run

    config = checked_config(find(asked.file, os.environ), os.environ)
    return run(config, watched=sys.stderr.isatty() and config.log.format == "text")


def _check(asked: argparse.Namespace) -> int:
    from routing.program.check import check
    from routing.program.config import find

    named = [*asked.files, *([asked.file] if asked.file else [])]
    files = [Path(name) for name in named] or [find(None, os.environ)]
    return check(files, os.environ, asked.json, asked.strict)


def _explain(asked: argparse.Namespace) -> int:
    from routing.program.explain import explain
    from routing.program.explain_request import Asked

    request = Asked(
        asked.method, asked.from_, asked.to, asked.uri, asked.header, asked.source, asked.transport, asked.request
    )
    config = _checked_config(asked)
    return explain(config, request, believe=asked.authenticated, answers=asked.answer, as_json=asked.json)


def _test(asked: argparse.Namespace) -> int:
    from routing.program.rehearsal.command import Wanted, rehearse

    configuration = Path(asked.file) if asked.file else None
    wanted = Wanted(asked.files, configuration, asked.name, asked.coverage, asked.json, asked.verbose)
    return rehearse(wanted, os.environ)


def _checked_config(asked: argparse.Namespace) -> Config:
    from routing.program.check import checked_config
    from routing.program.config import find

    return checked_config(find(asked.file, os.environ), os.environ)


def _quickstart(asked: argparse.Namespace) -> int:
    from routing.program.quickstart import quickstart

    return quickstart(asked.dir, asked.port)


def _resolve(asked: argparse.Namespace) -> int:
    from routing.program.resolve import resolve
    from sipcore.errors import Malformed
    from sipcore.uri import parse_uri

    try:
        uri = parse_uri(asked.uri if ":" in asked.uri else f"sip:{asked.uri}")
    except Malformed as error:
        raise RingwayError(f"{asked.uri} is no URI: {error.reason}") from None
    return resolve(_config(asked), uri, asked.json)


def _version(_: argparse.Namespace) -> int:
    import platform

    from routing.program.version import version

    print(f"ringway {version()} (Python {platform.python_version()}, {platform.system()})")
    return OK


# -- a running server -------------------------------------------------------------------------------------------------


def _reload(asked: argparse.Namespace) -> int:
    from routing.program.remote import reload

    return reload(_control_socket(asked), asked.json)


def _rollback(asked: argparse.Namespace) -> int:
    from routing.program.remote import rollback

    return rollback(_control_socket(asked), asked.version, asked.json)


def _versions(asked: argparse.Namespace) -> int:
    from routing.program.remote import versions

    return versions(_control_socket(asked), asked.json)


def _status(asked: argparse.Namespace) -> int:
    from routing.program.remote import status

    return status(_control_socket(asked), asked.json)


def _control_socket(asked: argparse.Namespace) -> Path:
    from routing.program.config import control_socket, find

    return control_socket(find(asked.file, os.environ), os.environ)


# -- accounts and registrations ---------------------------------------------------------------------------------------


def _config(asked: argparse.Namespace) -> Config:
    from routing.program.config import find, load

    return load(find(asked.file, os.environ), os.environ)


def _password(asked: argparse.Namespace) -> str | None:
    """What the person gave, or None for one that is to be generated."""
    if asked.generate:
        return None
    if asked.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    try:
        first = getpass.getpass("Password: ")
        if first != getpass.getpass("Once more: "):
            raise RingwayError("the two passwords differ; nothing was changed")
    except EOFError:
        raise RingwayError("no password was given; use --password-stdin or --generate in scripts") from None
    return first


def _user_add(asked: argparse.Namespace) -> int:
    from routing.program.accounts import add_user

    return _show_password("added", add_user(_config(asked), asked.address, _password(asked)))


def _user_passwd(asked: argparse.Namespace) -> int:
    from routing.program.accounts import set_password

    return _show_password("changed", set_password(_config(asked), asked.address, _password(asked)))


def _show_password(what: str, changed: NewPassword) -> int:
    print(f"{what} {changed.address}")
    if changed.generated:
        print(f"password: {changed.password}")
    return OK


def _user_rm(asked: argparse.Namespace) -> int:
    from routing.program.accounts import remove_user

    print(f"removed {remove_user(_config(asked), asked.address).address}")
    return OK


def _user_list(asked: argparse.Namespace) -> int:
    from routing.program.accounts import list_users
    from routing.program.tables import show

    rows = [{"address": user.address, "algorithms": user.algorithms} for user in list_users(_config(asked))]
    show(("address", "algorithms"), rows, asked.json, "no users; `ringway user add USER` adds one")
    return OK


def _reg_list(asked: argparse.Namespace) -> int:
    from dataclasses import asdict

    from routing.program.registrations import list_registrations
    from routing.program.tables import show

    rows = [asdict(registration) for registration in list_registrations(_config(asked), asked.address or "")]
    show(("address", "contact", "expires_in", "q", "received", "user_agent"), rows, asked.json, "nobody is registered")
    return OK


def _reg_rm(asked: argparse.Namespace) -> int:
    from routing.program.registrations import remove_registrations

    removed = remove_registrations(_config(asked), asked.address, asked.contact or "")
    if not removed:
        raise RingwayError(f"{asked.address} has no registrations")
    print(f"removed {removed} registration{'' if removed == 1 else 's'}")
    return OK


def _db_init(asked: argparse.Namespace) -> int:
    from routing.program.databases import initialise

    config = _config(asked)
    added = initialise(config).added
    print(f"{config.database_file}: " + ("added " + "; ".join(added) if added else "was up to date"))
    return OK


def _db_check(asked: argparse.Namespace) -> int:
    from routing.program.databases import check
    from routing.program.tables import show

    config = _config(asked)
    found = [finding._asdict() for finding in check(config)]
    show(("problem", "remedy"), found, asked.json, f"{config.database_file}: good")
    return FAILURE if found else OK


def _cert_self_signed(asked: argparse.Namespace) -> int:
    from routing.program.certificates import default_names, make_self_signed

    print(make_self_signed(asked.name or default_names(os.environ), asked.dir), end="")
    return OK
