"""What an operator does to a live call."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.call.actions import AnswerTool, Beside, End, Instruct, Reconnect, Say, TellModel
from app.call.commands import (
    KINDS,
    ChangeInstructions,
    GiveText,
    HangUp,
    PauseRecording,
    RestartSession,
    SayWords,
    Sent,
    TransferCall,
    pack,
    unpack,
)
from app.call.elsewhere.away import Away
from app.call.elsewhere.hourly import Hourly
from app.call.elsewhere.transfer import Transfer
from app.call.elsewhere.transferring import FAILED, Transferring
from app.call.events import CallEvent, Kind
from app.call.journal.journal import JournalWriter
from app.call.operator import Operator
from app.call.status import CallStatus, EndReason
from app.call.turns.flow import CallFlow
from app.call.turns.goodbye import ALREADY
from app.conf.models import TransferCallTool
from app.errors import CarrierApiError, CommandRefused
from app.realtime.events import AudioDone, ResponseDone, ResponseStarted, SpeechStarted
from app.timing import Deadlines
from app.twilio.media_protocol import MarkReached
from tests.unit.call.journal.test_journal import RECORD
from tests.unit.call.turns.test_flow import END_CALL, audio, deeds, play

COLLEAGUE, FALLBACK = "+15550100777", "+15550100999"
TOOL = TransferCallTool.model_validate(
    {"type": "transfer_call", "destinations": {"desk": {"number": COLLEAGUE}}, "max_per_call": 2}
)
BYE = End(EndReason.OPERATOR)
CARRIER_S = CLAIM_S = 0.05


class FakeAgent:
    steady = may_reconnect = True


class FakeBridge:
    def __init__(self) -> None:
        self.agent = FakeAgent()
        self.ready, self.over = True, False
        self.performed: list = []
        self.ended: list[EndReason] = []
        self.besides: list[asyncio.Task] = []

    def beside(self, work) -> None:
        self.besides.append(asyncio.create_task(work))

    async def perform(self, actions) -> bool:
        if self.ready:
            self.performed += actions
        return self.ready

    def end(self, reason: EndReason) -> None:
        self.ended.append(reason)


class FakeCaller:
    """The caller leg, as those see it who send the caller elsewhere."""

    def __init__(self) -> None:
        self.leaving = self.away = False
        self.back = asyncio.Event()
        self.left = asyncio.Event()

    def leave(self) -> None:
        self.leaving = True
        self.left.clear()

    def stay(self) -> bool:
        self.leaving = self.away
        return not self.left.is_set()

    def go(self) -> None:
        self.away = True
        self.left.set()

    async def wait_left(self) -> None:
        await self.left.wait()

    def come_back(self) -> None:
        self.leaving = self.away = False
        self.back.set()

    async def wait_back(self) -> None:
        await self.back.wait()


class FakeWays:
    def dialled_url(self, number: int) -> str:
        return f"https://calls.example.com/twilio/transferred?dial={number}"

    def back(self, *, keys: str | None = None) -> str:
        return f"<back keys={keys}/>"


class FakeCarrier:
    def __init__(self) -> None:
        self.redirected: list[str] = []
        self.answer: asyncio.Future[None] | None = None

    async def redirect(self, call_sid: str, twiml: str) -> None:
        self.redirected.append(twiml)
        if self.answer:
            await self.answer


class FakeRecording:
    async def pause(self) -> bool:
        return False


class House:
    def __init__(self, root) -> None:
        self.told: list = []
        self.prefixes = ["+1555010"]
        self.moves: list[CallStatus] = []
        self.bridge, self.carrier, self.flow = FakeBridge(), FakeCarrier(), CallFlow()
        journals = JournalWriter(root, period_s=1, listeners=[lambda _, event: self.told.append(event)])
        self.journal = journals.open(RECORD, now_ms=lambda: 100.0)
        self.caller, self.most = FakeCaller(), 100
        self.away = Away(
            self.caller,  # type: ignore[arg-type]
            self.flow.hush,
            self.carrier,  # type: ignore[arg-type] # it only redirects
            RECORD.call_sid,
            deadlines=Deadlines(carrier_s=CARRIER_S, claim_s=CLAIM_S),
            now_ms=lambda: 100.0,
            end=self.bridge.end,
        )
        self.transfer = Transfer(
            self.away,
            RECORD,
            ways=FakeWays(),
            allowed_prefixes=lambda: self.prefixes,
            fallback_numbers=frozenset({FALLBACK, "+19005550100"}),
            hourly=Hourly(lambda: self.most),
            deadlines=Deadlines(carrier_s=CARRIER_S),
            end=self.bridge.end,
        )
        self.transferring = Transferring(
            self.transfer,
            self.away,
            [TOOL],
            bridge=self.bridge,  # type: ignore[arg-type]
            note=self.note,
            move=self.moves.append,
            max_s=600,
        )
        self.operator = Operator(
            bridge=self.bridge,  # type: ignore[arg-type]
            flow=self.flow,
            recording=FakeRecording(),  # type: ignore[arg-type]
            transfer=self.transfer,
            transferring=self.transferring,
            journal=self.journal,
            now_ms=lambda: 100.0,
        )

    def note(self, kind: Kind, **data) -> None:
        self.journal.add(CallEvent(kind, 100, data))

    async def close(self) -> None:
        """The call is over, and nothing goes on beside it."""
        for task in self.bridge.besides:
            task.cancel()
        await asyncio.gather(*self.bridge.besides, return_exceptions=True)

    async def refuses(self, command) -> str:
        with pytest.raises(CommandRefused) as refused:
            await self.operator.obey(command, "ops")
        return refused.value.code


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    house = House(tmp_path)
    yield house
    await house.close()


async def test_a_session_is_restarted_unless_it_is_being_replaced_or_that_would_end_the_call(house: House):
    assert await house.operator.obey(RestartSession(), "ops") == "done"
    house.bridge.agent.steady = False
    assert await house.operator.obey(RestartSession(), "ops") == "unchanged"
    house.bridge.agent.may_reconnect = False
    assert await house.refuses(RestartSession()) == "too_many_sessions"
    assert house.bridge.performed == [Reconnect("operator")]
    assert [event.data.get("refused") for event in house.told] == [None, None, "too_many_sessions"]


async def test_words_go_to_the_model_and_into_the_journal_with_the_keys_name(house: House):
    assert await house.operator.obey(SayWords("Hi"), "ops") == "done"
    assert await house.operator.obey(GiveText("Sent.", "system", respond=False), "ops") == "done"
    assert await house.operator.obey(ChangeInstructions("Be brief."), "ops") == "done"

    assert house.bridge.performed == [Say("Hi"), TellModel("Sent.", "system", respond=False), Instruct("Be brief.")]
    assert [event.kind for event in house.told] == [Kind.OPERATOR_COMMAND] * 3
    assert house.told[1].data == {
        "action": "send_text", "by": "ops", "text": "Sent.", "role": "system", "respond": False,
    }  # fmt: skip


async def test_without_an_agent_only_what_needs_none_is_done(house: House):
    house.bridge.ready = False
    for command in (SayWords("Hi"), GiveText("Hi"), ChangeInstructions(""), TransferCall(COLLEAGUE, "One moment.")):
        assert await house.refuses(command) == "not_ready"
    assert {event.data["refused"] for event in house.told} == {"not_ready"}

    assert await house.operator.obey(HangUp("Bye."), "ops") == "done"
    assert await house.operator.obey(PauseRecording(), "ops") == "unchanged"
    assert (house.bridge.ended, house.bridge.performed) == ([EndReason.OPERATOR], [])


async def test_a_call_that_is_over_hears_nothing_more_in_its_journal(house: House):
    house.journal.record = replace(RECORD, status=CallStatus.ENDED)
    await house.operator.obey(HangUp(), "ops")
    assert house.told == []


async def test_a_hang_up_with_a_message_waits_until_it_was_heard(house: House):
    assert await house.operator.obey(HangUp("Bye."), "ops") == "under_way"
    assert (house.bridge.performed, house.bridge.ended) == ([Say("Bye.")], [])
    assert answered(house.flow, "resp_1", at_ms=200) == [BYE]


async def test_nobody_hears_a_message_while_the_caller_is_put_through_so_a_hang_up_waits_for_none(house: House):
    await house.operator.obey(TransferCall(COLLEAGUE), "ops")
    assert await house.operator.obey(HangUp("Bye."), "ops") == "done"
    assert (house.bridge.performed, house.bridge.ended) == ([], [EndReason.OPERATOR])


async def test_a_transfer_is_told_before_it_is_asked_for_and_ends_the_call_when_the_two_have_talked(house: House):
    assert await house.operator.obey(TransferCall(COLLEAGUE), "ops") == "done"

    assert house.bridge.ended == []
    assert house.moves == [CallStatus.TRANSFERRING]
    assert [event.kind for event in house.told] == [Kind.OPERATOR_COMMAND, Kind.TRANSFER_STARTED]
    [twiml] = house.carrier.redirected
    assert f'callerId="{RECORD.to_number}"' in twiml
    assert 'timeLimit="600"' in twiml
    assert f"<Number>{COLLEAGUE}</Number>" in twiml
    assert "Hangup" in (house.transfer.dialled("completed", 1) or "")
    assert house.bridge.ended == [EndReason.TRANSFERRED]


async def test_a_transfer_that_nobody_answers_is_told_to_the_model_when_the_caller_is_back(house: House):
    await house.operator.obey(TransferCall(COLLEAGUE), "ops")
    assert house.transfer.dialled("busy", 1) == house.transfer.dialled("busy", 1) == "<back keys=None/>"
    house.caller.come_back()
    await asyncio.wait(house.bridge.besides)

    [told] = house.bridge.performed
    assert (told.role, told.respond, told.text.startswith("The line was busy.")) == ("system", True, True)
    assert house.moves == [CallStatus.TRANSFERRING, CallStatus.LIVE]
    assert house.told[-1].kind == Kind.TRANSFER_RETURNED
    assert (house.bridge.ended, house.transfer.dialled("busy", 1)) == ([], None)


async def test_a_transfer_that_the_carrier_refuses_leaves_the_call_live(house: House):
    house.carrier.answer = asyncio.get_running_loop().create_future()
    house.carrier.answer.set_exception(CarrierApiError("no", status=400))

    assert await house.refuses(TransferCall(COLLEAGUE)) == "carrier_refused"
    assert (house.bridge.ended, house.moves) == ([], [CallStatus.TRANSFERRING, CallStatus.LIVE])
    assert house.told[-1].kind == Kind.TRANSFER_FAILED
    assert await house.transfer.settle(EndReason.CALLER_HANGUP) is EndReason.CALLER_HANGUP


async def test_an_announced_transfer_that_fails_is_told_to_the_model(house: House):
    await house.operator.obey(TransferCall(COLLEAGUE, "One moment."), "ops")
    [later] = answered(house.flow, "resp_1", at_ms=200)
    assert isinstance(later, Beside)
    house.carrier.answer = asyncio.get_running_loop().create_future()
    house.carrier.answer.set_exception(CarrierApiError("no", status=400))
    await later.work()

    assert house.bridge.performed == [Say("One moment."), TellModel(FAILED, "system")]
    assert house.bridge.ended == []


async def test_who_asked_for_a_transfer_may_go_away_and_it_goes_on(house: House):
    house.carrier.answer = asyncio.get_running_loop().create_future()
    transferring = asyncio.create_task(house.operator.obey(TransferCall(COLLEAGUE), "ops"))
    while not house.carrier.redirected:  # noqa: ASYNC110 (there is no event)
        await asyncio.sleep(0)
    assert await house.refuses(TransferCall(COLLEAGUE)) == "transfer_under_way"
    transferring.cancel()
    await asyncio.wait([transferring])
    house.carrier.answer.set_result(None)
    house.transfer.dialled("no-answer", 1)
    house.caller.come_back()
    await asyncio.wait(house.bridge.besides)
    assert house.told[-1].kind == Kind.TRANSFER_RETURNED


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("sip:a@example.com", "number_not_e164"),
        ("client:me", "number_not_e164"),
        ("15550100777", "number_not_e164"),
        ("+1 555 010 0777", "number_not_e164"),
        ("+19005550101", "premium_number"),
        ("+442079460000", "destination_not_allowed"),
    ],
)
async def test_only_phone_numbers_that_are_allowed_are_dialled(house: House, to: str, code: str):
    with pytest.raises(CommandRefused) as refused:
        house.transfer.check(to)
    assert refused.value.code == code


@pytest.mark.parametrize("to", [COLLEAGUE, FALLBACK, "+19005550100"])
async def test_fallback_numbers_need_no_prefix(house: House, to: str):
    house.transfer.check(to)


# -- last words


def answered(flow: CallFlow, response_id: str, *, at_ms: float) -> list:
    """What follows when an answer was given and heard."""
    flow.on_agent(ResponseStarted(response_id), at_ms)
    played = play(flow, audio(f"item_{response_id}", 400, response_id), at_ms)
    flow.on_agent(AudioDone(f"item_{response_id}"), at_ms)
    done = deeds(flow.on_agent(ResponseDone(response_id), at_ms))
    return done + deeds(flow.on_caller(MarkReached(played.mark), at_ms + 400))


def test_the_answer_under_way_is_not_taken_for_the_last_words():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    played = play(flow, audio("item_1", 400))
    assert flow.say_last("Bye.", BYE, 10) == [Say("Bye.")]
    flow.on_agent(AudioDone("item_1"), 20)
    assert deeds(flow.on_agent(ResponseDone("resp_1"), 20)) == []
    assert deeds(flow.on_caller(MarkReached(played.mark), 400)) == []

    assert answered(flow, "resp_2", at_ms=500) == [BYE]


def test_a_caller_who_speaks_does_not_revoke_what_an_operator_ordered():
    flow = CallFlow()
    flow.say_last("Bye.", BYE, 0)
    flow.on_agent(ResponseStarted("resp_1"), 10)
    play(flow, audio("item_1", 2000), 10)
    assert BYE not in flow.on_agent(SpeechStarted(), 500)

    assert deeds(flow.on_agent(ResponseDone("resp_1", "cancelled"), 520)) == [BYE]


def test_words_that_never_come_hold_nothing_for_ever_and_what_follows_happens_once():
    flow = CallFlow(goodbye_ms=10_000)
    flow.say_last("Bye.", BYE, 0)
    flow.on_agent(ResponseStarted("resp_1"), 10)
    assert deeds(flow.on_agent(ResponseDone("resp_1", "cancelled"), 20)) == []  # not a word of it

    assert BYE not in flow.on_time(9_999)
    assert BYE in flow.on_time(10_000)
    assert BYE not in flow.on_time(10_001)


def test_an_order_wins_over_the_agents_own_wish_to_hang_up():
    flow = CallFlow(hang_up_tools={"end_call"})
    flow.say_last("One moment.", BYE, 0)
    flow.on_agent(ResponseStarted("resp_1"), 10)
    assert AnswerTool(END_CALL, ALREADY) in flow.on_agent(END_CALL, 10)


# -- from one process to another


@pytest.mark.parametrize(
    "command",
    [
        HangUp(), HangUp("Bye."), SayWords("Hi"), GiveText("Hi", "system", respond=False), ChangeInstructions(""),
        TransferCall(COLLEAGUE, "One moment."), *(kind() for name, kind in KINDS.items() if "recording" in name),
    ],
    ids=str,
)  # fmt: skip
def test_a_command_arrives_as_it_was_sent(command):
    assert unpack(pack(command)) == command


@pytest.mark.parametrize(
    "sent", [Sent("sing"), Sent("say", {"text": 5}), Sent("say"), Sent("send_text", {"role": "x"})]
)
def test_what_cannot_be_understood_is_refused_by_name(sent: Sent):
    with pytest.raises(CommandRefused) as refused:
        unpack(sent)
    assert refused.value.code == "unknown_command"
