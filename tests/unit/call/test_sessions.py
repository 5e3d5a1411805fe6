"""A call whose session is lost at any moments: nothing of the caller is lost or doubled, and no tool runs twice."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.call.events import Kind
from app.call.status import EndReason
from app.errors import SessionUnavailable
from app.realtime.history import Spoken, ToolAnswered, ToolAsked
from tests.unit.call.rehearsal import ANSWER, GREETING, IGNORANCE, QUESTION, SPEAKS_FROM, SPEAKS_UNTIL, Rehearsal

FRAMES = 120


async def rehearse(losses: list[int], *, release_at: int = 60, frames: int = FRAMES, **agent) -> Rehearsal:
    def on_frame(call: Rehearsal, number: int) -> None:
        if number == release_at:
            call.release.set()
        if number in losses and call.sessions:
            call.sessions[-1].lose()

    with tempfile.TemporaryDirectory() as folder:
        call = Rehearsal(Path(folder) / "call", frames=frames, on_frame=on_frame, **agent)
        assert await call.run() is EndReason.STREAM_LOST
    return call


def of_kind(call: Rehearsal, kind: Kind) -> list:
    return [event for event in call.events if event.kind == kind]


def check(call: Rehearsal) -> None:
    """What holds for every call, whenever its sessions were lost."""
    assert sorted(number for session in call.sessions for number in session.frames) == list(range(1, FRAMES + 1))
    assert all(session.frames == sorted(session.frames) for session in call.sessions)
    assert len(call.tools) == len(set(call.tools)) == len(of_kind(call, Kind.TOOL_CALLED))
    assert len(of_kind(call, Kind.TOOL_ANSWERED)) == len(call.tools)
    said = [turn.said for turn in call.journal.transcript.turns]
    assert said.count(GREETING) <= 2  # a greeting that was asked for twice was not heard the first time
    assert IGNORANCE not in said
    assert said[-1] == ANSWER or QUESTION not in said
    for session, transcript in zip(call.sessions, call.transcripts, strict=True):
        assert [(item.speaker, item.text) for item in session.history if isinstance(item, Spoken)] == transcript
        asked = [item.call_id for item in session.history if isinstance(item, ToolAsked)]
        assert set(asked) <= set(call.tools)
        assert {item.call_id for item in session.history if isinstance(item, ToolAnswered)} <= set(asked)


async def test_without_a_loss_there_is_one_session():
    call = await rehearse([])
    check(call)
    assert len(call.sessions) == 1
    said = [(turn.speaker, turn.said) for turn in call.journal.transcript.turns]
    assert said == [("agent", GREETING), ("caller", QUESTION), ("agent", ANSWER)]


@pytest.mark.parametrize(
    "at", [0, 5, SPEAKS_FROM + 5, SPEAKS_UNTIL, SPEAKS_UNTIL + 5, 60, 61, 90],
    ids=["first", "greeted", "caller speaks", "caller stops", "tools run", "outputs", "answer", "silence"],
)  # fmt: skip
async def test_one_loss(at):
    call = await rehearse([at])
    check(call)
    assert len(call.sessions) == 2
    assert [turn.said for turn in call.journal.transcript.turns].count(GREETING) == 1


async def test_an_output_that_finds_no_session_waits_for_the_next():
    call = await rehearse([SPEAKS_UNTIL + 8], release_at=SPEAKS_UNTIL + 8)
    check(call)
    assert not any(isinstance(item, ToolAnswered) for item in call.sessions[1].history)
    assert call.journal.transcript.turns[-1].said == ANSWER


async def test_a_tool_that_still_ran_gives_its_output_to_the_session_that_is_there_then():
    call = await rehearse([SPEAKS_UNTIL + 8], release_at=70)
    check(call)
    kinds = [type(item).__name__ for item in call.sessions[1].history]
    assert kinds == ["Spoken", "Spoken", "ToolAsked", "ToolAsked"]
    assert call.journal.transcript.turns[-1].said == ANSWER


def test_random_losses():
    @given(st.lists(st.integers(0, FRAMES - 25), max_size=3), st.integers(45, 90))
    @settings(max_examples=60, deadline=None)
    @example([42, 60, 61], 60)
    @example([0, 1, 2], 60)
    def lose(losses: list[int], release_at: int) -> None:
        check(asyncio.run(rehearse(losses, release_at=release_at)))

    lose()


async def test_a_session_that_gets_old_is_replaced_and_the_next_one_knows_everything():
    call = await rehearse([], frames=4 * 60 * 50, rollover_minutes=1)
    rolled = of_kind(call, Kind.SESSION_ROLLED_OVER)
    assert len(call.sessions) == len(rolled) + 1 >= 4
    frames = [number for session in call.sessions for number in session.frames]
    assert frames == list(range(1, 4 * 60 * 50 + 1))
    assert [item.text for item in call.sessions[-1].history if isinstance(item, Spoken)] == [GREETING, QUESTION, ANSWER]


async def test_in_a_call_of_four_hours_the_transcript_keeps_the_callers_time():
    step_ms, every = 400, 300  # the caller asks every two minutes
    frames = 4 * 3600 * 1000 // step_ms - every
    call = await rehearse(
        [], frames=frames, frame_ms=step_ms, asked_every=every, max_call_seconds=14_400, rollover_minutes=50
    )
    assert len(of_kind(call, Kind.SESSION_ROLLED_OVER)) == len(call.sessions) - 1 == 4
    assert [number for session in call.sessions for number in session.frames] == list(range(1, frames + 1))
    asked_ms = [turn.at_ms for turn in call.journal.transcript.turns if turn.speaker == "caller"]
    assert len(asked_ms) == frames // every
    spoke_ms = [(number * every + SPEAKS_FROM) * step_ms for number in range(len(asked_ms))]
    assert max(abs(asked - spoke) for asked, spoke in zip(asked_ms, spoke_ms, strict=True)) < 200
    [*_, last] = call.journal.transcript.turns
    assert (last.said, last.at_ms > 3.9 * 3_600_000) == (ANSWER, True)


@pytest.mark.parametrize(("retryable", "tries"), [(False, 1), (True, 3)])
async def test_a_refusal_that_no_try_can_mend_is_not_tried_again(retryable, tries):
    class Refused(Rehearsal):
        tries = 0

        async def _open(self, history=()):
            if not self.sessions:
                return await super()._open(history)
            self.tries += 1
            raise SessionUnavailable("no", retryable=retryable)

    with tempfile.TemporaryDirectory() as folder:
        call = Refused(Path(folder) / "call", frames=3000, on_frame=lambda call, _: call.sessions[-1].lose())
        assert await call.run() is EndReason.MODEL_LOST
    assert call.tries == tries


async def test_caller_audio_that_waits_too_long_for_a_session_is_given_up_and_that_is_written_down():
    class Slow(Rehearsal):
        async def _open(self, history=()):
            while self.sessions and self.line.number < 340:  # noqa: ASYNC110 - no event tells the line's time
                await asyncio.sleep(0)
            return await super()._open(history)

    def on_frame(call: Rehearsal, number: int) -> None:
        if number == 40:
            call.sessions[-1].lose()

    with tempfile.TemporaryDirectory() as folder:
        call = Slow(Path(folder) / "call", frames=400, on_frame=on_frame)
        await call.run()
    arrived = [number for session in call.sessions for number in session.frames]
    assert arrived == sorted(set(arrived))
    problems = [event.data for event in of_kind(call, Kind.SESSION_ERROR)]
    [told] = [data for data in problems if data.get("code") == "caller_audio_dropped"]
    assert told["message"].startswith(f"{20 * (400 - len(arrived))} ms")
    assert 0 < 400 - len(arrived) < 80
