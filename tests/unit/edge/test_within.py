"""Time limits that share a timer behave as asyncio's own."""

import asyncio
import time

import pytest

from clary.within import within

SHORT, LONG = 0.05, 30


async def test_what_takes_too_long_is_broken_off():
    began = time.monotonic()
    with pytest.raises(TimeoutError), within(SHORT):
        await asyncio.sleep(LONG)
    assert time.monotonic() - began >= SHORT
    await asyncio.sleep(0)  # and the task goes on


async def test_what_is_done_in_time_is_left_alone():
    limit = 10 * SHORT  # a machine that has much else to do may take a while for nothing
    with within(limit):
        await asyncio.sleep(0)
    with within(LONG):
        await asyncio.sleep(1.1 * limit)


async def test_each_of_many_has_its_own_limit():
    async def late(steps):
        await asyncio.sleep(0.01 * steps)
        began = time.monotonic()
        with pytest.raises(TimeoutError), within(SHORT):
            await asyncio.sleep(LONG)
        return time.monotonic() - began

    async def quick():
        with within(LONG):
            await asyncio.sleep(0.001)

    waited = await asyncio.gather(*(late(steps) for steps in range(8)), *(quick() for _ in range(50)))
    assert all(seconds is None or SHORT <= seconds < LONG / 2 for seconds in waited)


async def test_the_inner_of_two_limits_is_the_one_that_ends():
    with within(LONG), pytest.raises(TimeoutError), within(SHORT):
        await asyncio.sleep(LONG)


async def test_the_outer_of_two_limits_ends_both():
    inner = None
    with pytest.raises(TimeoutError), within(SHORT):
        try:
            with within(LONG):
                await asyncio.sleep(LONG)
        except BaseException as error:
            inner = error
            raise
    assert isinstance(inner, asyncio.CancelledError)


async def test_a_cancelled_task_is_cancelled_and_not_late():
    async def work():
        with within(LONG):
            await asyncio.sleep(LONG)

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_inside_is_itself():
    with pytest.raises(KeyError), within(SHORT):
        raise KeyError("x")


def test_another_loop_has_limits_of_its_own():
    async def late():
        with pytest.raises(TimeoutError), within(SHORT):
            await asyncio.sleep(LONG)

    for _ in range(2):
        asyncio.run(late())
