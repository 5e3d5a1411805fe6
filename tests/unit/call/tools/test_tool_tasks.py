"""A call's end waits for no tool, and a tool that shall finish finishes."""

import asyncio

import pytest

from app.call.tools.tool_tasks import ToolTasks


async def others_have_a_turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def begun(tasks: ToolTasks, work, **limits) -> asyncio.Task:
    """A call that waits for its tool."""
    call = asyncio.create_task(tasks.run("find", work, **({"within_s": 5, "finishes": False} | limits)))
    await others_have_a_turn()
    return call


async def hung_up(call: asyncio.Task) -> None:
    call.cancel()
    async with asyncio.timeout(0.5):
        await asyncio.wait({call})
    assert call.cancelled()


async def test_a_tool_that_is_done_says_what_came_of_it():
    async def work() -> str:
        return "six"

    assert await ToolTasks().run("find", work(), within_s=1, finishes=False) == "six"


async def test_f17_a_tool_is_cancelled_when_its_call_ends():
    stopped = asyncio.Event()

    async def work() -> str:
        try:
            return await asyncio.Event().wait() and ""
        finally:
            stopped.set()

    await hung_up(await begun(ToolTasks(), work()))
    async with asyncio.timeout(1):
        await stopped.wait()


async def test_f17_a_tool_that_shall_finish_does_so_after_its_call_and_the_call_does_not_wait():
    hang_up, done = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        await hang_up.wait()
        done.set()
        return "written"

    tasks = ToolTasks()
    await hung_up(await begun(tasks, work(), finishes=True))
    assert tasks.running == {"find"}
    hang_up.set()
    async with asyncio.timeout(1):
        await done.wait()
    await others_have_a_turn()
    assert not tasks.running


async def test_a_tool_that_shall_finish_has_no_more_than_its_time():
    stopped = asyncio.Event()

    async def work() -> str:
        try:
            return await asyncio.Event().wait() and ""
        finally:
            stopped.set()

    await hung_up(await begun(ToolTasks(), work(), within_s=0.01, finishes=True))
    async with asyncio.timeout(1):
        await stopped.wait()


async def test_a_tool_that_does_not_let_itself_be_stopped_holds_nobody_up():
    free = asyncio.Event()

    async def work() -> str:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        return ""

    tasks = ToolTasks()
    with pytest.raises(TimeoutError):
        await tasks.run("find", work(), within_s=0.01, finishes=False)
    assert tasks.running == {"find"}
    others = ToolTasks()
    await hung_up(await begun(others, work()))
    assert others.running == {"find"}
    free.set()
    await others_have_a_turn()
    assert not tasks.running | others.running


async def test_a_tool_that_cancels_itself_has_failed_and_nobody_else_with_it():
    async def work() -> str:
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError):
        await ToolTasks().run("find", work(), within_s=1, finishes=False)


async def test_what_still_runs_when_the_house_closes_is_given_up():
    async def work() -> str:
        return await asyncio.Event().wait() and ""

    async with ToolTasks(close_s=0.01) as tasks:
        await hung_up(await begun(tasks, work(), finishes=True))
    assert not tasks.running


async def test_what_is_nearly_done_when_the_house_closes_is_waited_for():
    free, written = asyncio.Event(), []

    async def work() -> str:
        await free.wait()
        written.append("order")
        return ""

    async with ToolTasks(close_s=5) as tasks:
        await hung_up(await begun(tasks, work(), finishes=True))
        asyncio.get_running_loop().call_soon(free.set)
    assert written == ["order"]
