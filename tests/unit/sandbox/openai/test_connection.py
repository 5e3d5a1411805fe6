"""Handshakes, keys and the misfortunes that can be ordered."""

import asyncio
import json
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.server import SandboxOpenAI
from tests.unit.sandbox.openai.client import PHONE, Client, dial

LONG = Reply.of(Say.words("On and on.", audio_ms=60_000))


async def end_of(client: Client) -> tuple[int, str]:
    """How the server closes, after whatever it still sends."""
    async with asyncio.timeout(5):
        with suppress(ConnectionClosed):
            while True:
                client.events.append(json.loads(await client.websocket.recv()))
    return client.websocket.close_code or 0, client.websocket.close_reason or ""


@pytest.mark.parametrize(
    ("query", "headers", "code", "error"),
    [
        ("?model=gpt-realtime-2.1", {"Authorization": "Bearer sk-other"}, 3000, "invalid_api_key"),
        ("?model=gpt-realtime-2.1", {"Authorization": ""}, 3000, "invalid_api_key"),
        ("?model=gpt-realtime-2.1", {"OpenAI-Beta": "realtime=v1"}, 4000, "beta_api_shape_disabled"),
        ("", {}, 4000, "missing_model"),
        ("?model=gpt-4o-realtime-preview", {}, 4004, "model_not_found"),
    ],
)
async def test_a_bad_handshake_is_told_in_band_and_then_closed(query, headers, code, error):
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox, query, **headers) as client:
        end = await end_of(client)

    assert [event["error"]["code"] for event in client.events] == [error]
    assert end == (code, f"invalid_request_error.{error}")
    assert sandbox.sessions == []


@pytest.mark.parametrize(("status", "retry_after_s"), [(401, None), (403, None), (404, None), (429, 2), (503, None)])
async def test_a_handshake_can_be_refused_by_status(status, retry_after_s):
    faults = [Faults(refuse_status=status, retry_after_s=retry_after_s)]
    async with SandboxOpenAI(ScriptedBrain([]), faults=faults) as sandbox:
        with pytest.raises(InvalidStatus) as refused:
            async with dial(sandbox):
                pass
        async with dial(sandbox) as client:
            await client.next("session.created")

    assert refused.value.response.status_code == status
    assert refused.value.response.headers.get("retry-after") == (str(retry_after_s) if retry_after_s else None)
    assert sandbox.handshakes == 2


@pytest.mark.parametrize("point", ["handshake", "session.created", "session.updated"])
async def test_a_connection_can_hang_and_still_ends_with_the_sandbox(point):
    async with SandboxOpenAI(ScriptedBrain([]), faults=[Faults(hang_before=point)]) as sandbox:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), dial(sandbox) as client:
                await client.configure()

        assert [session.saw("session.created") for session in sandbox.sessions] == {
            "handshake": [],
            "session.created": [False],
            "session.updated": [True],
        }[point]


async def test_a_session_can_stall_with_its_socket_open():
    async with (
        SandboxOpenAI(ScriptedBrain([LONG]), faults=[Faults(stall_after_events=8)]) as sandbox,
        dial(sandbox) as client,
    ):
        await client.configure()
        await client.send("response.create")
        await (await sandbox.session()).wait_for(lambda session: len(session.sent) == 8)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.next("response.done")
        await client.websocket.ping()

    assert len(client.events) == 8


@pytest.mark.parametrize("code", [1011, 1012, 1001, 1006])
@pytest.mark.parametrize("when", [{"close_after_events": 5}, {"close_after_ms": 50}])
async def test_a_session_can_be_closed_in_the_middle(when, code):
    faults = [Faults(close_code=code, **when)]
    async with SandboxOpenAI(ScriptedBrain([LONG]), faults=faults) as sandbox, dial(sandbox) as client:
        await client.send("session.update", session=PHONE)
        await client.send("response.create")
        end = await end_of(client)
        session = await sandbox.session()
        await session.closed.wait()

    assert end[0] == code
    assert "response.done" not in session.sent


@pytest.mark.parametrize(("code", "close_code"), [("invalid_api_key", 3000), ("insufficient_quota", 4000)])
async def test_a_connection_can_be_refused_in_band_on_purpose(code, close_code):
    async with SandboxOpenAI(ScriptedBrain([]), faults=[Faults(refuse_in_band=code)]) as sandbox:
        async with dial(sandbox) as client:
            end = await end_of(client)
        async with dial(sandbox) as client:
            await client.next("session.created")

    assert end == (close_code, f"invalid_request_error.{code}")
    assert len(sandbox.sessions) == 1


async def test_a_session_expires_when_its_time_is_over_with_an_error_first():
    faults = [Faults(session_seconds=0.05), Faults(session_seconds=1800)]
    async with SandboxOpenAI(ScriptedBrain([LONG]), faults=faults) as sandbox:
        async with dial(sandbox) as expired:
            await expired.send("response.create")
            end = await end_of(expired)
        async with dial(sandbox) as client:
            created = await client.next("session.created")
            now = time.time()

    assert end == (1001, "Your session hit the maximum duration of 60 minutes.")
    assert [event["error"]["code"] for event in expired.events if event["type"] == "error"] == ["session_expired"]
    assert created["session"]["expires_at"] == pytest.approx(now + 1800, abs=5)


async def test_a_test_can_send_anything_and_close_at_any_time():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        session = await sandbox.session()
        session.emit({"type": "response.unheard_of", "new": True}, "{broken")
        session.close(1001, "Your session hit the maximum duration of 60 minutes.")
        frames = [await client.websocket.recv() for _ in range(4)]
        end = await end_of(client)

    assert json.loads(frames[2])["type"] == "response.unheard_of"
    assert frames[3] == "{broken"
    assert end == (1001, "Your session hit the maximum duration of 60 minutes.")


async def test_broken_and_unknown_frames_can_be_sent():
    junk = ("{", "[1]", '{"type":"no.such.event"}')
    async with SandboxOpenAI(ScriptedBrain([]), faults=[Faults(junk=junk)]) as sandbox, dial(sandbox) as client:
        frames = [await client.websocket.recv() for _ in range(4)]
        await client.configure()

    assert tuple(frames[1:]) == junk


async def test_an_update_can_be_refused_and_a_format_not_granted():
    faults = [Faults(refuse_update="unknown_parameter"), Faults(echo_format="audio/pcm")]
    async with SandboxOpenAI(ScriptedBrain([Reply.of(Say.phrase("still_there"))]), speed=100, faults=faults) as sandbox:
        async with dial(sandbox) as client:
            await client.send("session.update", session=PHONE)
            refused = await client.next("error")
        async with dial(sandbox) as client:
            granted = await client.configure()
            await client.send("response.create")
            item = (await client.next("response.done"))["response"]["output"][0]

    assert refused["error"]["code"] == "unknown_parameter"
    assert granted["session"]["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert len(client.audio_of(item["id"])) == 6 * 9004


async def test_a_client_that_leaves_ends_its_session_and_every_task_of_it():
    before = asyncio.all_tasks()
    async with SandboxOpenAI(ScriptedBrain([LONG])) as sandbox:
        async with dial(sandbox) as client:
            await client.send("response.create")
            await client.next("response.output_audio.delta")
        session = await sandbox.session()
        await session.wait_for(lambda session: session.closed.is_set())

    assert asyncio.all_tasks() == before


async def test_a_connection_that_is_cut_in_the_middle_of_an_answer_ends_quietly(caplog):
    async with SandboxOpenAI(ScriptedBrain([LONG]), speed=10) as sandbox, dial(sandbox) as client:
        await client.send("response.create")
        await client.next("response.output_audio.delta")
        client.websocket.transport.abort()
        await (await sandbox.session()).closed.wait()

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_brain_that_breaks_ends_its_session():
    class Broken:
        def answer(self, heard):
            raise LookupError("no idea")

    async with SandboxOpenAI(Broken()) as sandbox, dial(sandbox) as client:
        await client.send("response.create")
        end = await end_of(client)
        await (await sandbox.session()).closed.wait()

    assert end[0] in (1006, 1011)


async def test_sessions_are_kept_apart():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as one, dial(sandbox) as other:
        await one.configure(instructions="One.")
        await other.next("session.created")

        assert sandbox.sessions[0].config["instructions"] == "One."
        assert sandbox.sessions[1].received == []
        assert [event["type"] for event in sandbox.sessions[0].received] == ["session.update"]


async def test_stopping_the_sandbox_closes_its_sessions():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox:
        connection = dial(sandbox)
        client = await connection.__aenter__()
        await client.configure()

    with pytest.raises(ConnectionClosedError):
        await client.next("response.done")
    await connection.__aexit__(None, None, None)
