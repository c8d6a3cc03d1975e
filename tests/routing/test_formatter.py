"""The layout of route files: each rule shown by what goes in and what comes out; what comes out stays as it is."""

from __future__ import annotations

import pytest

from routing.language.formatter import LayoutFault, format_routes, same
from routing.language.parser import parse
from routing.language.problem import Report, render
from routing.language.written import Written
from tests.layouts import check_inside, check_layout, formatted

# -- words ------------------------------------------------------------------------------------------------------------


def test_words_are_one_space_apart_and_brackets_are_tight() -> None:
    check_inside(
        """
        let  x=request . uri.parameter [ "transport" ]
        x   =  "a"+x
        call.y =2*3   -1
        reply( 486 ,retry_after : 60s )
        if x matches/^a/i or(x=="b"and not(source.ip in 10.0.0.0/8)) { drop(  ) }
        if outcome.code in[486,600 .. 699] { drop() }
        if x not   in [] { drop() }
        """,
        """
        let x = request.uri.parameter["transport"]
        x = "a" + x
        call.y = 2 * 3 - 1
        reply(486, retry_after: 60s)
        if x matches /^a/i or (x == "b" and not (source.ip in 10.0.0.0/8)) { drop() }
        if outcome.code in [486, 600..699] { drop() }
        if x not in []                     { drop() }
        """,
    )


def test_items_are_written_like_that() -> None:
    check_layout(
        """
        shared a :number for 10m
        shared b: text   for 1h
        on   request{reply( 404 )}
        route r(a:text,b : list   of number){drop()}
        branch out( branch ){remove(branch.header["X-*"])}
        reply tidy(reply) {}
        """,
        """\
        shared a: number for 10m
        shared b: text for 1h
        on request                             { reply(404) }
        route r(a: text, b: list of number)    { drop() }
        branch out(branch)                     { remove(branch.header["X-*"]) }
        reply tidy(reply)                      { }
        """.replace("    { ", " { "),
    )


def test_a_comma_at_the_end_of_one_line_is_not_needed_but_says_that_items_stay_apart() -> None:
    check_inside(
        'log("x", 1)\nlog("x", 1,)\nlet y = [1,\n2]\nlet z = [1, 2,]',
        """
        log("x", 1)
        log(
            "x",
            1,
        )
        let y = [1, 2]
        let z = [
            1,
            2,
        ]
        """,
    )


# -- lines and blocks -------------------------------------------------------------------------------------------------


def test_a_statement_has_a_line_of_its_own() -> None:
    check_inside("save() drop()   reply(404)", "save()\ndrop()\nreply(404)")


def test_a_block_in_one_line_stays_there() -> None:
    check_inside(
        """
        if a { x() }
        if a {
            x()
        }
        for one in b { x()   call y() call.z=1 }
        x() else { }
        """,
        """
        if a { x() }
        if a {
            x()
        }
        for one in b { x()  call y()  call.z = 1 }
        x() else     { }
        """,
    )


def test_a_block_is_opened_when_it_does_not_fit_or_holds_another_one() -> None:
    check_inside(
        """
        if request.method == "OPTIONS" and request.uri.user == "" and source.ip in domains { reply(200, "x") }
        if a { if b { x() } }
        if a { match b { 1 => x() } }
        if a { x() else { y() } }
        on_the_edge_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa() else { bbbbbbbbbbbbbb() }
        over_edge_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa() else { bbbbbbbbbbbbbbb() }
        """,
        """
        if request.method == "OPTIONS" and request.uri.user == "" and source.ip in domains {
            reply(200, "x")
        }
        if a {
            if b { x() }
        }
        if a {
            match b {
                1 => x()
            }
        }
        if a {
            x() else { y() }
        }
        on_the_edge_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa() else { bbbbbbbbbbbbbb() }
        over_edge_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa() else {
            bbbbbbbbbbbbbbb()
        }
        """,
    )


def test_the_blocks_of_one_if_are_all_alike() -> None:
    check_inside(
        """
        if a { x() } else if b { y() } else { z() }
        if a { x() } else {
            z() }

        if a { x() } else if b { if c { y() } } else { }
        """,
        """
        if a      { x() }
        else if b { y() }
        else      { z() }
        if a {
            x()
        } else {
            z()
        }

        if a {
            x()
        } else if b {
            if c { y() }
        } else {
        }
        """,
    )


def test_empty_lines_stay_one_at_a_time_and_not_at_the_edges() -> None:
    check_layout(
        "\n\n\non request {\n\n\n    x()\n\n\n\n    y()\n    z()\n\n}\n\n\n",
        "on request {\n    x()\n\n    y()\n    z()\n}\n",
    )


def test_an_empty_line_stands_around_blocks_of_several_lines() -> None:
    check_layout(
        "shared a: text for 1h\non request {\n x()\n}\n# next\nroute r() { x() }\nroute s() { x() }\n",
        "shared a: text for 1h\n\non request {\n    x()\n}\n\n# next\nroute r() { x() }\nroute s() { x() }\n",
    )


def test_an_empty_line_that_is_there_is_not_doubled() -> None:
    text = "on request {\n    x()\n}\n# of the block above\n\nroute r() {\n    x()\n}\n"
    check_layout(text, text)


def test_match_has_an_arm_a_line() -> None:
    check_inside(
        """
        match a { 1 , 2=>x()  /b/ => call y() in [ 3 ]=>{x() y()} 4 => { if b { x() } }
            else=>{
                x()
            } }
        match a {}
        """,
        """
        match a {
            1, 2   => x()
            /b/    => call y()
            in [3] => { x()  y() }
            4      => {
                if b { x() }
            }
            else => {
                x()
            }
        }
        match a {
        }
        """,
    )


# -- what does not fit ------------------------------------------------------------------------------------------------

LONG = "a_name_of_thirty_characters_xxx"


def test_arguments_go_one_a_line() -> None:
    check_inside(
        f"ring({LONG}, for: {LONG}, edit: {LONG})\ncall r({LONG}, {LONG}, {LONG})",
        f"""
        ring(
            {LONG},
            for: {LONG},
            edit: {LONG},
        )
        call r(
            {LONG},
            {LONG},
            {LONG},
        )
        """,
    )


def test_only_the_brackets_that_are_too_long_are_opened() -> None:
    check_inside(
        f"ring([{LONG}, {LONG}], for: {LONG}[x])\nlet y = f(g({LONG}, {LONG}, {LONG}, {LONG}))",
        f"""
        ring(
            [{LONG}, {LONG}],
            for: {LONG}[x],
        )
        let y = f(
            g(
                {LONG},
                {LONG},
                {LONG},
                {LONG},
            ),
        )
        """,
    )


def test_parameters_of_a_route_go_one_a_line_without_a_last_comma() -> None:
    check_layout(
        f"route r({LONG}: text, b{LONG}: list of number, c{LONG}: text) {{ x() }}",
        f"""\
        route r(
            {LONG}: text,
            b{LONG}: list of number,
            c{LONG}: text
        ) {{
            x()
        }}
        """,
    )


def test_a_long_condition_has_an_operator_before_each_line_and_its_brace_below() -> None:
    check_inside(
        f"""
        if {LONG} and {LONG} and {LONG} {{ x() }}
        else if not ({LONG} == 1 or {LONG} == 1 or {LONG} == 1) {{ y() }}
        for one in {LONG} + {LONG} + {LONG} {{ x() }}
        """,
        f"""
        if {LONG}
            and {LONG}
            and {LONG}
        {{
            x()
        }} else if not (
            {LONG} == 1
                or {LONG} == 1
                or {LONG} == 1
        ) {{
            y()
        }}
        for one in {LONG}
            + {LONG}
            + {LONG}
        {{
            x()
        }}
        """,
    )


def test_a_comparison_is_opened_in_its_brackets() -> None:
    check_inside(
        f"if a in [{LONG}, {LONG}, {LONG}] {{ x() }}\nif {LONG} == {LONG} + {LONG} {{ x() }}",
        f"""
        if a in [
            {LONG},
            {LONG},
            {LONG},
        ] {{
            x()
        }}
        if {LONG}
            == {LONG} + {LONG}
        {{
            x()
        }}
        """,
    )


def test_long_cases_of_an_arm_go_one_a_line() -> None:
    check_inside(
        f'match a {{ "{LONG}", "{LONG}", "{LONG}" => x()\n1 => f({LONG}, {LONG}, {LONG}) }}',
        f"""
        match a {{
            "{LONG}",
            "{LONG}",
            "{LONG}" => x()
            1                                 => f(
                {LONG},
                {LONG},
                {LONG},
            )
        }}
        """.replace("1                                 =>", "1 =>"),
    )


def test_a_text_is_never_taken_apart() -> None:
    text = '"' + "x" * 150 + '"'
    check_inside(f"reply(404, {text})", f"reply(\n    404,\n    {text},\n)")


# -- columns ----------------------------------------------------------------------------------------------------------


def test_neighbours_share_columns_of_blocks_and_comments() -> None:
    check_inside(
        """
        if a { x() } # one
        if a == 1 { x() }   # two
        x() # three

        if abc { x() }
        # a line between
        if a { x() }
        """,
        """
        if a      { x() }  # one
        if a == 1 { x() }  # two
        x()                # three

        if abc { x() }
        # a line between
        if a { x() }
        """,
    )


def test_a_line_of_another_indentation_is_no_neighbour() -> None:
    check_inside(
        "if abcdef {   # one\nx() # two\n}",
        "if abcdef {  # one\n    x()  # two\n}",
    )


def test_a_head_much_longer_than_the_others_keeps_out() -> None:
    check_inside(
        f"if a {{ x() }}\nif bc {{ x() }}\nif {LONG} {{ x() }}\nx() # a\n{LONG}.y = 1 # b",
        f"if a  {{ x() }}\nif bc {{ x() }}\nif {LONG} {{ x() }}\nx()  # a\n{LONG}.y = 1  # b",
    )


def test_a_head_that_leaves_its_neighbour_no_room_keeps_out() -> None:
    long, tail = "a" * 60, "b" * 30
    check_inside(
        f"if {long} {{ x() }}\nif {long[20:]} {{ {tail}() }}\nif {long[30:]} {{ {tail}() }}",
        f"if {long} {{ x() }}\nif {long[20:]} {{ {tail}() }}\nif {long[30:]}           {{ {tail}() }}",
    )


# -- characters -------------------------------------------------------------------------------------------------------


def test_line_ends_tabs_and_byte_order_marks() -> None:
    assert (
        formatted("\N{BYTE ORDER MARK}on request {\r\n\tx() # why \t\r\n}\r\n") == "on request {\n    x()  # why\n}\n"
    )


def test_what_stands_in_comments_and_texts_is_not_touched() -> None:
    check_inside('log("a  #  b {", /#{2}/) #no  space', 'log("a  #  b {", /#{2}/)  #no  space')


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_text_with_mistakes_is_not_formatted() -> None:
    text = "on request {\n    reply(404\n}\n"
    report = Report("main.route", text)
    assert format_routes(text, report) is None
    assert [render(problem, text) for problem in report.problems] == [
        'error: main.route:3:1: expected "," or ")" before "}"\n    }\n    ^'
    ]


@pytest.mark.parametrize("deep", ["(" * 3000 + "a" + ")" * 3000, "[" * 3000 + "]" * 3000, "not " * 3000 + "a"])
def test_a_text_that_is_too_deep_is_refused(deep: str) -> None:
    report = Report("main.route", text := f"on request {{ let x = {deep} }}")
    assert format_routes(text, report) is None
    assert report.failed


def test_a_layout_that_says_something_else_is_never_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.language.formatter.Formatter.rendered", lambda self: "on request { drop() }\n")
    with pytest.raises(LayoutFault, match=r"main\.route: left as it is"):
        format_routes("on request { reply(404) }", Report("main.route", ""))


def test_trees_are_compared_without_their_places() -> None:
    def tree_of(text: str) -> object:
        return parse(text, Report("", text))

    one = tree_of("on request { if a { reply(404) } }")
    assert same(one, tree_of("on request {\n if a {\n reply( 404 ) } }"))
    for other in ("{ if a { reply(405) } }", "{ if b { reply(404) } }", "{ if a { reply(404) } else { } }", "{ }"):
        assert not same(one, tree_of(f"on request {other}"))


def test_every_token_of_a_text_is_there_with_its_line() -> None:
    written = Written("# a\non request { # b\n\n# c\nx(1,\n2) }")
    assert " ".join(written.texts) == "on request { x ( 1 , 2 ) }"
    assert written.lines == [2, 2, 2, 5, 5, 5, 5, 6, 6, 6]
    assert [comment.text for around in written.around for comment in around.before] == ["# a", "# c"]
    assert [around.behind.text for around in written.around if around.behind] == ["# b"]
    assert written.has_comments(2, 3) and not written.has_comments(3, 9)
