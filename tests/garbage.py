"""What only Python's cyclic collector would free: the server must not need it for what comes and goes.

With a hundred thousand calls in memory a full round of the collector stops the server for half a second, so it looks
at young objects only; whatever a call or a connection of some seconds left in a cycle would stay for ever.
"""

from __future__ import annotations

import gc
import types
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

OURS = ("sipcore", "modules", "routing")


@contextmanager
def no_collector() -> Iterator[None]:
    """Let the collector rest, with nothing left of what was before."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def left_behind() -> Counter[str]:
    """Our objects and coroutines that are in cycles and held by nobody, by type."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = Counter(
        type(one).__qualname__
        for one in gc.garbage
        if type(one).__module__.partition(".")[0] in OURS or isinstance(one, types.CoroutineType)
    )
    gc.garbage.clear()
    return found
