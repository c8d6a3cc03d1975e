"""The collector runs now and then, and not while calls would have to wait for it."""

from __future__ import annotations

import gc

import trio
import trio.testing

from routing.program.tidying import EVERY, QUIET, tidy


async def test_it_runs_while_there_is_little_to_do(autojump_clock: trio.testing.MockClock) -> None:
    times: list[float] = []
    transactions = 0
    begin = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tidy, lambda: transactions, lambda: times.append(trio.current_time() - begin))
        await trio.sleep(EVERY + 1)
        transactions = QUIET
        await trio.sleep(5 * EVERY)
        transactions = QUIET - 1
        await trio.sleep(EVERY)
        nursery.cancel_scope.cancel()
    assert times == [EVERY, 7 * EVERY]


async def test_what_is_in_a_cycle_goes_away(autojump_clock: trio.testing.MockClock) -> None:
    gc.collect()
    gc.disable()
    try:
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tidy, lambda: 0)
            await trio.sleep(EVERY + 1)
            nursery.cancel_scope.cancel()
        assert not any(isinstance(one, list) and len(one) == 1 and one[0] is one for one in gc.get_objects())
    finally:
        gc.enable()
