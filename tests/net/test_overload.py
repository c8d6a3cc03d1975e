"""While more datagrams wait than can be answered in time the stack is told, and begins nothing new."""

from __future__ import annotations

import socket

from tests.net.echo import UDP4, running, until


async def test_a_full_receive_buffer_is_overload_until_it_has_emptied() -> None:
    async with running(UDP4, socket_buffer=262_144) as (edge, stack):
        seen: list[bool] = []
        stack.on_message = lambda data, flow: seen.append(stack.overloaded)
        room = edge.addresses()[0].address
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
            for _ in range(150):
                flooder.sendto(b"x" * 600, room)
            await until(lambda: len(seen) == 150)
            flooder.sendto(b"later", room)
            await until(lambda: len(seen) == 151)
        assert seen[0] is False and True in seen
        assert seen[-1] is False


async def test_a_batch_that_leaves_little_behind_is_no_overload() -> None:
    async with running(UDP4) as (edge, stack):
        seen: list[bool] = []
        stack.on_message = lambda data, flow: seen.append(stack.overloaded)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(150):
                sender.sendto(b"x" * 600, edge.addresses()[0].address)
            await until(lambda: len(seen) == 150)
        assert True not in seen
