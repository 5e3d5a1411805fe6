"""Sessions that were not granted all that was asked for: the caller still gets the agent, and the record says so."""

import numpy as np
import pytest
import soxr

from app.audio import BYTES_PER_MS
from app.call.events import Kind
from app.call.status import EndReason
from app.openai.transcode import SESSION_HZ, from_ulaw, to_session_format
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.sound import encode
from app.sandbox.voices.clips import clip, text_of
from tests.e2e.rig import played

PCM = {"type": "audio/pcm", "rate": 24000}
GREETING = Reply.of(Say.phrase("greeting"))
ANSWER = Reply.of(Say.phrase("opening_sunday"))


def updates(session):
    return [event["session"] for event in session.received if event["type"] == "session.update"]


def degraded(events):
    return [event.data["fields"] for event in events if event.kind == Kind.SESSION_DEGRADED]


async def greeted(house):
    """One call whose caller hears the greeting whole, then hangs up; its session, record and events."""
    call = await house.ring()
    await call.wait_heard(1500)
    await call.hang_up()
    record, events = await house.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP
    return house.openai.sessions[0], events


@pytest.mark.parametrize(
    ("param", "field"),
    [
        ("session.audio.input.noise_reduction", "audio.input.noise_reduction"),
        ("session.audio.input.transcription.model", "audio.input.transcription"),
        ("session.audio.output.speed", "audio.output.speed"),
        ("session.max_output_tokens", "max_output_tokens"),
    ],
)
async def test_a_field_the_api_refuses_is_left_out_and_the_caller_still_gets_the_agent(rig, param, field):
    house = await rig(ScriptedBrain([GREETING]), agent={})
    house.openai.faults.append(Faults(refuse_update="unknown_parameter", refuse_param=param))
    session, events = await greeted(house)

    assert len(updates(session)) == 2
    assert len(house.openai.sessions) == 1
    assert degraded(events) == [[field]]


async def test_a_field_the_api_changes_is_named_with_the_call(rig):
    house = await rig(ScriptedBrain([GREETING]), agent={"speed": 1.2})
    house.openai.faults.append(Faults(override={"audio": {"output": {"speed": 1.0}}}))
    session, events = await greeted(house)

    assert ["speed" in update["audio"]["output"] for update in updates(session)] == [True, False]
    assert degraded(events) == [["audio.output.speed"]]


async def test_a_session_as_asked_has_no_such_note(rig):
    house = await rig(ScriptedBrain([GREETING]), agent={})
    session, events = await greeted(house)
    assert len(updates(session)) == 1
    assert degraded(events) == []


@pytest.mark.parametrize(
    ("faults", "side"),
    [
        (Faults(echo_format="audio/pcm"), "output"),
        (Faults(override={"audio": {"input": {"format": PCM}}}), "input"),
    ],
    ids=["agent's side", "caller's side"],
)
async def test_r0_24_where_ulaw_is_not_granted_both_sides_understand_each_other_all_the_same(rig, faults, side):
    house = await rig(ScriptedBrain([GREETING, ANSWER]), agent={})
    house.openai.faults.append(faults)
    call = await house.ring()
    await call.wait_heard(len(clip("greeting")) // BYTES_PER_MS)
    await call.say(clip("opening_hours"))
    await call.wait_heard((len(clip("greeting")) + len(clip("opening_sunday"))) // BYTES_PER_MS)
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    audio = updates(session)[-1]["audio"]
    assert (audio["input"]["format"], audio["output"]["format"]) == (PCM, PCM)
    assert degraded(events) == [[f"audio.{side}.format"]]
    for phrase in ("greeting", "opening_sunday"):
        assert to_session_format(encode(clip(phrase), "audio/pcm"), SESSION_HZ) in played(call)
    understood = [event.data["text"] for event in events if event.kind == Kind.CALLER_TRANSCRIPT]
    assert understood == [text_of("opening_hours")]


async def test_audio_that_was_granted_in_no_format_we_know_ends_in_the_fallback(rig):
    house = await rig(ScriptedBrain([]), agent={})
    house.openai.faults.append(Faults(echo_format="audio/pcma"))
    call = await house.ring()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.MODEL_UNAVAILABLE
    assert len(house.openai.sessions) == 1


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 48_000])
async def test_r3_14_the_session_understands_audio_of_any_rate(rig, rate_hz):
    """R3 sent 16 kHz as if it were the session's format; whatever comes in must reach that format at its true pitch."""
    house = await rig(ScriptedBrain([ANSWER]), agent={"speaks_first": False})
    words = from_ulaw(clip("opening_hours"))
    resampled = soxr.resample(np.frombuffer(words, "<i2"), 8000, rate_hz).tobytes()
    call = await house.ring()
    await call.wait_stream()
    await call.say(to_session_format(resampled, rate_hz))
    await call.wait_heard(1000)
    await call.hang_up()
    _, events = await house.settled(call)
    assert [event.data["text"] for event in events if event.kind == Kind.CALLER_TRANSCRIPT] == [
        text_of("opening_hours")
    ]
