"""Starts Ringway as `python -m routing.program` does, with names or a clock of the test's own.

    python -m tests.launcher [--hosts FILE] [--rate RATE] -- PYTHON -m routing.program run -f FILE

`--hosts` stands in place of /etc/hosts; with `--rate 20` the server's clock runs twenty times as fast, so that its
timers can be waited for.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from functools import partial
from pathlib import Path

import trio
import trio.testing

import sipcore.net.hosts


def main() -> None:
    """Prepare what was asked for, then be the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=Path)
    parser.add_argument("--rate", type=float)
    parser.add_argument("program", nargs="+")
    wanted = parser.parse_args()
    if wanted.hosts:
        sipcore.net.hosts.HostsFile.__init__.__defaults__ = (wanted.hosts,)  # type: ignore[misc]
    if wanted.rate:
        trio.run = partial(trio.run, clock=trio.testing.MockClock(rate=wanted.rate))
    module = wanted.program[wanted.program.index("-m") + 1]
    sys.argv = [module, *wanted.program[wanted.program.index("-m") + 2 :]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


main()
