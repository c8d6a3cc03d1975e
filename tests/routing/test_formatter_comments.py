"""Comments in the layout of route files: none is lost, and each stays with what it says something about."""

from __future__ import annotations

from tests.layouts import check_inside, check_layout


def test_comments_stay_where_they_are() -> None:
    check_layout(
        """
        # of the file

        # of the block
        on request { # begins
          # first
          x() # behind

            # before an empty line

          y()
        # last in the block
        } # ends
        # last in the file
        """,
        """\
        # of the file

        # of the block
        on request {  # begins
            # first
            x()  # behind

            # before an empty line

            y()
            # last in the block
        }  # ends
        # last in the file
        """,
    )


def test_comments_around_else() -> None:
    check_inside(
        """
        if a { x() } # one
        # two

        # three
        else { y() } # four
        if a {
            x()
        } # five
        else {   # six
            # seven
        }
        if a {
            x()
        }
        # eight
        else if b { y() }
        """,
        """
        if a { x() }  # one
        # two

        # three
        else { y() }  # four
        if a {
            x()
        }       # five
        else {  # six
            # seven
        }
        if a {
            x()
        }
        # eight
        else if b {
            y()
        }
        """,
    )


def test_comments_between_arms() -> None:
    check_inside(
        """
        match a { # what
            # before

            1 => x() # one
            # between
            2 => { # two
                x()
            }
            # after
        }
        """,
        """
        match a {  # what
            # before

            1 => x()  # one
            # between
            2 => {  # two
                x()
            }
            # after
        }
        """,
    )


def test_comments_in_arguments_and_lists() -> None:
    check_inside(
        """
        ring(lookup(request.uri) # who
            , for: 20s, # how long
            # how
            order: "by q" # last
            # end
        )
        let x = [ # open
            1, # one
            2
            # nothing
            ,3] # closed
        """,
        """
        ring(
            lookup(request.uri),  # who
            for: 20s,             # how long
            # how
            order: "by q",  # last
            # end
        )
        let x = [  # open
            1,  # one
            2,
            # nothing
            3,
        ]  # closed
        """,
    )


def test_comments_in_conditions() -> None:
    check_inside(
        "if a and # one\nb # two\nor (c # three\n) { x() }",
        """
        if a
            and  # one
                b  # two
            or (
                c  # three
            )
        {
            x()
        }
        """,
    )


def test_comments_in_odd_places_are_kept_too() -> None:
    check_inside(
        "let # one\nx # two\n= # three\n# four\n1 # five\nfor one # six\nin a # seven\n{ x() }",
        """
        let  # one
            x  # two
            =  # three
            # four
            1  # five
        for one  # six
            in a  # seven
        {
            x()
        }
        """,
    )


def test_two_comments_for_one_place_are_both_kept() -> None:
    check_inside("log(a # one\n, # two\nb)", "log(\n    a,  # one\n    # two\n    b,\n)")


def test_a_file_of_comments_or_of_nothing() -> None:
    check_layout("", "")
    check_layout("\n \n", "")
    check_layout("# one\n\n\n  # two", "# one\n\n# two\n")
