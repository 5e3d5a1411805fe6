"""The official `openai` package's own client, unmodified, against the sandbox."""

import base64

import pytest
from openai import AsyncOpenAI

from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.story import StoryBrain
from app.sandbox.voices.clips import clip, text_of
from tests.unit.sandbox.openai.client import PHONE


@pytest.fixture
async def sandbox():
    async with SandboxOpenAI(StoryBrain(), speed=100) as sandbox:
        yield sandbox


async def test_it_holds_a_conversation(sandbox):
    official = AsyncOpenAI(api_key=sandbox.api_key, base_url=sandbox.base_url)
    heard = bytearray()
    async with official, official.realtime.connect(model="gpt-realtime-2.1") as connection:
        await connection.session.update(session=PHONE)
        await connection.input_audio_buffer.append(audio=base64.b64encode(clip("opening_hours")).decode())
        await connection.input_audio_buffer.append(audio=base64.b64encode(b"\xff" * 8000).decode())
        async for event in connection:
            if event.type == "response.output_audio.delta":
                heard += base64.b64decode(event.delta)
            if event.type == "response.done":
                break

    assert bytes(heard) == clip("opening_sunday")
    assert event.response.output[0].content[0].transcript == text_of("opening_sunday")
