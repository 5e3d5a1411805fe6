"""Another agent takes a call over at any moment: no frame is lost or doubled, and each tool has one answer."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.call.actions import Beside, Cancel, Clear, Instruct, RunTool, TellModel
from app.call.elsewhere.away import CUT_IN
from app.call.events import CallEvent, Kind
from app.call.farewell import Farewell
from app.call.journal.redacted import RedactedEvents
from app.call.legs.colleague import Colleague
from app.call.legs.followers import Followers
from app.call.legs.switching import FAILED, HANDED_OVER, MOST_SWITCHES, TAKEN_OVER, Switching
from app.call.money.budget import Budget
from app.call.money.spending import Spending
from app.call.status import EndReason
from app.call.tools.tool_calls import Asked, ToolCalls
from app.call.turns.flow import CallFlow
from app.call.turns.keypad import KeyWorks
from app.call.turns.time_limits import TimeLimits
from app.conf.models import AgentConf, BudgetConf, KeypadConf, RecordingPolicy, RedactionConf, SwitchAgentTool
from app.errors import ConfMissing, SessionUnavailable, ToolError
from app.realtime.events import ResponseDone, ResponseStarted, SpeechStarted, ToolCall
from app.realtime.history import HistoryItem, Spoken, Told, ToolAnswered, ToolAsked
from app.realtime.status import SessionStatus
from app.timing import Deadlines
from app.twilio.media_protocol import Dtmf
from tests.unit.call.rehearsal import ANSWER, GREETING, QUESTION, SPEAKS_FROM, SPEAKS_UNTIL, Rehearsal
from tests.unit.call.turns.test_flow import audio, deeds

FRAMES = 200
SWITCH = SwitchAgentTool.model_validate({"type": "switch_agent", "agents": {"billing": "", "sales": ""}})
PATIENT = {"silence": None}


class FakeTransferring:
    """Who puts callers through."""

    def __init__(self) -> None:
        self.tools: list[str] = []

    def use(self, tools: Sequence[Any]) -> None:
        self.tools = [tool.name for tool in tools]


class Handover(Rehearsal):
    """A rehearsal whose agent hands over when the first tool is asked for, or whenever a test says so."""

    def __init__(
        self, folder: Path, *, on_frame: Callable[[Any, int], None] = lambda _call, _number: None, **options: Any
    ) -> None:
        super().__init__(folder, frames=options.pop("frames", FRAMES), on_frame=on_frame)
        self.by_tool = options.pop("by_tool", False)
        self.cuts_in = options.pop("cuts_in", False)
        self.refused = False
        self.doing: set[asyncio.Task[None]] = set()
        self.colleagues = {
            name: AgentConf(**PATIENT | {"instructions": name} | options) for name in ("default", "billing", "sales")
        }
        deadlines = Deadlines(tick_s=0.0005, speed=100)
        now = lambda: self.line.now_ms  # noqa: E731
        self.switching = Switching(
            "default",
            RecordingPolicy(),
            followers_of(self),
            find=self._find,
            sessions_of=self._sessions_of,
            when_heard=self._when_heard,
            note=lambda kind, **data: self.journal.add(CallEvent(kind, int(now()), data)),
            now_ms=now,
            tick_s=deadlines.tick_s,
        )

    async def _when_heard(self) -> bool:
        heard = asyncio.get_running_loop().create_future()
        self.flow.hush.wait(heard.set_result)
        return await heard and not self.cuts_in

    def hand_over(self, name: str) -> None:
        """As a key does."""
        self.doing.add(asyncio.create_task(self.switching.to(name)))

    def _find(self, name: str) -> Colleague:
        if name not in self.colleagues:
            raise ConfMissing(name)
        return Colleague(name, 3, self.colleagues[name])

    def _sessions_of(self, agent: AgentConf) -> Callable[[Sequence[HistoryItem]], Any]:
        async def opened(history: Sequence[HistoryItem]) -> Any:
            if self.refused:
                raise SessionUnavailable("no")
            session = await self._open(history)
            session[0].agent = agent.instructions
            return session

        return opened

    async def _run_tool(self, call: ToolCall) -> str:
        self.tools.append(call.call_id)
        if self.by_tool and self.tools[0] == call.call_id:
            return await self.switching.run(Asked(call.call_id, SWITCH, {"agent": "billing"}))
        return "found"


def followers_of(call: Rehearsal) -> Followers:
    farewell = Farewell(
        AgentConf(),
        None,  # type: ignore[arg-type] # the call does not end here
        "CA1",
        fallback_number=None,
        voicemail_url=None,
        leave_message=None,  # type: ignore[arg-type] # as above
        within_s=1,
    )
    return Followers(
        tools=ToolCalls([SWITCH], own={}, others=None, deadline_s=1),  # type: ignore[arg-type] # none is called
        transferring=FakeTransferring(),  # type: ignore[arg-type]
        farewell=farewell,
        redacted=RedactedEvents(RedactionConf(card_numbers=False, patterns={"pin": "1234"})),
        bridge=call.bridge,
        flow=call.flow,
    )


def of_kind(call: Rehearsal, kind: Kind) -> list[dict[str, Any]]:
    return [event.data for event in call.events if event.kind == kind]


def check(call: Handover) -> None:
    """What holds for every call, whenever another agent took it over."""
    frames = [number for session in call.sessions for number in session.frames]
    assert sorted(frames) == list(range(1, FRAMES + 1))
    assert all(session.frames == sorted(session.frames) for session in call.sessions)
    assert len(of_kind(call, Kind.TOOL_CALLED)) == len(call.tools)
    assert len(of_kind(call, Kind.TOOL_ANSWERED) + of_kind(call, Kind.TOOL_FAILED)) == len(call.tools)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "call"


async def test_the_agents_tool_hands_over_once_it_was_heard_and_the_other_one_speaks_in_answer_to_it(folder: Path):
    call = Handover(folder, by_tool=True)
    assert await call.run() is EndReason.STREAM_LOST
    check(call)

    first, second = call.sessions
    assert of_kind(call, Kind.AGENT_SWITCHED) == [{"from_agent": "default", "agent": "billing", "agent_version": 3}]
    asked = call.tools[0]
    [answer] = [each for each in of_kind(call, Kind.TOOL_ANSWERED) if each["call_id"] == asked]
    assert answer["output"] == HANDED_OVER.format(name="billing")
    assert not any(isinstance(item, ToolAnswered) and item.call_id == asked for item in first.knows)
    assert ToolAnswered(asked, answer["output"]) in second.knows
    assert [item.text for item in second.history if isinstance(item, Spoken)] == [GREETING, QUESTION]
    assert [item.call_id for item in second.history if isinstance(item, ToolAsked)] == call.tools
    assert second.told == [TAKEN_OVER.format(before="default")]
    assert [turn.said for turn in call.journal.transcript.turns] == [GREETING, QUESTION, ANSWER]
    assert first.frames[-1] + 1 == second.frames[0]


async def test_where_no_session_can_be_had_the_agent_is_told_and_goes_on(folder: Path):
    call = Handover(folder, by_tool=True)
    call.refused = True
    await call.run()
    check(call)

    assert len(call.sessions) == 1
    [failed] = of_kind(call, Kind.TOOL_FAILED)
    assert "billing cannot be reached" in failed["output"]
    assert of_kind(call, Kind.AGENT_SWITCHED) == []
    assert call.journal.transcript.turns[-1].said == ANSWER


def test_at_any_moment_and_whatever_sessions_are_lost_everything_goes_on_with_the_other_agent():
    @given(st.integers(0, 100), st.lists(st.integers(0, 100), max_size=2))
    @settings(max_examples=25, deadline=None)
    @example(SPEAKS_FROM + 1, [SPEAKS_FROM])
    @example(SPEAKS_UNTIL, [SPEAKS_UNTIL + 1])
    @example(0, [0, 1])
    @example(65, [20])
    @example(19, [20])
    def switch(at: int, losses: list[int]) -> None:
        def on_frame(call: Handover, number: int) -> None:
            if number == at:
                call.hand_over("billing")
            if number in losses and call.sessions:
                call.sessions[-1].lose()

        async def rehearse(folder: str) -> Handover:
            call = Handover(Path(folder) / "call", on_frame=on_frame)
            await call.run()
            return call

        with tempfile.TemporaryDirectory() as folder:
            call = asyncio.run(rehearse(folder))
        check(call)
        switched = of_kind(call, Kind.AGENT_SWITCHED)
        if any(FAILED.format(name="billing") in session.told for session in call.sessions):
            assert switched == []  # the session that was lost was the one that was being prepared
        else:
            assert len(switched) == 1
            [last] = [session for session in call.sessions if FRAMES in session.frames]
            assert last.agent == "billing"

    switch()


async def test_sessions_that_follow_are_the_other_agents_and_know_that_it_took_over(folder: Path):
    def on_frame(call: Handover, number: int) -> None:
        if number == 10:
            call.hand_over("billing")
        if number == 100:
            call.sessions[-1].lose()

    call = Handover(folder, on_frame=on_frame)
    await call.run()
    check(call)

    assert [session.agent for session in call.sessions] == ["", "billing", "billing"]
    assert Told(TAKEN_OVER.format(before="default")) in call.sessions[-1].history
    assert call.sessions[-1].told == []


async def test_what_an_operator_told_the_agent_is_not_for_the_next_one(folder: Path):
    def on_frame(call: Handover, number: int) -> None:
        if number == 5:
            call.doing.add(asyncio.create_task(call.bridge.agent.ask(Instruct("Be rude."))))
        if number == 10:
            call.hand_over("billing")
        if number == 100:
            call.sessions[-1].lose()

    call = Handover(folder, on_frame=on_frame)
    await call.run()
    assert [session.instructions for session in call.sessions] == [["Be rude."], [], []]


# -- what is refused


async def refusal(call: Handover, name: str) -> str:
    with pytest.raises(ToolError) as refused:
        await call.switching.run(Asked("call_9", SWITCH, {"agent": name}))
    return str(refused.value)


async def test_an_agent_that_is_gone_or_talks_already_takes_nothing_over(folder: Path):
    answers = []

    def on_frame(call: Handover, number: int) -> None:
        if number == 15:
            call.doing.add(asyncio.create_task(ask(call)))

    async def ask(call: Handover) -> None:
        answers.extend([await refusal(call, "default"), await refusal(call, "nobody")])

    call = Handover(folder, on_frame=on_frame)
    await call.run()
    assert answers == ["You are default already.", "There is no agent 'nobody' any more."]
    assert len(call.sessions) == 1


async def test_agents_may_pass_a_caller_to_and_fro_but_not_for_ever_and_one_at_a_time(folder: Path):
    def on_frame(call: Handover, number: int) -> None:
        if number >= 60 and not call.doing:
            call.doing.add(asyncio.create_task(pass_on(call)))

    async def pass_on(call: Handover) -> None:
        for times in range(MOST_SWITCHES):
            both = [call.switching.to(name) for name in (("sales", "default")[times % 2], "billing")]
            await asyncio.gather(*both)

    call = Handover(folder, on_frame=on_frame, frames=1500)
    await call.run()
    [doing] = call.doing
    assert doing.done()
    assert [each["agent"] for each in of_kind(call, Kind.AGENT_SWITCHED)] == ["sales", "default"] * (MOST_SWITCHES // 2)
    assert [session.told[-1] for session in call.sessions].count(FAILED.format(name="billing")) == MOST_SWITCHES
    assert "as often as it may be" in await refusal(call, "billing")


async def test_a_caller_who_cuts_in_keeps_the_agent_they_have(folder: Path):
    call = Handover(folder, by_tool=True, cuts_in=True)
    await call.run()
    check(call)

    [failed] = of_kind(call, Kind.TOOL_FAILED)
    assert CUT_IN in failed["output"]
    assert of_kind(call, Kind.AGENT_SWITCHED) == []
    assert (len(call.sessions), call.sessions[1].frames) == (2, [])
    assert call.sessions[1].status is SessionStatus.DISCONNECTED
    assert call.journal.transcript.turns[-1].said == ANSWER


# -- what follows the agent


BILLING = AgentConf.model_validate(
    {
        "tools": [
            {"type": "end_call", "name": "bye"},
            {"type": "transfer_call", "destinations": {"desk": {"number": "+15550100777"}}},
        ],
        "keypad": {"keys": {"9": {"action": "tell", "text": "Nine."}}},
        "redaction": {"patterns": {"code": "56+"}},
        "turn_detection": {"type": "server_vad", "interrupt_response": False},
        "silence": {"reprompt_seconds": 5},
    }
)


async def test_tools_keys_and_manners_are_the_other_agents_and_no_less_is_redacted(folder: Path):
    call = Handover(folder)
    followers, flow = followers_of(call), call.flow
    assert followers.follow(Colleague("billing", 1, BILLING), 100) == []

    transferring: Any = followers.transferring
    assert transferring.tools == ["bye", "transfer_call"]
    with pytest.raises(ToolError, match="no tool 'switch_agent'"):
        await followers.tools.run(ToolCall("call_1", "switch_agent", '{"agent": "sales"}'))
    kept = followers.redacted(CallEvent(Kind.CALLER_TRANSCRIPT, 1, {"text": "1234 and 566 and 4111111111111111"}))
    assert kept.data["text"] == "[pin] and [code] and [card number]"
    flow.on_agent(ResponseStarted("resp_1"), 200)
    flow.on_agent(audio("item_1", 400), 200)
    assert Clear() not in flow.on_agent(SpeechStarted(item_id="item_2"), 300)
    ours = ToolCall("call_2", "end_call", "{}")
    assert deeds(flow.on_agent(ours, 400)) == [RunTool(ours)]
    assert deeds(flow.on_agent(ToolCall("call_3", "bye", "{}"), 400)) == []
    assert flow.quiet.leaving
    assert TellModel("Nine.") in flow.on_caller(Dtmf("9"), 500)


def test_its_silences_count_and_the_calls_length_is_what_it_was():
    flow = CallFlow()
    limits = TimeLimits(AgentConf(silence=None, max_call_seconds=60), flow, goodbye_ms=10_000)
    limits.use(BILLING)
    asked = [action for at_ms in (0, 5000) for action in limits.on_time(at_ms, ready=True)]
    assert [action.kind for action in asked if isinstance(action, CallEvent)] == [Kind.CALLER_SILENT]
    reached = limits.on_time(60_000, ready=True)
    assert [action.data for action in reached if isinstance(action, CallEvent)] == [{"limit": "max_call_seconds"}]


@pytest.mark.parametrize(("own", "counts"), [({}, "2"), ({"hard_usd": 1}, "1"), ({"hard_usd": 9}, None)])
def test_its_budget_is_for_the_whole_call_and_where_it_has_none_the_one_before_holds(own: dict[str, int], counts: str):
    class Spent(Spending):
        def usd(self, at_ms: float) -> Decimal:
            return Decimal(3)

    budget = Budget(BudgetConf(hard_usd=Decimal(2)), CallFlow(spending=Spent()))
    budget.use(BudgetConf.model_validate(own))
    reached = [action for action in budget.on_time(100, ready=True) if isinstance(action, CallEvent)]
    assert [action.data["limit_usd"] for action in reached] == ([counts] if counts else [])


def test_a_key_lets_another_agent_take_over_whatever_is_being_said():
    switched = []

    async def switch(name: str) -> None:
        switched.append(name)

    keys = {"keys": {"2": {"action": "switch_agent", "agent": "billing"}}}
    flow = CallFlow(keypad=KeypadConf.model_validate(keys))
    flow.keypad.works = KeyWorks(switch_agent=switch)
    flow.on_agent(ResponseStarted("resp_1"), 0)
    flow.on_agent(audio("item_1", 400), 0)
    actions = flow.on_caller(Dtmf("2"), 100)
    assert Clear() in actions
    assert Cancel() in actions
    assert not flow.sessions.may_hand_over
    flow.on_agent(ResponseDone("resp_1", "cancelled"), 200)
    assert flow.sessions.may_hand_over
    [work] = [action.work for action in actions if isinstance(action, Beside)]
    asyncio.run(work())
    assert switched == ["billing"]
