"""How many torture messages a running server treats as it should, printed at the end of the run."""

from __future__ import annotations

import re

import pytest

_NAMES = {"rfc4475": "RFC 4475", "rfc5118-wire": "RFC 5118"}
_TEST = re.compile(r"test_torture_on_the_wire\.py::test_message\[([a-z]+)-([\w-]+?)/.+\]")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """`torture: RFC 4475 50/50 udp 50/50 tcp, RFC 5118 12/12 udp 12/12 tcp`"""
    counts: dict[tuple[str, str], list[int]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            match = _TEST.search(report.nodeid)
            if match is not None and (report.when == "call" or outcome == "error"):
                count = counts.setdefault((match[2], match[1]), [0, 0])
                count[0] += outcome == "passed"
                count[1] += 1
    shown = []
    for folder, name in _NAMES.items():
        ways = [(by, counts[folder, by]) for by in ("udp", "tcp") if (folder, by) in counts]
        if ways:
            shown.append(name + "".join(f" {passed}/{of} {by}" for by, (passed, of) in ways))
    if shown:
        terminalreporter.write_line("torture: " + ", ".join(shown))
