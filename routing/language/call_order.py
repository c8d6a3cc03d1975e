"""Which route calls which: callees come before callers, and no route may call itself, not even through others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from routing.language import tree
from routing.language.problem import Report

DEEPEST_CALLS = 50
"""How many routes may call each other in a row: each takes a part of Python's stack while it runs."""
_LONGEST_CIRCLE = 12
"""How many routes of a circle are named."""


def call_order(entries: Sequence[tree.On], routes: Mapping[str, tree.Route], report: Report) -> list[tree.Route]:
    """All routes, each behind those that it calls; a circle is reported at the call that closes it.

    Goes down the calls with a list of its own, since a file may chain more routes than Python's stack is deep.
    """
    calls = {name: list(invocations(route.body)) for name, route in routes.items()}
    roots = [word.text for entry in entries for word in invocations(entry.body)]
    order: dict[str, tree.Route] = {}
    depths: dict[str, int] = {}
    for root in (*roots, *routes):
        path: list[tuple[str, Iterator[tree.Word]]] = []
        going: set[str] = set()
        if root in routes and root not in order:
            path.append((root, iter(calls[root])))
            going.add(root)
        while path:
            name, pending = path[-1]
            word = next(pending, None)
            if word is None:
                order[name] = routes[name]
                depths[name] = 1 + max((depths.get(called.text, 0) for called in calls[name]), default=0)
                if depths[name] == DEEPEST_CALLS + 1 and max(depths.values()) == depths[name]:
                    _report_depth(calls[name], depths, report)
                going.discard(name)
                path.pop()
            elif word.text in going:
                _report_circle(word, [one for one, _ in path], report)
            elif word.text in routes and word.text not in order:
                path.append((word.text, iter(calls[word.text])))
                going.add(word.text)
    return list(order.values())


def _report_depth(calls: Sequence[tree.Word], depths: Mapping[str, int], report: Report) -> None:
    deepest = max(calls, key=lambda called: depths.get(called.text, 0))
    report.error(deepest.span, f"routes call each other up to {DEEPEST_CALLS} deep")


def _report_circle(word: tree.Word, path: list[str], report: Report) -> None:
    names = [*path[path.index(word.text) :], word.text]
    if len(names) > _LONGEST_CIRCLE:
        names[_LONGEST_CIRCLE // 2 : -_LONGEST_CIRCLE // 2] = ["..."]
    circle = " -> ".join(names)
    hint = "routes can't call each other in a circle; `for` repeats"
    report.error(word.span, f"route `{word.text}` would call itself: {circle}", hint)


def invocations(block: tree.Block) -> Iterator[tree.Word]:
    """The routes that a block calls, in the order of the text."""
    waiting = list(reversed(block.statements))
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, tree.Invoke):
            yield statement.name
        for inner in reversed(list(inner_blocks(statement))):
            waiting += reversed(inner.statements)


def inner_blocks(statement: tree.Statement) -> Iterator[tree.Block]:
    """The blocks of a statement."""
    if isinstance(statement, tree.If):
        yield statement.then
        if statement.otherwise is not None:
            yield statement.otherwise
    elif isinstance(statement, tree.Match):
        yield from (arm.body for arm in statement.arms)
    elif isinstance(statement, tree.For):
        yield statement.body
    elif isinstance(statement, tree.Act) and statement.otherwise is not None:
        yield statement.otherwise
