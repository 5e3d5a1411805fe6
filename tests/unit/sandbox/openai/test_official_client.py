"""The official `openai` package's own client, unmodified, against the sandbox."""

import asyncio
import base64

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent

from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.voices.clips import clip, text_of
from tests.unit.sandbox.openai.client import PHONE

LONG = Say.words("On and on.", audio_ms=20_000)
SCRIPT = [Reply.of(CallTool("lookup_table", '{"evening": "tonight"}')), Reply.of(Say.phrase("tonight_tables"))]


@pytest.fixture
async def connection():
    """The official client's connection to a sandbox that follows the script, then speaks on and on."""
    async with SandboxOpenAI(ScriptedBrain([*SCRIPT, Reply.of(LONG)]), speed=20) as sandbox:
        official = AsyncOpenAI(api_key=sandbox.api_key, base_url=sandbox.base_url)
        async with official, official.realtime.connect(model="gpt-realtime-2.1") as connection:
            await connection.session.update(session=PHONE)
            await following(connection, "session.updated")
            yield connection


async def following(connection: AsyncRealtimeConnection, kind: str) -> RealtimeServerEvent:
    """The next event of that type; an error on the way is one too many."""
    async with asyncio.timeout(5):
        while (event := await connection.recv()).type != kind:
            assert event.type != "error", event
    return event


async def say(connection: AsyncRealtimeConnection, audio: bytes) -> None:
    await connection.input_audio_buffer.append(audio=base64.b64encode(audio + b"\xff" * 8000).decode())


async def test_it_holds_a_conversation_with_a_tool_a_cancelled_answer_a_truncation_and_an_update(connection):
    await say(connection, clip("table_tonight"))
    heard = await following(connection, "conversation.item.input_audio_transcription.completed")
    call = (await following(connection, "response.done")).response.output[0]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "A table at six."}
    await connection.conversation.item.create(item=output)
    await connection.response.create()
    answer = (await following(connection, "response.done")).response.output[0]
    await connection.conversation.item.truncate(item_id=answer.id, content_index=0, audio_end_ms=500)
    truncated = await following(connection, "conversation.item.truncated")
    await connection.session.update(session={"type": "realtime", "instructions": "Be brief.", "tools": []})
    updated = await following(connection, "session.updated")
    await connection.response.create(response={"metadata": {"turn": "3"}})
    await following(connection, "response.output_audio.delta")
    await connection.response.cancel()
    cancelled = (await following(connection, "response.done")).response
    await connection.conversation.item.delete(item_id=answer.id)
    await following(connection, "conversation.item.deleted")

    assert heard.transcript == text_of("table_tonight")
    assert (call.name, call.arguments) == ("lookup_table", '{"evening": "tonight"}')
    assert answer.content[0].transcript == text_of("tonight_tables")
    assert truncated.audio_end_ms == 500
    assert (updated.session.instructions, updated.session.tools) == ("Be brief.", [])
    assert (cancelled.status, cancelled.status_details.reason) == ("cancelled", "client_cancelled")
    assert cancelled.metadata == {"turn": "3"}


async def test_it_hears_every_byte_of_an_answer(connection):
    for _ in SCRIPT:
        heard = bytearray()
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_audio.delta":
                heard += base64.b64decode(event.delta)
            if event.type == "response.done":
                break

    assert bytes(heard) == clip("tonight_tables")
