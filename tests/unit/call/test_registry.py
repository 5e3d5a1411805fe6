"""Live calls of a process."""

import asyncio

from app.call.registry import Registry
from app.call.status import EndReason


async def test_a_process_is_empty_when_the_last_call_has_left():
    registry = Registry(max_calls=2)
    registry.enter("CA1", lambda _: None)
    waiting = asyncio.gather(registry.wait_empty(), registry.wait_over("CA1"), registry.wait_over("CA9"))
    await asyncio.sleep(0)
    assert not waiting.done()

    registry.mark_ended("CA1", EndReason.CALLER_HANGUP)
    assert (registry.is_live("CA1"), registry.live_count) == (False, 1)
    registry.leave("CA1")
    await waiting
    assert registry.ended("CA1") is EndReason.CALLER_HANGUP


def test_ending_reaches_the_call_and_only_that_one():
    registry, said = Registry(max_calls=2), []
    registry.enter("CA1", lambda reason: said.append(("CA1", reason)))
    registry.enter("CA2", lambda reason: said.append(("CA2", reason)))

    registry.end("CA1", EndReason.OPERATOR)
    registry.end("CA9", EndReason.OPERATOR)

    assert said == [("CA1", EndReason.OPERATOR)]


def test_draining_ends_all_of_them():
    registry, said = Registry(max_calls=2), []
    registry.enter("CA1", said.append)
    registry.enter("CA2", said.append)
    registry.end_all(EndReason.DRAINED)
    assert said == [EndReason.DRAINED] * 2
