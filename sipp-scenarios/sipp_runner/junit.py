"""Results in the XML form that CI systems read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from sipp_runner.performance import Result

# XML 1.0 has no place for these; SIPp's error texts may hold them.
_NOT_IN_XML: dict[int, str | None] = {code: None for code in range(32) if code not in (9, 10, 13)}


def write_junit(results: Sequence[Result], file: Path) -> None:
    """One suite with a test case for each result."""
    failures = sum(not result.ok for result in results)
    seconds = sum(result.seconds for result in results)
    numbers = {"tests": str(len(results)), "failures": str(failures), "errors": "0", "time": f"{seconds:.3f}"}
    suite = ElementTree.Element("testsuite", {"name": "sipp-scenarios", **numbers})
    for result in results:
        attributes = {"classname": "sipp-scenarios", "name": result.name, "time": f"{result.seconds:.3f}"}
        element = ElementTree.SubElement(suite, "testcase", attributes)
        ElementTree.SubElement(element, "system-out").text = result.line()
        if not result.ok:
            failure = ElementTree.SubElement(element, "failure", message=result.problems[0].partition("\n")[0])
            failure.text = "\n".join(result.problems).translate(_NOT_IN_XML)
    ElementTree.ElementTree(suite).write(file, "utf-8", xml_declaration=True)
