"""The command line of `run.py`."""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from sipp_runner.accounts import Account, parse_account, read_accounts
from sipp_runner.case import BadCase, Case, read_case
from sipp_runner.junit import write_junit
from sipp_runner.performance import Result
from sipp_runner.session import FOLDER, Session, Wishes
from sipp_runner.target import CALLEE, CALLER, Target, parse_target

_T = TypeVar("_T")


def _argument(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """For argparse: the sentence of a ValueError is the message."""

    def checked(text: str) -> _T:
        try:
            return parse(text)
        except (OSError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(f"{text} is not above 0")
    return number


def _users(text: str) -> list[Account]:
    return read_accounts(Path(text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev sipp", description="Run SIPp scenarios against a Ringway of their own, or a server that is running."
    )
    parser.add_argument("case", nargs="*", help="folders to run; all when none is named")
    parser.add_argument("--list", action="store_true", help="print the cases and end")
    parser.add_argument("--rate", type=_argument(_positive), metavar="R", help="calls begun each second")
    parser.add_argument("--calls", type=_argument(int), metavar="N", help="calls of each case")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep SIPp's and the server's files there")
    running = parser.add_argument_group("a server that is running")
    running.add_argument("--target", type=_argument(parse_target), metavar="HOST:PORT", help="test this server")
    running.add_argument("--domain", default="example.com", help="a domain it serves (%(default)s)")
    for name, default, what in (("--caller", CALLER, "who calls"), ("--callee", CALLEE, "who is called")):
        running.add_argument(name, default=default, type=_argument(parse_account), metavar="USER:PASSWORD", help=what)
    running.add_argument(
        "--users", type=_argument(_users), metavar="FILE", help="who registers in `register`: lines of user;password"
    )
    return parser


def _cases(names: Sequence[str]) -> list[Case]:
    known = {file.parent.name: file.parent for file in sorted(FOLDER.glob("*/case.toml"))}
    problems = []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            problems.append(f"there is no case {name}" + (f" (did you mean {near[0]}?)" if near else "; see --list"))
    cases = []
    for name in [name for name in names if name in known] or (known if not names else []):
        try:
            cases.append(read_case(known[name]))
        except BadCase as error:
            problems += error.problems
    if problems:
        raise BadCase(problems)
    return cases


def _wishes(arguments: argparse.Namespace) -> Wishes:
    target = None
    if arguments.target:
        host, port = arguments.target
        target = Target(host, port, arguments.domain, arguments.caller, arguments.callee)
    users = arguments.users or read_accounts(FOLDER / "users.csv")
    return Wishes(arguments.domain, arguments.caller, arguments.callee, users, target, arguments.calls, arguments.rate)


def _show(result: Result) -> None:
    print(result.line(), flush=True)
    for problem in result.problems:
        print("    " + problem.replace("\n", "\n    "), flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 0 when every case went right, 1 when one failed, 2 when none could be run."""
    arguments = _parser().parse_args(words)
    try:
        cases = _cases(arguments.case)
    except BadCase as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.list:
        for case in cases:
            print(f"{case.name:<28} {case.description}")
        return 0
    if shutil.which("sipp") is None:
        print("sipp is missing. On Debian: apt-get install --no-install-recommends sip-tester", file=sys.stderr)
        return 2
    wishes = _wishes(arguments)
    if wishes.target and not wishes.target.is_there():
        print(f"nobody answers at {wishes.target.remote}, neither on UDP nor on TCP", file=sys.stderr)
        return 2
    results = []
    with Session(wishes, arguments.keep) as session:
        for case in cases:
            results.append(session.perform(case))
            _show(results[-1])
    if arguments.junit:
        write_junit(results, arguments.junit)
    return 0 if all(result.ok for result in results) else 1
