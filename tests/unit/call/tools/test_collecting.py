"""Digits that stay hidden."""

import asyncio

import pytest

from app.call.actions import TellModel
from app.call.events import Kind
from app.call.tools.collecting import BUSY, LINGER_MS, NOT_PRIVATE, CollectDigits
from app.call.tools.digits import HIDDEN, CollectedDigits
from app.call.tools.tool_calls import Asked
from app.call.turns.flow import CallFlow
from app.conf.models import CollectDigitsTool
from app.errors import CarrierError, ToolError
from app.twilio.media_protocol import Dtmf, MarkReached
from tests.unit.call.sound.test_recording import House
from tests.unit.call.turns.test_flow import audio, play

CARD = "4111222233334444"


class Ears:
    deaf = False


class Collection:
    """A call whose clock stands still until a test moves it."""

    def __init__(self, root, **tool) -> None:
        self.house = House(root)
        self.recorder = self.house.journal.recorder
        self.flow, self.ears, self.digits = CallFlow(), Ears(), CollectedDigits()
        self.noted: list = []
        self.now_ms = 0.0
        self.tool = CollectDigitsTool(type="collect_digits", **({"store_as": "card", "max_digits": 16} | tool))
        self.collect = CollectDigits(
            keypad=self.flow.keypad,
            ears=self.ears,
            recording=self.house.recording,
            digits=self.digits,
            note=lambda kind, **data: self.noted.append((kind, data)),
            now_ms=lambda: self.now_ms,
            tick_s=0.0005,
        )

    def asked(self) -> Asked:
        return Asked("call_1", self.tool, {})

    async def start(self) -> "asyncio.Task[str]":
        running = asyncio.create_task(asyncio.wait_for(self.collect(self.asked()), 5))
        while not (self.ears.deaf or running.done()):  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)
        return running

    def press(self, keys: str) -> list:
        """What the keys lead to outside of the tool."""
        actions = [action for key in keys for action in self.flow.on_caller(Dtmf(key), self.now_ms)]
        return [action for action in actions if not getattr(action, "fleeting", False)]

    async def wait(self, ms: float) -> None:
        """So much time passes, and the tool has seen it."""
        await asyncio.sleep(0.002)
        self.now_ms += ms
        await asyncio.sleep(0.002)


@pytest.fixture
def call(tmp_path) -> Collection:
    return Collection(tmp_path)


async def test_digits_are_counted_for_the_model_and_kept_for_tools(call: Collection):
    running = await call.start()
    assert call.press(CARD + "#") == []

    assert await running == "The caller typed 16 digits; they are stored as card."
    assert call.digits() == {"card": CARD}
    assert call.noted == [(Kind.DIGITS_COLLECTED, {"store_as": "card", "count": 16, "complete": True})]


async def test_meanwhile_the_caller_is_neither_heard_nor_recorded_and_afterwards_again(call: Collection):
    running = await call.start()
    assert (call.ears.deaf, call.recorder.paused) == (True, True)
    assert call.house.carrier.asked == ["pause CA1"]
    call.press("1#")
    await running

    assert (call.ears.deaf, call.recorder.paused) == (False, False)
    assert call.house.carrier.asked == ["pause CA1", "resume CA1"]
    assert call.press("5#")[-1] == TellModel("The caller typed 5 on the phone.")


async def test_a_recording_that_was_paused_stays_paused(call: Collection):
    await call.house.recording.pause()
    running = await call.start()
    call.press("1#")
    await running
    assert call.recorder.paused


async def test_nobody_resumes_the_recording_before_all_is_typed(call: Collection):
    await call.house.recording.pause()
    running = await call.start()
    assert await call.house.recording.resume()
    assert (call.recorder.paused, call.house.carrier.asked) == (True, ["pause CA1"])
    call.press("1#")
    await running
    assert (call.recorder.paused, call.house.carrier.asked) == (False, ["pause CA1", "resume CA1"])


async def test_a_pause_wished_for_meanwhile_holds_afterwards(call: Collection):
    running = await call.start()
    assert await call.house.recording.pause()
    call.press("1#")
    await running
    assert (call.recorder.paused, call.house.carrier.asked) == (True, ["pause CA1"])


async def test_where_the_carrier_goes_on_recording_nothing_may_be_typed(call: Collection):
    async def refuse() -> None:
        raise CarrierError("no")

    call.house.carrier.answer = refuse
    with pytest.raises(ToolError, match=NOT_PRIVATE):
        await call.collect(call.asked())
    assert (call.ears.deaf, call.recorder.paused, call.digits()) == (False, False, {})


async def test_what_stays_too_short_is_not_kept_and_the_model_told_how_short(call: Collection):
    call.tool = call.tool.model_copy(update={"min_digits": 4})
    call.digits.keep("card", "older")
    running = await call.start()
    call.press("123#")

    with pytest.raises(ToolError, match="typed 3 digits, but 4 are needed"):
        await running
    assert call.digits() == {}
    assert call.noted == [(Kind.DIGITS_COLLECTED, {"store_as": "card", "count": 3, "complete": False})]


async def test_time_counts_from_the_last_key_or_from_when_the_agent_was_heard(call: Collection):
    prompt = play(call.flow, audio("item_1", 400), 0)
    running = await call.start()
    await call.wait(20_000)  # the agent still speaks
    assert not running.done()
    call.flow.on_caller(MarkReached(prompt.mark), call.now_ms)
    await call.wait(14_000)
    call.press("12")
    await call.wait(14_000)
    assert not running.done()
    await call.wait(1_100)
    assert await running == "The caller typed 2 digits; they are stored as card."


async def test_silence_is_told_as_such(call: Collection):
    running = await call.start()
    await call.wait(15_100)
    with pytest.raises(ToolError, match="typed nothing"):
        await running


async def test_keys_too_many_are_swallowed_with_the_rest(call: Collection):
    running = await call.start()
    call.press(CARD)
    await call.wait(LINGER_MS - 100)
    assert call.press("5") == []
    await call.wait(LINGER_MS - 100)
    assert not running.done()
    await call.wait(200)
    assert await running == "The caller typed 16 digits; they are stored as card."
    assert call.digits() == {"card": CARD}


async def test_only_digits_count_and_none_after_the_key_that_ends_it(call: Collection):
    running = await call.start()
    assert call.press("1*2A3#45") == []
    assert await running == "The caller typed 3 digits; they are stored as card."
    assert call.digits() == {"card": "123"}


async def test_who_has_typed_all_of_it_need_not_hear_the_agent_out(call: Collection):
    play(call.flow, audio("item_1", 60_000), 0)
    running = await call.start()
    call.press(CARD)
    await call.wait(LINGER_MS + 100)
    await call.wait(0)
    assert running.done()
    assert call.digits() == {"card": CARD}


async def test_a_call_that_ends_meanwhile_leaves_nothing_behind(call: Collection):
    running = await call.start()
    call.press("4111")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert call.noted == [(Kind.DIGITS_COLLECTED, {"store_as": "card", "count": 4, "complete": False})]
    assert (call.digits(), call.ears.deaf) == ({}, False)


async def test_only_one_thing_is_typed_at_a_time(call: Collection):
    running = await call.start()
    with pytest.raises(ToolError, match=BUSY):
        await call.collect(call.asked())
    call.press("1#")
    assert await running
    assert len(call.noted) == 1


# -- the digits themselves


async def test_no_tool_tells_the_model_what_was_typed():
    digits = CollectedDigits()
    digits.keep("card", CARD)
    digits.keep("pin", "12")

    async def echo(asked: Asked) -> str:
        text = asked.arguments["text"]
        if text.startswith("!"):
            raise ToolError(text)
        return text

    async def said(text: str) -> str:
        return await digits.guard(echo)(Asked("1", CollectDigitsTool(type="collect_digits"), {"text": text}))

    assert await said(f'{{"card":"{CARD}","at":"12:12"}}') == f'{{"card":"{HIDDEN}","at":"12:12"}}'
    assert await said("card 4111 2222 3333 4444, 4111-2222-3333-4444") == f"card {HIDDEN}, {HIDDEN}"
    assert await said(f"9{CARD}") == f"9{CARD}"  # another number
    with pytest.raises(ToolError, match=r"^!\[hidden\]$"):
        await said(f"!{CARD}")


def test_digits_are_in_no_repr():
    digits = CollectedDigits()
    digits.keep("card", CARD)
    assert repr(digits) == "CollectedDigits(card: 16 digits)"
