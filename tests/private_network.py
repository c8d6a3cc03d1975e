"""A network of the test's own, where every port of loopback is free: for peers that must stand at given ports."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of sched.h


@contextmanager
def private_network() -> Iterator[None]:
    """Let this thread, and the processes it starts, live in a network namespace with nothing but loopback.

    Only root may make one; for others nothing changes, and a port that is taken is then an error of the test.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if os.geteuid() == 0 and libc.unshare(_NEW_NETWORK) == 0:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
            try:
                yield
            finally:
                assert libc.setns(before, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        else:
            yield
    finally:
        os.close(before)
