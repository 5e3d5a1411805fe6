"""What goes wrong, and what the caller and the record get then."""

import asyncio
from dataclasses import replace

import pytest

from app.call.events import Kind
from app.call.status import EndReason
from app.call.turns.flow import APOLOGY
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.twilio import EndCause
from app.sandbox.twilio.timeline import Dialled, VerbStarted
from app.sandbox.voices.clips import clip
from tests.e2e.rig import AUTH_TOKEN, CALLER, QUICK

HELLO = Reply.of(Say.words("Hello.", 1000))
LONG = Reply.of(Say.words("A long answer.", 20_000))
SHORT = replace(QUICK, session_s=0.6, connect_s=0.3)
FALLBACK = {"fallback": {"message": "Nobody can talk now.", "number": "+15550100999"}}


def verbs(call):
    return [moment.verb.name for moment in call.timeline if isinstance(moment, VerbStarted)]


@pytest.mark.parametrize(
    "faults",
    [
        Faults(refuse_status=401),
        Faults(refuse_status=503),
        Faults(hang_before="handshake"),
        Faults(hang_before="session.created"),
        Faults(hang_before="session.updated"),
        Faults(close_after_events=1),
        Faults(refuse_update="unknown_parameter"),
        Faults(refuse_update="invalid_value", refuse_param="session.instructions"),
    ],
    ids=lambda faults: repr(faults)[:60],
)
async def test_without_a_model_the_caller_hears_the_fallback_and_is_put_through(rig, faults):
    house = await rig(ScriptedBrain([]), agent=FALLBACK, deadlines=SHORT)
    house.openai.faults.extend([faults] * 2)
    call = await house.ring()
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.MODEL_UNAVAILABLE
    assert [moment.number for moment in call.timeline if isinstance(moment, Dialled)] == ["+15550100999"]
    assert verbs(call)[-3:] == ["Say", "Dial", "Number"] or verbs(call)[-2:] == ["Say", "Dial"]
    [problem] = [event for event in events if event.kind == Kind.SESSION_ERROR]
    assert house.openai.api_key not in str(problem.data)


async def test_a_model_that_is_lost_in_mid_call_leaves_nobody_in_silence(rig):
    house = await rig(ScriptedBrain([LONG]), agent=FALLBACK)
    house.openai.faults.extend([Faults(close_after_events=30, close_code=1006), *[Faults(refuse_status=503)] * 6])
    call = await house.ring()
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.MODEL_LOST
    assert "Dial" in verbs(call)


async def test_where_rest_fails_too_the_static_verbs_take_over(rig):
    house = await rig(ScriptedBrain([]), agent=FALLBACK, deadlines=SHORT)
    house.openai.faults.extend([Faults(refuse_status=401)] * 2)
    house.twilio.fail_rest(500, times=10)
    call = await house.ring()
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.MODEL_UNAVAILABLE
    assert [moment.number for moment in call.timeline if isinstance(moment, Dialled)] == ["+15550100999"]


async def test_where_rest_fails_at_the_goodbye_the_line_still_closes(rig):
    bye = Reply.of(Say.words("Goodbye.", 800), CallTool("end_call"))
    house = await rig(ScriptedBrain([bye]), agent={"tools": [{"type": "end_call"}]})
    house.twilio.fail_rest(500, times=10)
    call = await house.ring()
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.AGENT_HANGUP
    assert call.end_cause is EndCause.HANGUP_VERB
    assert len(call.streams) == 1


NONSENSE = [
    b"\x00\x01 binary",
    "not json",
    "[]",
    "[" * 10_000,
    '{"event":"media"}',
    '{"event":"media","media":{"payload":"%%%","timestamp":"x","chunk":"1"}}',
    '{"event":"media","media":{"payload":"AAAA","timestamp":"-5","chunk":"99999999999999999999"}}',
    '{"event":"mark","mark":{"name":"never sent"}}',
    '{"event":"start","start":{"callSid":"CA0","accountSid":"AC0"}}',
    '{"event":"news","news":1}',
    '{"event":5}',
]


async def test_nonsense_on_the_stream_is_counted_and_the_call_goes_on(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    for nonsense in NONSENSE:
        await call.send_raw(nonsense)
    await call.press("1")
    await call.wait_heard(2000)
    await call.hang_up()
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.CALLER_HANGUP
    [oddities] = [event.data for event in events if event.kind == Kind.STREAM_ODDITIES]
    assert oddities["broken"] >= 5
    assert oddities["ignored"] == 1
    assert "error" not in house.openai.sessions[0].sent


async def test_a_frame_over_64_kib_ends_that_call_only(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO, HELLO, HELLO]), agent={"fallback": {"number": "+15550100999"}})
    call, other = await house.ring(), await house.ring()
    await call.wait_heard(500)
    await other.wait_heard(500)
    await call.send_raw('{"event":"media","media":{"payload":"' + "A" * 200_000 + '"}}')
    await call.wait_ended()
    record, _ = await house.saved(call)
    assert call.streams[0].close_code == 1009
    assert record.end_reason is EndReason.STREAM_LOST

    await other.wait_heard(1000)
    assert house.registry.is_live(other.call_sid)
    await other.hang_up()


async def test_junk_from_the_model_is_ignored(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={})
    house.openai.faults.extend([Faults(junk=("no json", '{"type":"brand.new","x":1}', "[]", '{"no":"type"}'))] * 2)
    call = await house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP


async def test_a_line_that_goes_dead_ends_after_ten_seconds_without_a_frame_and_the_agent_comes_back(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO]), agent={}, deadlines=replace(QUICK, media_idle_s=0.3))
    call = await house.ring()
    await call.wait_heard(1000)
    call.stream.line_silent = True
    await call.wait_for(lambda call: len(call.streams) == 2)
    await call.wait_heard(1500)
    await call.hang_up()
    await house.settled(call)

    ends = [event.data["reason"] for event in house.told if event.kind == Kind.CALL_ENDED]
    assert ends == [EndReason.STREAM_LOST, EndReason.CALLER_HANGUP]


async def test_a_caller_who_hangs_up_while_the_model_is_being_called_leaves_nothing_open(rig):
    house = await rig(ScriptedBrain([]), agent={})
    house.openai.faults.extend([Faults(hang_before="session.updated")] * 2)
    call = await house.ring()
    await call.wait_stream()
    await call.hang_up()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP


async def test_draining_lets_live_calls_finish_and_turns_new_ones_away(rig):
    house = await rig(ScriptedBrain([LONG]), agent={})
    call = await house.ring()
    await call.wait_heard(500)
    house.server.handle_exit(15, None)
    turned_away = await house.ring()
    assert await turned_away.wait_ended() is EndCause.REJECTED
    assert turned_away.status == "busy"

    await call.wait_heard(2000)
    await call.hang_up()
    record, _ = await house.saved(call)
    assert record.end_reason is EndReason.CALLER_HANGUP


async def test_at_the_drain_limit_calls_end_with_a_spoken_goodbye(rig):
    house = await rig(ScriptedBrain([LONG]), agent=FALLBACK)
    house.server._drain_s = 0.1
    call = await house.ring()
    await call.wait_heard(500)
    house.server.handle_exit(15, None)
    await call.wait_ended()
    record, _ = await house.saved(call)

    assert record.end_reason is EndReason.DRAINED
    assert verbs(call)[-2:] == ["Say", "Hangup"]


async def test_a_repeated_webhook_gets_the_same_answer_and_one_session(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={})
    call = house.twilio.ring(to="+15550100100", from_="+15550100123")
    answers = [await house.twilio.webhook(call.params) for _ in range(3)]
    assert len({answer.body for answer in answers}) == 1
    house.twilio.follow(call, answers[0].text)
    await call.wait_heard(1000)
    await call.hang_up()
    await house.settled(call)
    assert len(house.openai.sessions) == 1


async def test_a_session_that_no_stream_claims_is_closed(rig):
    house = await rig(ScriptedBrain([]), agent={}, deadlines=replace(QUICK, claim_s=0.2))
    call = house.twilio.ring(to="+15550100100", from_="+15550100123")
    await house.twilio.webhook(call.params)
    session = await house.openai.session()
    async with asyncio.timeout(5):
        await session.closed.wait()
    call.put_down()


async def test_an_answer_that_fails_is_tried_again_and_then_apologised_for(rig):
    failed = Reply(failure="server_error")
    house = await rig(ScriptedBrain([failed, failed, HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    creates = [event for event in session.received if event["type"] == "response.create"]
    assert len(creates) == 3
    [wish] = [event["item"] for event in session.received if event["type"] == "conversation.item.create"]
    assert APOLOGY in wish["content"][0]["text"]
    statuses = [event.data["status"] for event in events if event.kind == Kind.RESPONSE_DONE]
    assert statuses == ["failed", "failed", "completed"]


async def test_a_session_that_only_fails_is_replaced_and_the_conversation_goes_on(rig):
    failed = Reply(failure="server_error")
    house = await rig(ScriptedBrain([HELLO, failed, failed, failed, HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.press("1")
    await call.wait_heard(2000)
    await call.hang_up()
    _, events = await house.settled(call)

    [again] = [event for event in events if event.kind == Kind.MODEL_RECONNECTED]
    assert again.data["reason"] == "failing"
    first, *_ = [event["item"] for event in house.openai.sessions[1].received if "item" in event]
    assert (first["role"], first["content"][0]["text"]) == ("assistant", "Hello.")


async def test_a_model_that_only_fails_hands_the_caller_to_the_fallback(rig):
    house = await rig(ScriptedBrain([Reply(failure="server_error")] * 4), agent=FALLBACK)
    call = await house.ring()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.MODEL_LOST
    assert len(house.openai.sessions) == 2
    assert "Dial" in verbs(call)


async def test_a_silence_of_five_seconds_after_the_caller_is_explained_in_the_journal(rig):
    slow = Reply((Say.words("Here I am.", 1000),), think_ms=7000)
    house = await rig(ScriptedBrain([slow]), agent={"speaks_first": False})
    call = await house.ring()
    await house.openai.session()
    await call.wait_stream()
    await call.say(clip("one_moment"))
    await call.wait_heard(1000)
    await call.hang_up()
    _, events = await house.settled(call)

    [late] = [event for event in events if event.kind == Kind.ANSWER_LATE]
    assert late.data == {"waiting_for": "the model's audio"}
    [stopped] = [event for event in events if event.kind == Kind.CALLER_SPEECH_ENDED]
    assert late.at_ms - stopped.at_ms >= 5000


async def test_an_account_without_quota_is_not_tried_again(rig):
    house = await rig(ScriptedBrain([Reply(failure="insufficient_quota"), HELLO]), agent=FALLBACK)
    call = await house.ring()
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.MODEL_LOST
    assert [event["type"] for event in house.openai.sessions[0].received].count("response.create") == 1
    assert "Dial" in verbs(call)


async def test_nothing_secret_is_in_the_calls_folder_or_in_the_log(rig, capfd):
    house = await rig(ScriptedBrain([HELLO]), agent={}, log_level="debug")
    call = await house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    await house.settled(call)

    written = b"".join(path.read_bytes() for path in house.data_dir.rglob("*") if path.is_file())
    logged = capfd.readouterr().err
    assert "call_ended" in logged
    for secret in (house.openai.api_key, AUTH_TOKEN):
        assert secret not in logged
        assert secret.encode() not in written
    assert CALLER not in logged


async def test_a_call_that_lasts_too_long_is_ended(rig):
    house = await rig(ScriptedBrain([LONG, LONG]), agent={"max_call_seconds": 10})
    call = await house.ring()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.MAX_DURATION
    assert call.end_cause is EndCause.REST
