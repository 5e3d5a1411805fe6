"""A call whose caller goes elsewhere and comes back: it stays one call, with one session and one recording."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from app.audio import FRAME_MS
from app.call.actions import AnswerTool, Cancel, Clear, Instruct, Respond, Say, TellModel, Truncate
from app.call.events import Kind
from app.call.status import EndReason
from app.call.tools.open_tools import OpenTools
from app.call.turns.flow import CallFlow
from app.call.turns.goodbye import ELSEWHERE
from app.conf.models import KeypadConf
from app.errors import Refused
from app.realtime.events import AudioDelta, AudioDone, ResponseDone, ResponseStarted, SpeechStarted, ToolCall
from app.twilio.media_protocol import Dtmf, MarkReached
from tests.unit.call.rehearsal import ANSWER, GREETING, QUESTION, SPEAKS_UNTIL, Line, Rehearsal
from tests.unit.call.test_operator import TOOL
from tests.unit.call.turns.test_flow import audio, deeds, play

AWAY_FRAMES = 200
AFTER_FRAMES = 60


class Excursion(Rehearsal):
    """The first of the two tools takes the caller elsewhere for four seconds; the other one is done meanwhile."""

    loses_session = False

    async def _run_tool(self, call: ToolCall) -> str:
        self.tools.append(call.call_id)
        if len(self.tools) == 2:
            await self.release.wait()
            return "found"
        caller, first = self.bridge.caller, self.line
        caller.leave()
        first.stop()
        while not caller.away:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)
        self.release.set()
        if self.loses_session:
            self.sessions[-1].lose()
        await asyncio.sleep(0.005)
        self.frames_while_away = list(self.sessions[-1].frames)
        from_number = first.number + AWAY_FRAMES
        self.line = Line(from_number + AFTER_FRAMES, lambda _: None, first=from_number)
        self.second = await caller.join(self.line, self.line.stream_sid)  # type: ignore[arg-type]
        with pytest.raises(Refused):
            await caller.join(self.line, "MZ9")  # type: ignore[arg-type]
        await caller.wait_back()
        return "nobody answered"


@pytest.fixture
async def excursion(tmp_path: Path) -> Excursion:
    call = Excursion(tmp_path / "call", frames=400, on_frame=lambda _call, _number: None)
    async with asyncio.timeout(5):
        assert await call.run() is EndReason.STREAM_LOST
    return call


def of_kind(call: Rehearsal, kind: Kind) -> list[Any]:
    return [event for event in call.events if event.kind == kind]


async def test_the_conversation_goes_on_in_the_same_session_where_it_was(excursion: Excursion):
    [session] = excursion.sessions
    said = [(turn.speaker, turn.said) for turn in excursion.journal.transcript.turns]
    assert said == [("agent", GREETING), ("caller", QUESTION), ("agent", ANSWER)]
    [left], [returned] = of_kind(excursion, Kind.STREAM_LEFT), of_kind(excursion, Kind.STREAM_RETURNED)
    assert returned.data == {"away_ms": AWAY_FRAMES * FRAME_MS}
    assert session.frames[-1] == excursion.line.number
    assert len(session.frames) == len(excursion.frames_while_away) + AFTER_FRAMES
    [answer] = [event for event in of_kind(excursion, Kind.AGENT_TRANSCRIPT) if event.data["text"] == ANSWER]
    assert answer.at_ms >= returned.at_ms > left.at_ms
    assert answer.seq > returned.seq
    assert [event.data["output"] for event in of_kind(excursion, Kind.TOOL_ANSWERED)] == ["found", "nobody answered"]


async def test_the_recording_spans_the_time_away(excursion: Excursion):
    [returned] = of_kind(excursion, Kind.STREAM_RETURNED)
    take = excursion.journal.recorder.take(returned.at_ms + 10_000)
    places = [piece.at_ms for piece in take.caller]
    gaps = [(one, two) for one, two in itertools.pairwise(places) if two - one > FRAME_MS]
    [(before, after)] = gaps
    assert abs(after - before - AWAY_FRAMES * FRAME_MS) <= 2 * FRAME_MS
    assert abs(after - returned.at_ms) <= 2 * FRAME_MS
    assert any(piece.at_ms >= after for piece in take.agent)
    assert not [piece for piece in take.agent if before + 2 * FRAME_MS < piece.end_ms < returned.at_ms]


async def test_a_session_that_is_lost_meanwhile_is_replaced_and_says_nothing_before_the_caller_is_back(tmp_path: Path):
    call = Excursion(tmp_path / "call", frames=400, on_frame=lambda _call, _number: None)
    call.loses_session = True
    async with asyncio.timeout(5):
        await call.run()
    [returned] = of_kind(call, Kind.STREAM_RETURNED)
    answers = [event for event in of_kind(call, Kind.AGENT_TRANSCRIPT) if event.seq > returned.seq]
    assert [event.data["text"] for event in answers] == [ANSWER]
    assert len(call.sessions) == 2
    assert len(of_kind(call, Kind.TOOL_ANSWERED)) == len(call.tools) == 2
    assert not [event for event in of_kind(call, Kind.AGENT_SPEECH_STARTED) if event.seq < returned.seq][1:]  # hello


async def test_without_leave_the_end_of_a_stream_is_the_end_of_the_call(tmp_path: Path):
    call = Rehearsal(tmp_path / "call", frames=SPEAKS_UNTIL, on_frame=lambda _call, _number: None)
    assert await call.run() is EndReason.STREAM_LOST
    with pytest.raises(Refused):
        await call.bridge.caller.join(call.line, "MZ9")  # type: ignore[arg-type]


async def test_a_caller_who_was_not_sent_away_after_all_is_here_and_their_streams_end_counts(tmp_path: Path):
    def on_frame(call: Rehearsal, number: int) -> None:
        if number == 10:
            call.bridge.caller.leave()
        if number == 20:
            assert call.bridge.caller.stay()

    call = Rehearsal(tmp_path / "call", frames=60, on_frame=on_frame)
    assert await call.run() is EndReason.STREAM_LOST
    assert not of_kind(call, Kind.STREAM_LEFT)


# -- what the flow decides


def leave(flow: CallFlow, at_ms: float) -> list:
    return deeds(flow.absence.begin(at_ms))


def test_what_was_not_heard_when_the_stream_ended_was_never_heard():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    play(flow, audio("item_1", 2000, "resp_1"))
    assert leave(flow, 500) == [Truncate("item_1", heard_ms=500), Cancel()]
    assert Clear() not in flow.absence.end(900)


def test_what_the_model_says_meanwhile_is_dropped_and_it_is_told_so():
    flow = CallFlow()
    leave(flow, 0)
    flow.on_agent(ResponseStarted("resp_1"), 10)
    assert deeds(flow.on_agent(audio("item_1", 400, "resp_1"), 10)) == [Truncate("item_1", heard_ms=0)]
    flow.absence.end(20)
    assert deeds(flow.on_agent(AudioDelta(audio("x", 400).audio, "item_1", "resp_1"), 20)) == []
    flow.on_agent(ResponseDone("resp_1"), 30)
    flow.on_agent(ResponseStarted("resp_2"), 40)
    assert play(flow, audio("item_2", 400, "resp_2"), 40)


def test_what_would_make_the_model_speak_waits_and_all_else_does_not():
    absence = CallFlow().absence
    tool = ToolCall("call_1", "find", "{}")
    waits = [AnswerTool(tool, "x"), TellModel("x"), Respond(), Say("x")]
    goes = [Truncate("item_1", 0), Cancel(), Instruct("x")]
    assert not any(absence.holds(action) for action in waits + goes)  # type: ignore[arg-type]
    absence.begin(0)
    assert [absence.holds(action) for action in waits + goes] == [True] * 4 + [False] * 3  # type: ignore[arg-type]
    assert absence.end(10) == waits
    assert absence.end(20) == []


def test_nobody_waits_while_the_caller_is_away_and_the_session_is_not_taken_for_dead_afterwards():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    leave(flow, 100)
    assert flow.on_time(60_000) == []
    flow.absence.end(60_000)
    assert deeds(flow.on_time(60_010)) == []


# -- waiting until the agent was heard


def heard(flow: CallFlow) -> list[bool]:
    told: list[bool] = []
    flow.hush.wait(told.append)
    return told


def test_with_nothing_being_said_nobody_waits():
    assert heard(CallFlow()) == [True]


def test_who_waits_is_told_when_the_whole_answer_has_been_heard():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    told = heard(flow)
    played = play(flow, audio("item_1", 400, "resp_1"))
    flow.on_agent(AudioDone("item_1"), 10)
    flow.on_agent(ResponseDone("resp_1"), 20)
    assert (told, flow.hush.plays_ms(100)) == ([], 300)
    flow.on_caller(MarkReached(played.mark), 400)
    assert told == [True]


def test_the_words_to_a_tool_that_an_operator_wants_are_waited_for():
    flow = CallFlow(tools=OpenTools.of([TOOL.model_copy(update={"preamble": "I will put you through."})]))
    flow.on_agent(ResponseStarted("resp_1"), 0)
    flow.on_agent(ToolCall("call_1", "transfer_call", "{}"), 0)
    told = heard(flow)
    flow.on_agent(ResponseDone("resp_1"), 10)
    assert deeds(flow.on_time(400)) == [Say("I will put you through.", only_words=True)]
    flow.on_agent(ResponseStarted("resp_2"), 500)
    played = play(flow, audio("item_2", 400, "resp_2"), 500)
    flow.on_agent(AudioDone("item_2"), 510)
    flow.on_agent(ResponseDone("resp_2"), 520)
    assert told == []
    flow.on_caller(MarkReached(played.mark), 900)
    assert told == [True]


def test_f18_an_agent_that_also_wants_to_hang_up_does_not_hang_up_on_somebody_who_is_sent_elsewhere():
    flow = CallFlow(hang_up_tools={"end_call"})
    end_call = ToolCall("call_2", "end_call", "{}")
    flow.on_agent(ResponseStarted("resp_1"), 0)
    played = play(flow, audio("item_1", 400, "resp_1"))
    told = heard(flow)
    flow.on_agent(end_call, 5)
    flow.on_agent(AudioDone("item_1"), 10)
    flow.on_agent(ResponseDone("resp_1"), 20)
    assert deeds(flow.on_caller(MarkReached(played.mark), 400)) == [AnswerTool(end_call, ELSEWHERE)]
    assert told == [True]
    assert deeds(flow.on_time(60_000)) == []


def test_a_caller_who_cuts_in_ends_the_waiting():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    play(flow, audio("item_1", 2000, "resp_1"))
    told = heard(flow)
    flow.on_agent(SpeechStarted(), 500)
    assert told == [False]


def test_so_does_a_key_that_does_something():
    keys = {"5": {"action": "tell", "text": "They want to know when you are open."}}
    flow = CallFlow(keypad=KeypadConf.model_validate({"keys": keys}))
    flow.on_agent(ResponseStarted("resp_1"), 0)
    play(flow, audio("item_1", 2000, "resp_1"))
    told = heard(flow)
    flow.on_caller(Dtmf("4"), 400)
    assert told == []
    flow.on_time(60_000)
    flow.on_caller(Dtmf("5"), 60_000)
    flow.on_agent(ResponseDone("resp_1", "cancelled"), 60_010)
    assert told == [False]
