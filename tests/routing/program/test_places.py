"""Every key of a TOML text is found where it stands."""

import tomllib

import pytest

from routing.program.places import Place, Places

TEXT = '''# listen = "in a comment"
listen = ["udp:[::]:5060", # a ] in a comment
  {uri = "tcp:192.0.2.1:5060", advertise = 'a, b'},
]
domains = []
a.b."c \\"d" = 1979-05-27 07:32:00

[database]
  url = """two
"quoted" ]
lines"""
[[gateway]]
weight = 1
[[gateway]]
weight = {inner = [1, [2, 3]]}
[gateway.probe]
on = true
'''

EXPECTED = {
    ("listen",): Place(2, 1, 2, 10),
    ("listen", 0): Place(2, 11, 2, 11),
    ("listen", 1): Place(3, 3, 3, 3),
    ("listen", 1, "uri"): Place(3, 4, 3, 10),
    ("listen", 1, "advertise"): Place(3, 32, 3, 44),
    ("domains",): Place(5, 1, 5, 11),
    ("a",): Place(6, 1, 6, 1),
    ("a", "b"): Place(6, 1, 6, 1),
    ("a", "b", 'c "d'): Place(6, 1, 6, 15),
    ("database",): Place(8, 1, 8, 1),
    ("database", "url"): Place(9, 3, 9, 9),
    ("gateway", 0, "weight"): Place(13, 1, 13, 10),
    ("gateway", 1): Place(14, 1, 14, 1),
    ("gateway", 1, "weight", "inner"): Place(15, 11, 15, 19),
    ("gateway", 1, "weight", "inner", 1, 1): Place(15, 27, 15, 27),
    ("gateway", 1, "probe", "on"): Place(17, 1, 17, 6),
}


@pytest.mark.parametrize(("path", "place"), EXPECTED.items())
def test_a_key_is_found_at_its_line_and_column(path: tuple[str | int, ...], place: Place) -> None:
    assert Places(TEXT).find(path) == place


def test_the_sample_is_what_tomllib_reads_too() -> None:
    """Otherwise the table above would speak of another language."""
    data = tomllib.loads(TEXT)
    for path in EXPECTED:
        value = data
        for key in path:
            value = value[key]


def test_an_unknown_key_is_placed_at_the_table_around_it() -> None:
    assert Places(TEXT).find(("database", "missing")) == Place(8, 1, 8, 1)
    assert Places(TEXT).find(("missing",)) == Place(1, 1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "a = 1",
        "a = 'x' # no newline at the end",
        "a = ''''quoted''''\nb = 2",
        'a = """x\\"""" \nb = 2',
        "a = [\n  1,\n  2, # two\n]\nb = 2",
        "a = {}\nb = 2",
        "'x.y' . z = 1\nb = 2",
        "a = [{x = 1}, {x = 2}]\nb = 2",
    ],
)
def test_odd_but_legal_texts_are_walked_to_their_end(text: str) -> None:
    places = Places(text)
    for key in tomllib.loads(text):
        assert places.find((key,)) != Place(0, 0, 0, 0)
    if "b" in tomllib.loads(text):
        lines = text.split("\n")
        assert places.find(("b",)) == Place(len(lines), 1, len(lines), 5)
