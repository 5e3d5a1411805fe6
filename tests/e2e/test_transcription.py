"""A recording to words by the bytes alone: in a running server, and in a script that has only the environment."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from app.doctor.speech import wav
from app.errors import TranscriptionKeyRejected
from app.openai import TranscriptionRequest, transcribe_audio, transcribe_audio_with_options
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.voices.clips import clip, text_of

GAP = b"\xff" * 8000
CALL = wav(clip("greeting") + GAP + clip("table_tonight"))
WORDS = f"{text_of('greeting')} {text_of('table_tonight')}"
SCRIPT = """
import asyncio, sys
from app.openai import transcribe_audio
print(asyncio.run(transcribe_audio(sys.stdin.buffer.read())).text)
"""


async def test_r0_1_r0_34_r0_46_the_server_that_answers_calls_writes_recordings_down_with_the_key_of_core_conf(rig):
    house = await rig(ScriptedBrain([Reply.of(Say.words("Hello there.", 1000))]))
    call = await house.ring()
    await call.wait_heard(1000)
    told = await transcribe_audio(CALL)
    await call.hang_up()
    await house.settled(call)
    assert (told.text, told.model, told.language) == (WORDS, "gpt-transcribe", "en")

    await house.put("openai", "default", {"openai_api_key": "sk-a-key-that-is-wrong"})
    with pytest.raises(TranscriptionKeyRejected, match="refused the API key"):
        await transcribe_audio_with_options(TranscriptionRequest(CALL, model="whisper-1"))


async def test_r0_34_a_script_with_only_the_environment_writes_a_recording_down(database_url, engine, tmp_path):
    async with SandboxOpenAI(ScriptedBrain([])) as openai:
        settings = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path.cwd()),
            "DATABASE_URL": database_url,
            "DATA_DIR": str(tmp_path),
            "OPENAI_API_KEY": openai.api_key,
            "OPENAI_TRANSCRIPTION_URL": openai.transcription_url,
        }
        script = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, cwd=tmp_path, env=settings,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, _ = await script.communicate(CALL)
    assert (script.returncode, printed.decode().strip()) == (0, WORDS)
