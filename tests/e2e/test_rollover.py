"""A session that gets old is replaced in a silence, and nobody hears it."""

import asyncio

import pytest

from app.audio import FRAME_BYTES, SILENCE
from app.call.events import Kind
from app.call.status import EndReason
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.voices.clips import clip, text_of
from tests.e2e.test_reconnect import HELLO, Always, of_kind, texts

YOUNG = {"rollover_minutes": 1}
SWIFT = 50.0


@pytest.fixture(autouse=True)
async def limit():
    """What never happens fails its test, and holds up no other."""
    async with asyncio.timeout(30):
        yield


async def test_f10_a_session_is_replaced_at_its_age_and_the_conversation_goes_on(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO, HELLO]), agent=YOUNG, speed=SWIFT)
    call = await house.ring()
    await call.wait_heard(1000)
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.SESSION_ROLLED_OVER)))
    first, second = await house.openai.session(), await house.openai.session(1)
    await first.closed.wait()
    await call.press("1")
    await call.wait_heard(2000)
    await call.hang_up()
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.CALLER_HANGUP
    assert texts(second)[0] == ("assistant", "Hello.")
    assert of_kind(events, Kind.MODEL_RECONNECTED) == []
    assert of_kind(events, Kind.SESSION_ERROR) == []
    assert all("error" not in session.sent for session in house.openai.sessions)


def faint(number: int) -> bytes:
    """A frame that no other is like, and too quiet for speech."""
    return bytes(b"\xff\xfe\xfd\x7e"[number >> shift & 3] for shift in range(0, 12, 2)).ljust(FRAME_BYTES, SILENCE)


async def test_no_frame_of_the_caller_is_lost_or_doubled(rig):
    house = await rig(Always(Reply()), agent=YOUNG | {"speaks_first": False}, speed=SWIFT)
    call = await house.ring()
    await house.openai.session()
    await call.wait_stream()
    numbered = b"".join(faint(number) for number in range(4096))
    saying = asyncio.create_task(call.say(numbered))
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.SESSION_ROLLED_OVER)))
    await house.openai.sessions[1].wait_for(lambda session: len(session.caller_audio) > 50 * FRAME_BYTES)
    saying.cancel()
    await call.hang_up()
    await house.settled(call)

    arrived = b"".join(bytes(session.caller_audio) for session in house.openai.sessions[:2])
    assert arrived in call.spoken
    assert all(len(session.caller_audio) > 50 * FRAME_BYTES for session in house.openai.sessions[:2])


async def test_it_waits_until_nobody_speaks(rig):
    long = Reply((Say.words("A long story.", 70_000),), pace=50)
    house = await rig(ScriptedBrain([long]), agent=YOUNG, speed=30)
    call = await house.ring()
    await call.wait_heard(65_000)
    assert of_kind(house.told, Kind.SESSION_ROLLED_OVER) == []
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.SESSION_ROLLED_OVER)))
    assert call.heard_ms >= 70_000
    await call.hang_up()
    await house.settled(call)


async def test_what_was_said_while_the_next_one_was_prepared_is_known_to_it(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO, HELLO]), agent=YOUNG, speed=30)
    call = await house.ring()
    await call.wait_heard(1000)
    await call.say(clip("table_tonight"))
    await call.wait_heard(2000)
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.SESSION_ROLLED_OVER)), timeout_s=20)
    await call.hang_up()
    await house.settled(call)

    assert texts(house.openai.sessions[1]) == [
        ("assistant", "Hello."), ("user", text_of("table_tonight")), ("assistant", "Hello."),
    ]  # fmt: skip


async def test_where_none_can_be_had_the_old_session_goes_on(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO]), agent=YOUNG, speed=SWIFT)
    call = await house.ring()
    await call.wait_heard(1000)
    house.openai.faults.extend([Faults(refuse_status=503)] * 2)
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.SESSION_ERROR)))
    await call.press("1")
    await call.wait_heard(2000)
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.SESSION_ROLLED_OVER)))
    await call.hang_up()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP
