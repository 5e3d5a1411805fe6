"""Calls whose TwiML connects a stream, against a tiny server over real sockets, twenty times as fast as real."""

import asyncio
import time

import pytest

from app.audio import BYTES_PER_MS, SILENCE, from_base64
from app.errors import CarrierError, CarrierFault
from app.sandbox.twilio import EndCause, SandboxCall, SandboxTwilio
from app.sandbox.twilio.disturbances import missing
from app.sandbox.twilio.messages import Clear
from app.sandbox.twilio.timeline import (
    AgentStarted,
    AgentStopped,
    CallerStarted,
    CallerStopped,
    MarkEchoed,
    Moment,
    StreamEnd,
    StreamEnded,
)
from tests.unit.sandbox.twilio.conftest import ACCOUNT
from tests.unit.sandbox.twilio.tiny_server import Media, TinyServer


def voice(ms: int) -> bytes:
    return b"\x10" * (ms * BYTES_PER_MS)


async def place(twilio: SandboxTwilio) -> SandboxCall:
    return await twilio.place_call(to="+15550199", from_="+15550100")


def moments(call: SandboxCall, kind: type[Moment]) -> list[Moment]:
    return [moment for moment in call.timeline if isinstance(moment, kind)]


async def test_a_stream_opens_with_connected_and_start_and_carries_the_parameters(
    twilio: SandboxTwilio, server: TinyServer
):
    call = await place(twilio)
    await call.wait_stream()
    await call.hang_up()

    [media] = server.media
    assert [message["event"] for message in media.messages[:2]] == ["connected", "start"]
    start = media.messages[1]["start"]
    assert (start["accountSid"], start["callSid"]) == (ACCOUNT, call.call_sid)
    assert start["customParameters"] == {"agent": "support"}
    assert start["streamSid"] == call.stream_sid


async def test_frames_are_numbered_without_gap_and_come_every_20_ms_of_the_rehearsal(
    twilio: SandboxTwilio, server: TinyServer
):
    call = await place(twilio)
    stream = await call.wait_stream()
    began = time.monotonic()
    await call.say(voice(4000))
    took_s = time.monotonic() - began
    await call.hang_up()

    frames = server.media[0].of("media")
    assert [frame["media"]["chunk"] for frame in frames] == [str(number) for number in range(1, len(frames) + 1)]
    assert [frame["media"]["timestamp"] for frame in frames] == [str(20 * n) for n in range(1, len(frames) + 1)]
    assert 0.19 <= took_s < 1.0  # 4000 ms at twenty times real speed: never early, and not much late
    assert b"".join(from_base64(frame["media"]["payload"]) for frame in frames) == stream.microphone.spoken
    assert stream.microphone.spoken.replace(SILENCE, b"") == voice(4000)


async def test_a_loop_that_was_late_sends_what_is_due_and_loses_no_time(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    stream = await call.wait_stream()
    time.sleep(0.05)  # noqa: ASYNC251 - the loop is blocked on purpose, for 1000 ms of the rehearsal
    at_ms = call.chronicle.now_ms() - stream.started_ms
    await call.wait_for(lambda call: len(stream.microphone.spoken) >= (at_ms - 20) * BYTES_PER_MS)
    late_ms = call.chronicle.now_ms() - stream.started_ms - at_ms
    await call.hang_up()

    assert late_ms < 5000
    frames = server.media[0].of("media")
    assert [frame["media"]["chunk"] for frame in frames] == [str(number) for number in range(1, len(frames) + 1)]


async def test_say_returns_when_everything_has_been_spoken_and_the_timeline_says_from_when_to_when(
    twilio: SandboxTwilio, server: TinyServer
):
    call = await place(twilio)
    await call.wait_stream()
    await call.say(voice(500))
    await call.wait_for(lambda call: bool(moments(call, CallerStopped)))
    await call.hang_up()

    [started], [stopped] = moments(call, CallerStarted), moments(call, CallerStopped)
    assert stopped.at_ms - started.at_ms == 500
    assert call.spoken[started.at_ms * BYTES_PER_MS :][: 500 * BYTES_PER_MS] == voice(500)


async def test_what_the_server_sends_is_heard_at_real_speed_and_its_mark_comes_back_after_it(
    twilio: SandboxTwilio, server: TinyServer
):
    async def talk(media: Media) -> None:
        await media.play(voice(1000))
        await media.mark("said")
        await media.until("mark")
        await media.until_closed()

    server.talk = talk
    call = await place(twilio)
    await call.wait_heard(1000)
    await call.wait_for(lambda call: bool(moments(call, AgentStopped)))
    await call.hang_up()

    [started], [stopped] = moments(call, AgentStarted), moments(call, AgentStopped)
    [mark] = moments(call, MarkEchoed)
    assert stopped.at_ms - started.at_ms == 1000
    assert mark.at_ms == stopped.at_ms
    assert call.heard.replace(SILENCE, b"") == voice(1000)
    assert abs(call.heard.index(b"\x10") / BYTES_PER_MS - started.at_ms) <= 1
    echo = server.media[0].of("mark")
    assert [message["mark"]["name"] for message in echo] == ["said"]


async def test_clear_cuts_what_is_heard_and_gives_back_all_marks_in_order(twilio: SandboxTwilio, server: TinyServer):
    async def talk(media: Media) -> None:
        for number in range(10):
            await media.play(voice(1000))
            await media.mark(f"m{number}")
        await media.until("dtmf")
        await media.clear()
        await media.until_closed()

    server.talk = talk
    call = await place(twilio)
    await call.wait_heard(500)
    await call.press("#")
    await call.wait_for(lambda call: bool(moments(call, AgentStopped)))
    await call.wait_for(lambda call: len(moments(call, MarkEchoed)) == 10)
    await call.hang_up()

    [stopped] = moments(call, AgentStopped)
    assert stopped.cleared
    assert 500 <= call.heard_ms < 10_000
    assert call.heard.replace(SILENCE, b"") == voice(call.heard_ms + 1)[: call.streams[0].player.played_bytes]
    assert [echo.name for echo in moments(call, MarkEchoed)] == [f"m{number}" for number in range(10)]
    assert [received.message for received in call.received][-1] == Clear()


async def test_hanging_up_sends_stop_closes_the_socket_and_reports_completed(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    await call.wait_stream()
    await call.press("12#")
    await call.hang_up()

    [media] = server.media
    assert [message["dtmf"]["digit"] for message in media.of("dtmf")] == ["1", "2", "#"]
    assert media.messages[-1]["event"] == "stop"
    assert media.messages[-1]["stop"] == {"accountSid": ACCOUNT, "callSid": call.call_sid}
    assert call.end_cause is EndCause.CALLER
    [status] = server.hooks("/status")
    assert status.signed
    assert (status.form["CallStatus"], status.form["CallSid"]) == ("completed", call.call_sid)
    assert status.form["CallbackSource"] == "call-progress-events"
    [ended] = moments(call, StreamEnded)
    assert ended.by is StreamEnd.CARRIER


async def test_what_the_server_writes_after_stop_is_kept_but_neither_heard_nor_answered(
    twilio: SandboxTwilio, server: TinyServer
):
    async def talk(media: Media) -> None:
        await media.until("stop")
        await media.play(voice(100))
        await media.mark("too late")
        await media.until_closed()

    server.talk = talk
    call = await place(twilio)
    await call.wait_stream()
    await call.hang_up()

    assert moments(call, MarkEchoed) == []
    assert call.heard_ms == 0
    assert server.media[0].messages[-1]["event"] == "stop"


async def test_when_the_server_closes_the_socket_the_next_verbs_run_and_no_stop_is_sent(
    twilio: SandboxTwilio, server: TinyServer
):
    async def talk(media: Media) -> None:
        await media.socket.close()

    server.talk = talk
    server.answer("/voice", '<Connect><Stream url="STREAM"/></Connect><Redirect>/after</Redirect>')
    server.answer("/after", "<Hangup/>")
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.HANGUP_VERB
    assert server.media[0].of("stop") == []
    assert len(server.hooks("/after")) == 1
    assert call.warnings == []


async def test_an_action_is_requested_instead_of_the_next_verbs(twilio: SandboxTwilio, server: TinyServer):
    async def talk(media: Media) -> None:
        await media.socket.close()

    server.talk = talk
    server.answer("/voice", '<Connect action="/ended"><Stream url="STREAM"/></Connect><Redirect>/after</Redirect>')
    server.answer("/ended", "<Hangup/>")
    call = await place(twilio)
    await call.wait_ended()

    [action] = server.hooks("/ended")
    assert action.form["CallStatus"] == "in-progress"
    assert server.hooks("/after") == []


async def test_a_hang_up_still_requests_the_action_with_the_call_completed(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", '<Connect action="/ended"><Stream url="STREAM"/></Connect>')
    server.answer("/ended", "<Say>Nobody hears this</Say>")
    call = await place(twilio)
    await call.wait_stream()
    await call.hang_up()

    [action] = server.hooks("/ended")
    assert action.form["CallStatus"] == "completed"


async def test_messages_the_carrier_cannot_take_are_warned_of_once_and_dropped(
    twilio: SandboxTwilio, server: TinyServer
):
    async def talk(media: Media) -> None:
        await media.send(event="flush")
        await media.send(event="clear", now=True)
        await media.socket.send(b"\x00\x01")
        await media.socket.send(b"\x00\x02")
        await media.mark("still here")
        await media.until_closed()

    server.talk = talk
    call = await place(twilio)
    await call.wait_for(lambda call: bool(moments(call, MarkEchoed)))
    await call.hang_up()

    assert [warning.code for warning in call.warnings] == [31951, 31950]
    assert [received.message for received in call.received][:4] == [None] * 4


async def test_a_dropped_line_ends_the_stream_without_stop(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    await call.wait_stream()
    await call.drop()

    assert await call.wait_ended() is EndCause.VERBS_RAN_OUT
    assert server.media[0].of("stop") == []
    [ended] = moments(call, StreamEnded)
    assert ended.by is StreamEnd.DROPPED


async def test_a_socket_closed_abnormally_is_warned_of(twilio: SandboxTwilio, server: TinyServer):
    async def talk(media: Media) -> None:
        media.socket.transport.abort()

    server.talk = talk
    call = await place(twilio)
    await call.wait_ended()

    assert [warning.code for warning in call.warnings] == [31921]


async def test_nothing_can_be_said_into_a_call_without_a_stream(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    await call.wait_stream()
    await call.hang_up()

    with pytest.raises(CarrierError, match="no open stream"):
        await call.say(voice(20))


async def test_speech_that_a_hang_up_cuts_off_does_not_wait_for_ever(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    await call.wait_stream()
    saying = asyncio.create_task(call.say(voice(60_000)))
    await call.wait_for(lambda call: bool(moments(call, CallerStarted)))
    await call.hang_up()

    with pytest.raises(CarrierError, match="before the caller had said everything"):
        await saying


async def test_speech_on_a_stream_of_its_own_does_not_wait_for_ever_either(twilio: SandboxTwilio, server: TinyServer):
    stream = await twilio.open_stream(server.stream_url, call_sid="CA1")
    await stream.begin()
    saying = asyncio.create_task(stream.say(voice(60_000)))
    await stream.drop()

    with pytest.raises(CarrierError, match="before the caller had said everything"):
        await saying


async def test_a_silent_line_keeps_the_socket_but_sends_no_frames(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    stream = await call.wait_stream()
    stream.line_silent = True
    await call.say(voice(200))
    await call.press("1")
    await call.hang_up()

    [media] = server.media
    assert all(b"\x10" not in from_base64(frame["media"]["payload"]) for frame in media.of("media"))
    assert media.of("dtmf")


async def test_a_disturbed_line_loses_frames(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    stream = await call.wait_stream()
    stream.disturbance = missing(2)
    await call.say(voice(400))
    await call.hang_up()

    frames = [from_base64(frame["media"]["payload"]) for frame in server.media[0].of("media")]
    assert frames.count(voice(20)) == 10


async def test_any_text_can_be_sent_over_the_stream(twilio: SandboxTwilio, server: TinyServer):
    call = await place(twilio)
    await call.wait_stream()
    await call.send_raw('{"event":"weather","sunny":true}')
    await call.hang_up()

    assert server.media[0].of("weather") == [{"event": "weather", "sunny": True}]


async def test_a_stream_can_be_opened_outside_of_any_call(twilio: SandboxTwilio, server: TinyServer):
    stream = await twilio.open_stream(server.stream_url, call_sid="CA1", parameters={"token": "stolen"})
    await stream.begin()
    await stream.stop()

    [media] = server.media
    assert media.messages[1]["start"]["customParameters"] == {"token": "stolen"}
    assert media.messages[-1]["event"] == "stop"


async def test_nothing_is_sent_before_a_stream_is_begun(twilio: SandboxTwilio, server: TinyServer):
    stream = await twilio.open_stream(server.stream_url, call_sid="CA1")
    await stream.drop()

    assert [message for media in server.media for message in media.messages] == []


async def test_a_wrong_handshake_signature_is_refused_by_a_server_that_checks(
    twilio: SandboxTwilio, server: TinyServer
):
    with pytest.raises(CarrierFault) as refused:
        await twilio.open_stream(server.stream_url, call_sid="CA1", signature="forged")
    assert (refused.value.code, refused.value.status) == (31920, 403)


async def test_a_refused_stream_is_a_warning_and_the_call_goes_on_with_the_next_verb(
    twilio: SandboxTwilio, server: TinyServer
):
    server.answer(
        "/voice",
        '<Connect><Stream url="ws://127.0.0.1:9/media" statusCallback="/stream"/></Connect><Redirect>/after</Redirect>',
    )
    server.answer("/after", "<Hangup/>")
    call = await place(twilio)
    await call.wait_ended()

    assert [warning.code for warning in call.warnings] == [31902]
    assert [hook.form["StreamEvent"] for hook in server.hooks("/stream")] == ["stream-error"]
    assert len(server.hooks("/after")) == 1


async def test_a_stream_s_status_is_reported(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", '<Connect><Stream url="STREAM" name="agent" statusCallback="/stream"/></Connect>')
    call = await place(twilio)
    await call.wait_stream()
    await call.hang_up()

    hooks = server.hooks("/stream")
    assert [hook.form["StreamEvent"] for hook in hooks] == ["stream-started", "stream-stopped"]
    assert {hook.form["StreamSid"] for hook in hooks} == {call.stream_sid}
    assert {hook.form["StreamName"] for hook in hooks} == {"agent"}


async def test_many_calls_share_one_loop_and_each_keeps_its_own_time(twilio: SandboxTwilio, server: TinyServer):
    calls = [await place(twilio) for _ in range(5)]
    for call in calls:
        await call.wait_stream()
    await asyncio.gather(*(call.say(voice(2000)) for call in calls))
    await asyncio.gather(*(call.hang_up() for call in calls))

    for call in calls:
        [started], [stopped] = moments(call, CallerStarted), moments(call, StreamEnded)
        assert call.spoken.replace(SILENCE, b"") == voice(2000)
        assert stopped.at_ms - started.at_ms >= 2000
