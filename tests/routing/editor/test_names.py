"""Names: what each stands for, where else it stands, and what it can be called instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.editor.analysis import Analysis
from routing.language.editor.names import Kind, declarations
from routing.language.editor.renaming import Refused, renamable, rename

At = Callable[[str], tuple[Analysis, int]]
FILE = """shared seen: number for 10m

on request {
    let number = from.user
    number = number + "1"
    shared.seen[number] = 1
    if number in shared.seen { call user(time: 20s, who: number) }
    for number2 in lookup(request.uri) { ring(number2, edit: tidy) }
    call user(10s, number)
}

route user(time: duration, who: text) {
    call.who = who
    log(call.who, call.never)
    ring(lookup(request.uri), for: time, edit: tidy, replies: clean)
    match who { "time" => drop() }
    reply(outcome)
}

branch tidy(branch) { branch.from.display = call.who }

reply clean(reply) { log(reply.reason) }

on reply { log(reply.code) }
"""


def marked(word: str, number: int = 0) -> str:
    """The file with the cursor in one occurrence of a word."""
    offset = -1
    for _ in range(number + 1):
        offset = FILE.index(word, offset + 1)
    return f"{FILE[: offset + 1]}|{FILE[offset + 1 :]}"


def lines(analysis: Analysis, offset: int) -> list[int]:
    """The lines where what stands at a place is named."""
    occurrence = analysis.occurrence(offset)
    return [one.span.line for one in analysis.names.of(occurrence.symbol)] if occurrence else []


@pytest.mark.parametrize(
    ("word", "number", "kind", "found"),
    [
        ("seen", 0, Kind.SHARED, [1, 6, 7]),
        ("number =", 1, Kind.LOCAL, [4, 5, 5, 6, 7, 7, 9]),
        ("number2", 0, Kind.LOCAL, [8, 8]),
        ("user(", 0, Kind.ROUTE, [7, 9, 12]),
        ("time", 0, Kind.LOCAL, [7, 12, 15]),
        ("who:", 0, Kind.LOCAL, [7, 12, 13, 16]),
        ("who =", 0, Kind.CALL, [13, 14, 20]),
        ("never", 0, Kind.CALL, [14]),
        ("tidy", 0, Kind.EDIT, [8, 15, 20]),
        ("clean", 0, Kind.EDIT, [15, 22]),
        ("branch)", 0, Kind.LOCAL, [20, 20]),
        ("reply.reason", 0, Kind.LOCAL, [22, 22]),
        ("reply.code", 0, Kind.LOCAL, [24, 24]),
    ],
)
def test_each_name_is_found_everywhere(at: At, word: str, number: int, kind: Kind, found: list[int]) -> None:
    analysis, offset = at(marked(word, number))
    occurrence = analysis.occurrence(offset)
    assert occurrence is not None and occurrence.symbol.kind is kind
    assert lines(analysis, offset) == found


@pytest.mark.parametrize("word", ["outcome)", "request.uri", "lookup", "duration,", "display", "20s", '"time"'])
def test_what_is_no_name_of_the_file(at: At, word: str) -> None:
    analysis, offset = at(marked(word))
    assert analysis.occurrence(offset) is None


def test_declarations_are_told_apart(at: At) -> None:
    analysis, offset = at(marked("who =", 0))
    occurrence = analysis.occurrence(offset)
    assert occurrence is not None
    assert [one.span.line for one in declarations(analysis.names.of(occurrence.symbol))] == [13]


def test_a_name_of_one_block_is_not_that_of_another(at: At) -> None:
    text = "on request { if a { let x = 1 log(|x) } else { let x = 2 log(x) } }"
    analysis, offset = at(text)
    occurrence = analysis.occurrence(offset)
    assert occurrence is not None and len(analysis.names.of(occurrence.symbol)) == 2


def test_what_is_known_where(at: At) -> None:
    def known(word: str, number: int = 0) -> set[str]:
        analysis, offset = at(marked(word, number))
        return {one.symbol.name for one in analysis.names.known_at(*analysis.source.place(offset))}

    assert known("from.user") == set()
    assert known("shared.seen[") == {"number"}
    assert known("ring(number2") == {"number", "number2"}
    assert known("call user(10s") == {"number"}
    assert known("log(call.who") == {"time", "who"}


# -- renaming ---------------------------------------------------------------------------------------------------------


def renamed(analysis: Analysis, offset: int, name: str) -> str:
    return analysis.source.changed(rename(analysis, offset, name))


@pytest.mark.parametrize(
    ("word", "number", "new", "changes"),
    [
        ("user(", 0, "phones", [("user(", "phones(")]),
        ("tidy", 0, "polish", [("tidy", "polish")]),
        ("clean", 1, "polish", [("clean", "polish")]),
        ("seen", 1, "failures", [("seen", "failures")]),
        ("number2", 1, "phone", [("number2", "phone")]),
        ("time", 0, "limit_", [("time:", "limit_:"), ("for: time", "for: limit_")]),
        ("never", 0, "ever", [("never", "ever")]),
    ],
)
def test_a_new_name_everywhere(at: At, word: str, number: int, new: str, changes: list[tuple[str, str]]) -> None:
    analysis, offset = at(marked(word, number))
    wanted = FILE
    for old, now in changes:
        wanted = wanted.replace(old, now)
    assert renamed(analysis, offset, new) == wanted
    assert renamable(analysis, offset).name == FILE[slice(*renamable(analysis, offset).range)]


def test_a_variable_of_the_call(at: At) -> None:
    analysis, offset = at(marked("who =", 0))
    assert renamed(analysis, offset, "caller") == FILE.replace("call.who", "call.caller")


@pytest.mark.parametrize(
    ("word", "new", "why"),
    [
        ("user(", "if", "`if` is a word of the language"),
        ("user(", "2nd", "`2nd` is no name"),
        ("user(", "", "`` is no name"),
        ("user(", "ring", "line 12 would be wrong: `ring` is a function already"),
        ("tidy", "clean", "line 8 would be wrong: expected a branch function"),
        ("number2", "number", "line 8 would be wrong: `number` was given a value in line 4"),
        ("time", "who", "would be wrong"),
        ("who =", "never", "`never` is the name of something else here"),
        ("reply.code", "answer", "`reply` is what `on reply` is about"),
        ("outcome)", "x", "only names of this file can be renamed"),
    ],
)
def test_a_name_that_would_not_be_right_is_refused(at: At, word: str, new: str, why: str) -> None:
    analysis, offset = at(marked(word))
    with pytest.raises(Refused) as refused:
        rename(analysis, offset, new)
    assert why in str(refused.value)


def test_a_file_with_mistakes_elsewhere_can_be_renamed_in(at: At) -> None:
    analysis, offset = at("on request { let |x = 1 log(x, y) unknown() drop() }")
    assert renamed(analysis, offset, "z") == "on request { let z = 1 log(z, y) unknown() drop() }"


def test_a_file_that_does_not_parse_is_mended_first(at: At) -> None:
    analysis, offset = at("on request {\n    let |x = 1\n    log(x\n}\n")
    with pytest.raises(Refused, match="correct the mistake in line 4 first"):
        rename(analysis, offset, "y")
