"""The last words of a call whose session is just being replaced: the model is asked for them once."""

import asyncio
from pathlib import Path

import pytest

from app.call.actions import End, Greet, TellModel
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from tests.unit.call.rehearsal import Rehearsal

LAST = TellModel("Say goodbye.", "system", lasting=False)


@pytest.mark.parametrize("lost_at", [3, 15, 90], ids=["at once", "after the greeting", "late"])
@pytest.mark.parametrize("later", range(4))
async def test_the_next_session_is_asked_for_them_once_and_for_nothing_else(tmp_path: Path, lost_at: int, later: int):
    doing: set[asyncio.Task[bool]] = set()

    def on_frame(call: Rehearsal, number: int) -> None:
        if number == lost_at:
            call.sessions[-1].lose()
        if number == lost_at + later:
            words = call.flow.say_last(LAST, End(EndReason.OPERATOR), call.line.now_ms)
            doing.add(asyncio.create_task(call.bridge.perform(words)))

    call = Rehearsal(tmp_path / "call", frames=400, on_frame=on_frame)
    assert await call.run() is EndReason.OPERATOR
    assert len(call.sessions) == 2
    assert [session.told.count(LAST.text) for session in call.sessions] == [0, 1]
    assert call.sessions[1].told == [LAST.text]


def test_a_call_that_is_to_end_before_its_greeting_is_not_greeted_by_the_next_session():
    flow = CallFlow(speaks_first=True)
    assert flow.sessions.begin(0) == [Greet()]
    flow.say_last(LAST, End(EndReason.OPERATOR), 10)
    flow.on_session_lost(20)

    assert flow.sessions.begin(500) == [LAST]
