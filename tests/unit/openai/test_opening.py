"""Agreeing with a scripted server on a session: what it refuses or changes is left out of one more try."""

import asyncio
from typing import Any

import pytest

from app.audio import FRAME_BYTES, from_base64, silence, to_base64
from app.openai.degraded import DegradedLink
from app.openai.transcode import SESSION_HZ, to_session_format
from app.realtime.events import AudioDelta, AudioDone, RealtimeInEvent, SessionDegraded
from tests.unit.openai.scripted import CONFIG, Peer, failing, open_session, playing

PCM = {"type": "audio/pcm", "rate": 24000}


def path_of(session: dict[str, Any], path: str) -> Any:
    node: Any = session
    for key in path.split("."):
        node = node.get(key, {})
    return node


async def asked_again(peer: Peer, param: str) -> dict[str, Any]:
    """Refuse the first update because of that field; what the second one asks for."""
    await peer.send("session.created", session={"id": "sess_1"})
    await peer.receive("session.update")
    await peer.error("invalid_value", param=param)
    session: dict[str, Any] = (await peer.receive("session.update"))["session"]
    return session


async def first_event(receiver: Any) -> RealtimeInEvent:
    async with asyncio.timeout(5):
        event: RealtimeInEvent = await anext(aiter(receiver))
        return event


async def test_a_refused_field_is_left_out_of_a_second_update_on_the_same_socket():
    seen: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        seen.append(await asked_again(peer, "session.audio.input.noise_reduction.type"))
        await peer.send("session.updated", session=seen[0])

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        assert await first_event(receiver) == SessionDegraded(("audio.input.noise_reduction",))
        await sender.close()

    want = CONFIG.wire()
    del want["audio"]["input"]["noise_reduction"]
    assert seen == [want]
    assert len(server.requests) == 1


async def test_what_is_asked_for_later_is_built_on_what_was_granted():
    async def script(peer: Peer) -> None:
        await peer.send("session.updated", session=await asked_again(peer, "session.audio.output.speed"))

    async with playing(script) as server:
        sender, _ = await open_session(server)
        assert "speed" not in sender._link.config.wire()["audio"]["output"]
        await sender.close()


async def test_a_changed_field_is_left_out_of_a_second_update_and_named():
    updates: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.send("session.created", session={"id": "sess_1"})
        for _ in range(2):
            session = (await peer.receive("session.update"))["session"]
            updates.append(session)
            audio = session["audio"] | {"output": session["audio"]["output"] | {"voice": "alloy"}}
            await peer.send("session.updated", session=session | {"audio": audio})

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        assert await first_event(receiver) == SessionDegraded(("audio.output.voice",))
        await sender.close()
    assert ["voice" in update["audio"]["output"] for update in updates] == [True, False]


async def test_a_second_refusal_is_final():
    async def script(peer: Peer) -> None:
        await asked_again(peer, "session.audio.output.speed")
        await peer.error("invalid_value", param="session.audio.output.voice")

    async with playing(script) as server:
        error = await failing(server)
    assert (error.code, error.retryable, len(server.requests)) == ("invalid_value", False, 1)
    assert "session.audio.output.voice" in str(error)


@pytest.mark.parametrize("param", [None, "session", "session.model", "session.no_such_field"])
async def test_a_refusal_that_names_no_field_a_call_can_do_without_is_final(param):
    async def script(peer: Peer) -> None:
        await peer.send("session.created", session={})
        await peer.receive("session.update")
        await peer.error("invalid_value", param=param)

    async with playing(script) as server:
        error = await failing(server)
    assert (error.code, error.retryable) == ("invalid_value", False)


async def test_a_session_as_asked_is_no_degraded_one():
    async def script(peer: Peer) -> None:
        await peer.greet()

    async with playing(script) as server:
        sender, _ = await open_session(server)
        assert not isinstance(sender._link, DegradedLink)
        await sender.close()


@pytest.mark.parametrize("answer", ["refused", "echoed as PCM"])
async def test_r0_24_without_ulaw_the_session_speaks_pcm_and_the_call_still_ulaw(answer):
    voice = bytes(index * 37 % 251 for index in range(SESSION_HZ))
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        if answer == "refused":
            session = await asked_again(peer, "session.audio.input.format.type")
        else:
            await peer.send("session.created", session={})
            session = (await peer.receive("session.update"))["session"]
            audio = session["audio"] | {"output": session["audio"]["output"] | {"format": PCM}}
            await peer.send("session.updated", session=session | {"audio": audio})
            session = (await peer.receive("session.update"))["session"]
        assert path_of(session, "audio.input.format") == path_of(session, "audio.output.format") == PCM
        await peer.send("session.updated", session=session)
        for _ in range(20):
            heard.append(from_base64((await peer.receive("input_audio_buffer.append"))["audio"]))
        ids = {"item_id": "item_1", "response_id": "resp_1"}
        for at in range(0, len(voice), 5001):
            await peer.send("response.output_audio.delta", delta=to_base64(voice[at : at + 5001]), **ids)
        await peer.send("response.output_audio.done", **ids)

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        for _ in range(20):
            await sender.send_audio_delta(silence(20))
        told: list[RealtimeInEvent] = []
        async with asyncio.timeout(5):
            async for event in receiver:
                told.append(event)
                if isinstance(event, AudioDone):
                    break
        await sender.close()

    side = "input" if answer == "refused" else "output"
    assert told[0] == SessionDegraded((f"audio.{side}.format",))
    audio = [event for event in told if isinstance(event, AudioDelta)]
    assert b"".join(from_base64(event.audio) for event in audio) == to_session_format(voice, SESSION_HZ)
    assert {(event.item_id, event.response_id) for event in audio} == {("item_1", "resp_1")}
    caller = b"".join(heard)
    assert set(caller) == {0}
    assert len(caller) > 20 * FRAME_BYTES * 6 * 0.75
