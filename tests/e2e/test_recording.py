"""Our own recording of a call: what is in it, where, and what is not."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from dataclasses import replace

from app.audio import SILENCE, silence
from app.call.events import Kind
from app.call.journal.folder import AGENT_TRACK, CALLER_TRACK, RECORDING, TRANSCRIPT, read_events
from app.call.journal.owner import end_crashed, orphans
from app.call.status import EndReason
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.twilio import SandboxTwilio
from app.sandbox.twilio.timeline import AgentStopped, VerbStarted
from app.sandbox.voices.clips import clip
from tests.e2e.rig import ACCOUNT_SID, AUTH_TOKEN, CALLED, CALLER, QUICK, SPEED

GREETING = Reply.of(Say.words("Hello.", 1000))
LONG = Reply.of(Say.words("One two three four five six seven eight nine ten.", 10_000))
CONSENT = "This call is recorded. Tell us if you do not want that."


def kept(house):
    """Each call's folder as it was when it was complete, whatever becomes of it afterwards."""
    folders = house.data_dir / "kept"
    run_call = house.services.run_call

    def finished(folder):
        shutil.copytree(folder, folders / folder.name)
        run_call.finished(folder)

    house.app.state.services = replace(house.services, run_call=replace(run_call, finished=finished))
    return folders


def kinds(events):
    return [event.kind for event in events if event.kind.startswith("recording.")]


def voiced(track):
    """Where the first and the last sound of a track are, in milliseconds."""
    sounds = [at for at, sample in enumerate(track) if bytes([sample]) not in {SILENCE, b"\x7f"}]
    return sounds[0] / 8, sounds[-1] / 8


async def test_the_recording_of_a_barge_in_is_what_both_sides_heard(rig):
    house = await rig(ScriptedBrain([LONG]), agent={}, speed=1.0)
    folders = kept(house)
    call = await house.ring()
    await call.wait_heard(500)
    await call.say(clip("one_moment"))
    await call.wait_for(lambda call: any(isinstance(moment, AgentStopped) for moment in call.timeline))
    await call.say(silence(300))
    await call.hang_up()
    record, events = await house.settled(call)

    [stream] = call.streams
    late = silence(20)  # this carrier's first frame is stamped with 20 ms, though it was spoken from 0 on
    caller = (folders / record.id / CALLER_TRACK).read_bytes()
    agent = (folders / record.id / AGENT_TRACK).read_bytes()
    assert caller == (late + stream.microphone.spoken)[: len(caller)]
    assert len(caller) >= len(stream.microphone.spoken) - 160
    for recorded_ms, heard_ms in zip(voiced(agent), voiced(late + stream.player.heard), strict=True):
        assert abs(recorded_ms - heard_ms) <= 20 + 40  # and 40 for a machine that is busy with other tests
    assert stream.player.cleared_bytes > 0
    assert len(agent) < len(caller)
    assert (record.recording, kinds(events)) == ("on", [Kind.RECORDING_STARTED])


async def test_an_agent_that_does_not_record_leaves_words_and_no_sound(rig):
    house = await rig(ScriptedBrain([GREETING]), agent={"recording": {"source": "none", "consent_line": CONSENT}})
    folders = kept(house)
    call = await house.ring()
    await call.wait_heard(800)
    await call.hang_up()
    record, events = await house.settled(call)

    names = {path.name for path in (folders / record.id).iterdir()}
    assert names.isdisjoint({CALLER_TRACK, AGENT_TRACK, RECORDING})
    assert TRANSCRIPT in names
    assert (record.recording, kinds(events)) == ("off", [])
    assert not any(moment.verb.name == "Say" for moment in call.timeline if isinstance(moment, VerbStarted))


async def test_the_caller_is_told_before_anything_is_recorded_and_only_once(rig):
    house = await rig(
        ScriptedBrain([LONG, LONG]),
        agent={"language": "de-DE", "recording": {"consent_line": CONSENT}},
    )
    call = await house.ring()
    await call.wait_heard(500)
    await call.drop()
    await call.wait_for(lambda call: len(call.streams) == 2)
    await call.wait_heard(700)
    await call.hang_up()
    record, _ = await house.settled(call)

    verbs = [moment.verb for moment in call.timeline if isinstance(moment, VerbStarted)]
    assert [verb.name for verb in verbs] == ["Say", "Connect", "Redirect", "Connect"]
    assert (verbs[0].text, verbs[0].get("language")) == (CONSENT, "de-DE")
    [tool] = [tool for tool in record.session["tools"] if tool["name"] == "stop_recording"]
    assert CONSENT in tool["description"]


async def test_a_long_consent_line_does_not_cost_the_session_that_was_opened_ahead(rig):
    house = await rig(
        ScriptedBrain([GREETING]),
        agent={"recording": {"consent_line": "word " * 20}},
        deadlines=replace(QUICK, claim_s=0.3),
    )
    call = await house.ring()
    await call.wait_heard(500)
    await call.hang_up()
    await house.settled(call)

    assert len(house.openai.sessions) == 1


async def test_what_is_said_while_the_recording_is_paused_is_on_neither_track(rig):
    at_once = Reply((Say.phrase("greeting"),), chunk_ms=60_000)
    house = await rig(ScriptedBrain([at_once, at_once, at_once]), agent={"turn_detection": {"type": "none"}})
    folders = kept(house)
    call = await house.ring()
    heard_ms = len(clip("greeting")) // 8
    await call.wait_heard(heard_ms)
    await call.say(clip("table_tonight"))
    control = house.registry.control(call.call_sid)
    assert await control.pause_recording()
    assert not await control.pause_recording()
    await call.say(silence(200) + clip("one_moment") + silence(200))
    assert await control.resume_recording()
    await call.say(silence(200) + clip("table_tonight"))
    await call.hang_up()
    record, events = await house.settled(call)

    caller = (folders / record.id / CALLER_TRACK).read_bytes()
    assert caller.count(clip("table_tonight")) == 2
    assert clip("one_moment") not in caller
    assert kinds(events) == [Kind.RECORDING_STARTED, Kind.RECORDING_PAUSED, Kind.RECORDING_RESUMED]
    assert house.registry.control(call.call_sid) is None


async def test_a_caller_who_declines_is_not_recorded_in_this_stream_nor_in_the_next(rig):
    declines = Reply.of(Say.words("Of course.", 500), CallTool("stop_recording"))
    house = await rig(ScriptedBrain([declines, GREETING, LONG]), agent={"recording": {"consent_line": CONSENT}})
    folders = kept(house)
    call = await house.ring()
    await call.wait_heard(1300)
    folder = next(path for path in (house.data_dir / "calls").glob("[!.]*/"))
    assert not list(folder.glob("*.ulaw"))  # at once, not only at the end
    await call.drop()
    await call.wait_for(lambda call: len(call.streams) == 2)
    await call.wait_heard(1800)
    await call.hang_up()
    record, _ = await house.settled(call)

    assert record.recording == "declined"
    finished = sorted(folders.iterdir())
    assert len(finished) == 2
    for folder in finished:
        assert not list(folder.glob("*.ulaw")) + list(folder.glob("*.wav"))
    assert kinds(read_events(finished[0])) == [Kind.RECORDING_STARTED, Kind.RECORDING_DECLINED]
    assert kinds(read_events(finished[1])) == []
    outputs = [
        event["item"]["output"]
        for event in house.openai.sessions[0].received
        if event["type"] == "conversation.item.create" and event["item"]["type"] == "function_call_output"
    ]
    assert len(outputs) == 1
    assert "deleted" in outputs[0]


async def test_a_server_that_is_killed_leaves_a_folder_that_another_process_can_end(database_url, engine, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with (
        SandboxOpenAI(ScriptedBrain([LONG]), speed=SPEED) as openai,
        SandboxTwilio(
            account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, voice_url=f"{url}/twilio/voice", speed=SPEED
        ) as twilio,
    ):
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "serve",
            env=os.environ | {
                "DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "PORT": str(port), "PUBLIC_URL": url,
                "OPENAI_API_KEY": openai.api_key, "OPENAI_REALTIME_BASE_URL": openai.realtime_url,
                "TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
                "TWILIO_API_BASE_URL": twilio.api_base_url,
            },
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await answering(port, server)
            call = await twilio.place_call(to=CALLED, from_=CALLER)
            calls = tmp_path / "calls"
            await call.wait_for(lambda _: any(path.stat().st_size > 8000 for path in calls.glob(f"*/{AGENT_TRACK}")))
            assert orphans(calls) == []
        finally:
            if server.returncode is None:
                server.send_signal(signal.SIGKILL)
            await server.wait()
        await call.wait_ended()

    [folder] = orphans(calls)
    record = end_crashed(folder)
    assert (record.end_reason, record.call_sid, record.recording) == (EndReason.SERVER_CRASH, call.call_sid, "on")
    assert (folder / RECORDING).stat().st_size > 2 * 8000
    assert list(read_events(folder))[-1].kind == Kind.CALL_ENDED
    assert orphans(calls) == []


async def answering(port, server):
    """Wait until the server listens there."""
    async with asyncio.timeout(30):
        while True:
            assert server.returncode is None, "the server did not start"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return await writer.wait_closed()
