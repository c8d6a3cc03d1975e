"""A Python function of the operator, learnt from its file: what it may look like, and that nothing of it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from routing.runtime.python_source import PythonSource, Unfit, module_names, read_function


def read(folder: Path, text: str, function: str = "f", module: str = "numbers") -> PythonSource:
    (folder / "numbers.py").write_text(text)
    return read_function(module, function, folder)


def refused(folder: Path, text: str, function: str = "f", module: str = "numbers") -> tuple[str, str]:
    with pytest.raises(Unfit) as caught:
        read(folder, text, function, module)
    return str(caught.value).replace(f"{folder}/", ""), caught.value.hint


EVERYTHING = '''
"""Numbers."""
import typing as t
from typing import Optional
from routing.runtime import Duration
import routing.runtime
import sipcore.uri as uris
from sipcore.uri import Uri as Address

def f(number: str, count: int, /, share: float = 0.5, sure: "bool" = True, *rest: list[str],
      wait: Duration, to_: Address, via: uris.Uri | None = None, also: Optional[str] = None,
      long: routing.runtime.Duration = 0.0, many: "t.List[Address]" = []) -> list[Address]:
    """Find a number.

    More of it.
    """
    return []
'''


def test_everything_that_a_function_may_take(tmp_path: Path) -> None:
    source = read(tmp_path, EVERYTHING)
    signature = source.signature("find", None)
    assert str(signature) == (
        "find(number: text, count: number, share: number?, sure: truth?, ...rest: list of text, wait: duration, "
        "to: uri, via: uri?, also: text?, long: duration?, many: list of uri?)"
    )
    assert [(one.name, one.keyword) for one in signature.parameters if one.labelled][:2] == [
        ("wait", "wait"),
        ("to", "to_"),
    ]
    assert str(signature.result) == "list of uri"
    assert (signature.summary, signature.module, signature.waits) == ("Find a number.", "functions", True)
    assert (source.file, source.line, source.waits) == (tmp_path / "numbers.py", 10, False)


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("str", "text"), ("int", "number"), ("float", "number"), ("bool", "truth"), ("'str'", "text"),
        ("list[int]", "list of number"), ("list[list[str]]", "list of list of text"), ("None", "nothing"),
        ("'None'", "nothing"),
    ],
)  # fmt: skip
def test_results(written: str, type_: str, tmp_path: Path) -> None:
    assert str(read(tmp_path, f"def f() -> {written}: ...").result.type) == type_


def test_an_async_function_and_one_that_stands_deeper(tmp_path: Path) -> None:
    text = "import sys\nif sys.platform:\n    try:\n        async def f() -> str: ...\n    finally:\n        pass\n"
    assert read(tmp_path, text).waits


def test_the_last_of_several_counts(tmp_path: Path) -> None:
    assert read(tmp_path, "def f() -> int: ...\ndef f() -> str: ...\n").line == 2


def test_a_change_of_the_file_is_another_source(tmp_path: Path) -> None:
    first = read(tmp_path, "def f() -> int: return 1\n")
    assert read(tmp_path, "def f() -> int: return 1\n") == first
    assert read(tmp_path, "def f() -> int: return 2\n") != first


IMPORTED = "it must be written there with `def`; what is imported does not count"
KNOWN = "str, int, float, bool, Duration, Uri, or a list of one"
GIVES = f"a function gives {KNOWN}, or None"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("def g() -> str: ...", "numbers.py has no function `f`", "there are g"),
        ("def g() -> str: ...\ndef fo() -> str: ...", "numbers.py has no function `f`", "did you mean `fo`?"),
        ("from os import f", "numbers.py has no function `f`", IMPORTED),
        ("class f: ...", "numbers.py has no function `f`", IMPORTED),
        ("\ndef f(a) -> str: ...", "numbers.py:2: `a` has no type", "write it, as in `a: str`"),
        ("def f(a: str): ...", "numbers.py:1: it does not say what it gives", "write it, as in `-> str`; or `-> None`"),
        ("def f() -> str | None: ...", "numbers.py:1: the language has no type for `str | None`", GIVES),
        ("def f(**a: str) -> str: ...", "numbers.py:1: `**a` has no meaning in a route", ""),
        ("def f(:\n", "numbers.py:1:7: invalid syntax", ""),
        ("def f() -> str:\n", "numbers.py:1:16: expected an indented block after function definition on line 1", ""),
    ],
)
def test_what_can_not_be_offered(text: str, message: str, hint: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text) == (message, hint)


@pytest.mark.parametrize(
    "written",
    [
        "dict[str, str]", "None", "'str('", "3", "list", "Uri", "Other", "str | int", "dict[list[bytes], 1]",
        "list[None]", "bytes", "Optional[str]", "f()", "f().g",
    ],
)  # fmt: skip
def test_types_that_the_language_has_not(written: str, tmp_path: Path) -> None:
    text = f"from decimal import Decimal as Other\ndef f(a: {written}) -> str: ..."
    assert refused(tmp_path, text) == (
        f"numbers.py:2: `a`: the language has no type for `{written}`",
        f"a function takes {KNOWN}",
    )


def test_a_name_means_what_it_was_imported_as(tmp_path: Path) -> None:
    text = "from decimal import Decimal as str\ndef f(a: str) -> int: ..."
    assert refused(tmp_path, text)[0] == "numbers.py:2: `a`: the language has no type for `str`"


def test_files_that_are_no_python(tmp_path: Path) -> None:
    assert refused(tmp_path, "\0")[0].startswith("numbers.py")
    assert "too many nested parentheses" in refused(tmp_path, "x = " + "(" * 5000)[0]
    assert refused(tmp_path, "x = " + "-" * 200_000 + "1")[0].startswith("numbers.py")
    assert refused(tmp_path, "#" * 1_000_001)[0] == "numbers.py is larger than 1,000,000 bytes"
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(Unfit):
        read_function("latin", "f", tmp_path)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("numberz", "there is no module `numberz`"),
        ("numberz.inner", "there is no module `numberz`"),
        ("numbers.inner", "there is no module `numbers.inner`"),
        ("os.nothing", "there is no module `os.nothing`"),
        ("sys", "the module `sys` has no Python source"),
        ("__main__", ""),
        ("space", "the module `space` has no Python source"),
    ],
)
def test_modules_that_are_not_there(module: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    text, _ = refused(tmp_path, "def f() -> str: ...", module=module)
    assert text.startswith(message)


def test_the_folder_goes_before_what_python_has(tmp_path: Path) -> None:
    import numbers

    assert read(tmp_path, "def f() -> str: ...").file == tmp_path / "numbers.py"
    assert sys.modules["numbers"] is numbers


def test_what_is_installed_is_found(tmp_path: Path) -> None:
    """A module of Python itself stands for any that is installed."""
    with pytest.raises(Unfit) as caught:
        read_function("email.utils", "formatdate", tmp_path)
    assert str(caught.value).startswith("utils.py:")
    assert str(caught.value).endswith("`timeval` has no type")


def test_nothing_runs_neither_the_file_nor_the_packages_around_it(tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    writes = f"open({str(marker)!r}, 'w').close()\n"
    inner = tmp_path / "acme" / "calls"
    inner.mkdir(parents=True)
    for file in (tmp_path / "acme" / "__init__.py", inner / "__init__.py"):
        file.write_text(writes)
    (inner / "fraud.py").write_text(writes + f"@{'staticmethod'}\ndef f(a: str = {writes.strip()}) -> str: ...\n")
    source = read_function("acme.calls.fraud", "f", tmp_path)
    assert source.file == inner / "fraud.py"
    assert not marker.exists()
    assert not [name for name in sys.modules if name.partition(".")[0] == "acme"]


def test_names_of_modules() -> None:
    assert all(map(module_names, ("a", "a.b", "a_1.b2")))
    assert not any(map(module_names, ("", "a.", ".a", "a-b", "1a", "a b", "é")))
