from __future__ import annotations

import pytest

from sipcore.message.layout import layout_of

NAMES = ("to", "via", "call-id", "via", "max-forwards", "from", "cseq", "record-route", "timestamp", "subject")


def test_the_first_line_of_each_header() -> None:
    layout = layout_of(NAMES)
    assert (layout.to, layout.via, layout.call_id, layout.from_, layout.cseq, layout.max_forwards) == (0, 1, 2, 5, 6, 4)
    assert layout.fault == ""
    assert layout_of(NAMES) is layout


def test_a_message_without_max_forwards() -> None:
    assert layout_of(NAMES[:4] + NAMES[5:]).max_forwards == -1


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (("via", "to"), (0,)),
        (("to", "via", "via"), (1, 2)),
        (("via", "to", "route"), (0, 2)),
        ((), ()),
        (("via", "record-route"), (0,)),
    ],
)
def test_the_hops_of_a_message_are_its_via_and_route_lines(names: tuple[str, ...], places: tuple[int, ...]) -> None:
    lines = [b"%d" % at for at in range(len(names))]
    assert layout_of(names).hops(lines) == tuple(b"%d" % at for at in places)


@pytest.mark.parametrize("missing", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_missing_header_is_a_fault(missing: str) -> None:
    names = tuple(name for name in NAMES if name != missing.lower())
    assert layout_of(names).fault == f"No {missing}"


@pytest.mark.parametrize("twice", ["From", "To", "Call-ID", "CSeq", "Max-Forwards"])
def test_a_header_that_is_there_twice_is_a_fault(twice: str) -> None:
    assert layout_of((*NAMES, twice.lower())).fault == f"More than one {twice}"


def test_what_a_response_copies() -> None:
    lines = [name.encode() for name in NAMES]
    copied = layout_of(NAMES).copied
    assert copied.names == ["to", "via", "call-id", "via", "from", "cseq", "timestamp"]
    assert copied.pick(lines) == tuple(name.encode() for name in copied.names)
    assert copied.names[copied.to] == "to"
    assert layout_of(NAMES).dialog_copied.names == [
        "to",
        "via",
        "call-id",
        "via",
        "from",
        "cseq",
        "record-route",
        "timestamp",
    ]


@pytest.mark.parametrize("names", [(), ("via",), ("subject",), ("via", "to")])
def test_what_a_response_to_very_little_copies(names: tuple[str, ...]) -> None:
    copied = layout_of(names).copied
    wanted = [name for name in names if name != "subject"]
    assert copied.names == wanted
    assert copied.pick([name.encode() for name in names]) == tuple(name.encode() for name in wanted)
    assert copied.to == (wanted.index("to") if "to" in wanted else -1)
