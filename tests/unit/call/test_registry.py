"""Live calls of a process."""

import asyncio
from dataclasses import dataclass, field

from app.call.registry import Registry
from app.call.status import EndReason


@dataclass
class FakeCall:
    said: list[EndReason] = field(default_factory=list)

    def end(self, reason: EndReason) -> None:
        self.said.append(reason)

    async def pause_recording(self) -> bool:
        return True

    async def resume_recording(self) -> bool:
        return True


async def test_a_process_is_empty_when_the_last_call_has_left():
    registry = Registry(max_calls=2)
    registry.enter("CA1", "0197", FakeCall())
    waiting = asyncio.gather(registry.wait_empty(), registry.wait_over("CA1"), registry.wait_over("CA9"))
    await asyncio.sleep(0)
    assert not waiting.done()

    registry.mark_ended("CA1", EndReason.CALLER_HANGUP)
    assert (registry.is_live("CA1"), registry.live_count) == (False, 1)
    registry.leave("CA1")
    await waiting
    assert registry.ended("CA1") is EndReason.CALLER_HANGUP


def test_ending_reaches_the_call_and_only_that_one():
    registry, one, two = Registry(max_calls=2), FakeCall(), FakeCall()
    registry.enter("CA1", "0197", one)
    registry.enter("CA2", "0198", two)

    registry.end("CA1", EndReason.OPERATOR)
    registry.end("CA9", EndReason.OPERATOR)

    assert (one.said, two.said) == ([EndReason.OPERATOR], [])


def test_draining_ends_all_of_them():
    registry, calls = Registry(max_calls=2), [FakeCall(), FakeCall()]
    for number, call in enumerate(calls):
        registry.enter(f"CA{number}", f"019{number}", call)
    registry.end_all(EndReason.DRAINED)
    assert [call.said for call in calls] == [[EndReason.DRAINED]] * 2


def test_a_live_call_is_reached_by_either_of_its_names_until_it_ends():
    registry, call = Registry(max_calls=2), FakeCall()
    registry.enter("CA1", "0197", call)

    assert registry.control("CA1") is registry.control("0197") is call
    assert registry.control("CA2") is None
    registry.mark_ended("CA1", EndReason.OPERATOR)
    assert registry.control("CA1") is registry.control("0197") is None


def test_a_call_that_is_ending_or_over_is_known_as_such_by_its_id():
    registry = Registry(max_calls=2)
    registry.enter("CA1", "0197", FakeCall())
    assert not registry.had("0197")
    registry.mark_ended("CA1", EndReason.OPERATOR)
    assert registry.had("0197")
    registry.leave("CA1")
    assert registry.had("0197")
    assert not registry.had("0198")


def test_what_was_decided_about_a_recording_outlives_its_stream():
    registry = Registry(max_calls=2)
    registry.enter("CA1", "0197", FakeCall())
    registry.wish("CA1", "declined")
    registry.leave("CA1")

    assert registry.wished("CA1") == "declined"
    registry.wish("CA2", "paused")
    registry.wish("CA2", None)
    assert registry.wished("CA2") is None
