"""What the caller's keys lead to."""

import pytest

from app.call.actions import Beside, Cancel, Clear, End, Say, TellModel, Truncate, Wake
from app.call.events import CallEvent, Kind
from app.call.journal.redacted import RedactedEvents
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.call.turns.keypad import MOST_KEYS, KeyWorks
from app.conf.models import KeypadConf, RedactionConf
from app.realtime.events import ResponseDone, ResponseStarted
from app.twilio.media_protocol import Dtmf, MarkReached, Stopped
from tests.unit.call.turns.test_flow import audio, deeds, play

MAP = {
    "0": {"action": "transfer", "destination": "human"},
    "1": {"action": "tell", "text": "The caller chose sales."},
    "8": {"action": "switch_agent", "agent": "billing"},
    "9": {"action": "end_call", "message": "Bye."},
}


def typed(text: str) -> TellModel:
    return TellModel(f"The caller typed {text} on the phone.")


def press(flow: CallFlow, keys: str, at_ms: float = 0) -> list:
    return [action for key in keys for action in flow.on_caller(Dtmf(key), at_ms)]


def noted(actions: list) -> list:
    return [(each.kind, each.data) for each in actions if isinstance(each, CallEvent) and not each.fleeting]


def speaking(flow: CallFlow) -> None:
    """The agent is in the middle of an answer, of which 400 ms are heard."""
    flow.on_agent(ResponseStarted("resp_1"), 0)
    first = play(flow, audio("item_1", 400), 0)
    play(flow, audio("item_1", 400), 0)
    flow.on_caller(MarkReached(first.mark), 400)


def test_keys_that_belong_together_are_told_as_one_after_a_pause():
    flow = CallFlow()
    flow.on_caller(Dtmf("1"), 0)
    assert deeds(press(flow, "203", 1000)) == [Wake(1500)] * 3
    assert deeds(flow.on_time(2499)) == []
    told = flow.on_time(2500)
    assert deeds(told) == [typed("1203")]
    assert [(each.at_ms, each.data["digit"]) for each in told if isinstance(each, CallEvent)] == [
        (0, "1"), (1000, "2"), (1000, "0"), (1000, "3"),
    ]  # fmt: skip
    assert flow.on_time(9000) == []


def test_the_hash_key_completes_an_input_and_counts_alone():
    flow = CallFlow()
    assert deeds(press(flow, "12#"))[-1] == typed("12")
    assert deeds(press(flow, "#"))[-1] == typed("#")
    assert deeds(press(flow, "*#"))[-1] == typed("*")


def test_an_endless_input_is_told_in_parts():
    flow = CallFlow()
    assert deeds(press(flow, "7" * MOST_KEYS))[-1] == typed("7" * MOST_KEYS)


def test_the_model_may_be_told_nothing_and_the_journal_knows_all_the_same():
    flow = CallFlow(keypad=KeypadConf(tell_model=False))
    actions = press(flow, "12#")
    assert [each for each in deeds(actions) if not isinstance(each, Wake)] == []
    assert [data["digit"] for _, data in noted(actions)] == ["1", "2", "#"]


def test_each_key_tells_at_once_that_the_caller_is_there_and_not_which_it_was():
    flow = CallFlow()
    [typing, _] = flow.on_caller(Dtmf("4"), 100)
    assert typing == CallEvent(Kind.CALLER_TYPING, 100, {}, fleeting=True)


def test_what_was_typed_before_a_hang_up_is_in_the_journal():
    flow = CallFlow()
    press(flow, "4")
    assert noted(flow.on_caller(Stopped(), 100)) == [(Kind.CALLER_DTMF, {"digit": "4"})]


def test_a_cards_number_that_was_typed_is_told_and_not_written_down():
    flow = CallFlow(key_works=KeyWorks(kept=RedactedEvents(RedactionConf()).typed))
    actions = press(flow, "4111111111111111#")
    assert deeds(actions)[-1] == typed("4111111111111111")
    assert [data["digit"] for _, data in noted(actions)] == ["?"] * 17
    assert [data["digit"] for _, data in noted(press(flow, "12#"))] == ["1", "2", "#"]


def test_only_the_first_key_of_an_input_acts():
    flow = CallFlow(keypad=KeypadConf.model_validate({"keys": MAP}))
    assert deeds(press(flow, "20#"))[-1] == typed("20")
    assert deeds(press(flow, "1")) == [TellModel("The caller chose sales.")]
    assert deeds(press(flow, "1")) == [TellModel("The caller chose sales.")]


async def test_a_key_puts_the_caller_through_at_once_and_silences_the_agent():
    went: list[str] = []

    async def transfer(destination: str) -> None:
        went.append(destination)

    flow = CallFlow(keypad=KeypadConf.model_validate({"keys": MAP}), key_works=KeyWorks(transfer=transfer))
    speaking(flow)
    actions = press(flow, "0", 500)

    [clear, truncate, cancel, beside] = deeds(actions)
    assert (clear, truncate, cancel) == (Clear(), Truncate("item_1", 500), Cancel())
    assert isinstance(beside, Beside)
    await beside.work()
    assert went == ["human"]
    assert noted(actions)[:2] == [
        (Kind.CALLER_DTMF, {"digit": "0"}),
        (Kind.KEY_ACTION, {"key": "0", "action": "transfer", "destination": "human"}),
    ]


@pytest.mark.parametrize(("key", "target"), [("0", "human"), ("8", "billing")])
def test_where_nothing_else_can_do_it_the_model_is_told_to(key: str, target: str):
    flow = CallFlow(keypad=KeypadConf.model_validate({"keys": MAP}))
    [told] = deeds(press(flow, key))
    assert isinstance(told, TellModel)
    assert (told.role, target in told.text) == ("system", True)


def test_a_key_ends_the_call_once_its_last_words_were_heard():
    flow = CallFlow(keypad=KeypadConf.model_validate({"keys": MAP}))
    speaking(flow)
    assert deeds(press(flow, "9", 500))[-2:] == [Cancel(), Say("Bye.")]
    flow.on_agent(ResponseDone("resp_1", status="cancelled"), 520)  # the answer that was cut is no goodbye
    flow.on_agent(ResponseStarted("resp_2"), 600)
    bye = play(flow, audio("item_2", 400, "resp_2"), 600)
    assert End(EndReason.AGENT_HANGUP) not in flow.on_agent(ResponseDone("resp_2"), 700)
    assert End(EndReason.AGENT_HANGUP) in flow.on_caller(MarkReached(bye.mark), 1000)


def test_diverted_keys_reach_nobody_else_not_even_those_pressed_just_before():
    flow = CallFlow(keypad=KeypadConf.model_validate({"keys": MAP}))
    taken: list[str] = []
    press(flow, "4")
    flow.keypad.divert(taken.append)
    assert noted(press(flow, "10#")) == []
    assert flow.on_time(9000) == []
    assert taken == ["4", "1", "0", "#"]
    flow.keypad.restore()
    assert deeds(press(flow, "1")) == [TellModel("The caller chose sales.")]
