"""What is known of a whole file while its blocks are checked one by one."""

from __future__ import annotations

from routing.language.environment import Environment
from routing.language.problem import Report, Span
from routing.language.types import DURATION, NUMBER, TEXT, TRUTH, Type

KEPT: dict[Type, object] = {TEXT: "", NUMBER: 0, TRUTH: False, DURATION: 0.0}
"""What `call.x` and `shared` tables may hold, and what they are before something was stored."""


def kept_as(variable: str, type_: Type) -> str:
    """The key of a `call.x`: a call that goes on while the routes are loaded again never gives them another type."""
    return f"{variable}: {type_}"


class Known:
    """The names of a file. `variables` are the types of `call.x`.

    `functions` are branch and reply functions by name: their type, and what compiled code calls them. `shared` are
    the types of what shared tables hold. `used` collects what of these is used, shared tables as `shared.name`.
    """

    def __init__(self, environment: Environment, report: Report, variables: dict[str, Type]) -> None:
        self.environment = environment
        self.report = report
        self.variables = variables
        self.functions: dict[str, tuple[Type, str]] = {}
        self.shared: dict[str, Type] = {}
        self.used: set[str] = set()
        self.likely: dict[int, Type] = {}
        """By the id of a calculation with a side of unknown type: what it gives if that side fits the other."""
        self.untold: dict[str, Span] = {}
        """The `call.x` of which only what is stored in them could tell the type, each with the value that does not."""
        self.read_early: dict[str, Type | None] = {}
        """The `call.x` that were read before it was known what they hold, with what was known."""
        self.unsure = False
        """Whether something unknown was called, so that nobody can say where it leads."""
