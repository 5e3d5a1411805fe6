"""`parley transcribe FILE` as the shell has it, and a call's own recording, written down by the sandbox's OpenAI."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from click.testing import Result
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from app.call.journal.digest import digest
from app.cli import app as parley
from app.db.engine import db_session
from app.db.recordings import find_transcript
from app.db.tables import Transcript
from app.openai.transcode import from_ulaw
from app.recordings.states import TranscriptState
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.transcription_desk import TranscriptionFault
from app.sandbox.voices.clips import clip, text_of
from app.settings import Settings
from tests.e2e.rig import Rig
from tests.unit.recordings.sounds import hiss, silence, stereo, wav

Parley = Callable[..., Awaitable[Result]]

GREETING, QUESTION, ANSWER = "greeting", "opening_hours", "opening_sunday"


def voice(phrase: str) -> np.ndarray:
    return np.frombuffer(from_ulaw(clip(phrase)), "<i2")


def ms(phrase: str) -> int:
    return len(clip(phrase)) // 8


@pytest.fixture
async def openai() -> AsyncIterator[SandboxOpenAI]:
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox:
        yield sandbox


@pytest.fixture
def transcribe(openai: SandboxOpenAI, engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parley:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SECRET_KEY", "s" * 32)
    monkeypatch.setenv("OPENAI_TRANSCRIPTION_URL", openai.transcription_url)
    monkeypatch.setenv("OPENAI_API_KEY", openai.api_key)
    monkeypatch.chdir(tmp_path)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, parley, ["transcribe", *arguments])

    return run


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """The agent greets, the caller asks, the agent answers; the line hisses a little."""
    agent = np.concatenate([voice(GREETING), silence(ms(QUESTION) + 2000), voice(ANSWER)])
    caller = np.concatenate([silence(ms(GREETING) + 1000), voice(QUESTION)])
    sound = stereo(caller, agent)
    return wav(tmp_path / "call.wav", sound + hiss(len(sound) // 8 + 1, -62)[: len(sound), None], tag=7)


async def test_a_call_is_written_down_with_its_speakers_and_their_times(transcribe: Parley, call: Path, openai):
    done = await transcribe("call.wav", "--format", "json", "--language", "en", "--keyword", "Harbour Bistro")
    assert (done.exit_code, done.stderr) == (0, "")
    made = json.loads(done.stdout)
    asked_at = ms(GREETING) + 1000
    answered_at = asked_at + ms(QUESTION) + 1000
    assert [(each["speaker"], each["text"]) for each in made["segments"]] == [
        ("agent", text_of(GREETING)),
        ("caller", text_of(QUESTION)),
        ("agent", text_of(ANSWER)),
    ]
    for each, at_ms in zip(made["segments"], [0, asked_at, answered_at], strict=True):
        assert each["start_ms"] == pytest.approx(at_ms, abs=150)
    assert (made["model"], made["language"]) == ("gpt-transcribe", "en")
    assert made["cost_usd"] > 0
    assert {seen.model for seen in openai.transcriptions.requests} == {"gpt-transcribe"}
    assert openai.transcriptions.requests[0].fields["keywords[]"] == ["Harbour Bistro"]


async def test_every_format_is_printed_or_written_into_a_file(transcribe: Parley, call: Path, tmp_path: Path):
    text = await transcribe("call.wav", "--caller-channel", "right")
    assert text.stdout.splitlines()[0] == f"[00:00] Caller: {text_of(GREETING)}"
    srt = await transcribe("call.wav", "--format", "srt", "--output", "call.srt")
    assert (srt.exit_code, srt.stdout) == (0, "")
    assert (tmp_path / "call.srt").read_text().startswith("1\n00:00:00,")
    vtt = await transcribe("call.wav", "--format", "vtt")
    assert vtt.stdout.startswith("WEBVTT\n\n00:00:00.")
    assert f"<v Agent>{text_of(GREETING)}</v>" in vtt.stdout


async def test_one_channel_is_one_speaker_and_a_model_that_tells_voices_apart_is_asked(
    transcribe: Parley, tmp_path: Path, openai
):
    wav(tmp_path / "mono.wav", np.concatenate([voice(GREETING), silence(1500), voice(QUESTION)]))
    plain = await transcribe("mono.wav")
    assert plain.stdout.startswith(f"[00:00] Unknown: {text_of(GREETING)}")
    openai.transcriptions.requests.clear()

    apart = await transcribe("mono.wav", "--model", "gpt-4o-transcribe-diarize", "--prompt", "A restaurant.")
    assert apart.exit_code == 0, apart.stderr
    assert len(openai.transcriptions.requests) == 1
    assert {line.split(": ")[0].split("] ")[1] for line in apart.stdout.splitlines()} == {"Speaker A", "Speaker B"}


async def test_a_file_that_is_stereo_in_name_only_is_written_down_once(transcribe: Parley, tmp_path: Path, openai):
    wav(tmp_path / "same.wav", stereo(voice(QUESTION), voice(QUESTION)))
    done = await transcribe("same.wav")
    assert done.stdout == f"[00:00] Unknown: {text_of(QUESTION)}\n"


async def test_what_passes_is_tried_again_and_what_does_not_is_one_line(transcribe: Parley, call: Path, openai):
    openai.transcriptions.faults.append(TranscriptionFault(status=503, headers={"retry-after": "0"}))
    assert (await transcribe("call.wav")).exit_code == 0

    openai.transcriptions.faults.extend([TranscriptionFault(status=401, code="invalid_api_key")] * 3)
    refused = await transcribe("call.wav")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("parley: OpenAI refused the API key")
    assert refused.stderr.count("\n") == 1


async def test_a_model_that_is_gone_is_told_once_and_the_words_are_written(transcribe: Parley, call, openai):
    openai.transcriptions.gone.add("gpt-transcribe")
    gone = await transcribe("call.wav")
    assert gone.exit_code == 0, gone.stderr
    assert len(gone.stdout.splitlines()) == 3
    assert gone.stderr.count("gpt-4o-transcribe was used instead") == 1


async def test_a_refused_piece_is_a_warning_and_the_others_are_written(transcribe: Parley, call: Path, openai):
    openai.transcriptions.faults.append(TranscriptionFault(status=400, code="audio_too_short"))
    done = await transcribe("call.wav")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 2
    assert "Warning: a piece has no words" in done.stderr


BAD = {
    "none.wav": (None, "No such file"),
    "empty.wav": (b"", "is empty"),
    "page.wav": (b"<html>502 Bad Gateway</html>", "is no sound file"),
    "cut.wav": (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0", "its format is cut off"),
    "header.wav": (
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0",
        "ends before its sound",
    ),
    "big.mp3": (b"ID3" + bytes(26 << 20), "has 26 MB, more than the 25 MB"),
    "broken.flac": (b"fLaC" + b"\x7f" * 100, "broken.flac: the flac file has no header"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_file_that_cannot_be_sent_is_one_clear_line(transcribe: Parley, tmp_path: Path, openai, name):
    content, reason = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused = await transcribe(name)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert reason in refused.stderr
    assert name in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert openai.transcriptions.requests == []


@pytest.mark.parametrize("sound", [silence(3000), hiss(3000, -50), silence(100)], ids=["silence", "hiss", "too short"])
async def test_a_file_in_which_nobody_speaks_is_one_clear_line(transcribe: Parley, tmp_path: Path, openai, sound):
    wav(tmp_path / "quiet.wav", sound)
    refused = await transcribe("quiet.wav")
    assert (refused.exit_code, refused.stderr) == (1, "parley: quiet.wav: nobody speaks in it\n")
    assert openai.transcriptions.requests == []


async def test_an_option_that_cannot_be_is_named(transcribe: Parley, call: Path):
    refused = await transcribe("call.wav", "--language", "english")
    assert refused.exit_code == 2
    assert "--language" in refused.stderr


async def test_r0_1_a_call_we_recorded_is_written_down_after_it_with_both_speakers(rig):
    greets, answers = Reply.of(Say.phrase(GREETING)), Reply.of(Say.phrase(ANSWER))
    house = await rig(ScriptedBrain([greets, answers]), agent={"recording": {"source": "own"}}, speed=3.0)
    call = await house.ring()
    await call.wait_heard(ms(GREETING))
    await call.say(clip(QUESTION))
    await call.wait_heard(ms(GREETING) + ms(ANSWER))
    await call.hang_up()
    record, events = await house.settled(call)

    made = await transcript_of(house, record.id)
    assert (made.state, made.reason) == ("done", None)
    assert [(each["speaker"], each["text"]) for each in made.segments] == [
        ("agent", text_of(GREETING)),
        ("caller", text_of(QUESTION)),
        ("agent", text_of(ANSWER)),
    ]
    turns = digest(events).turns
    for each, turn in zip(made.segments, turns, strict=True):
        assert each["start_ms"] == pytest.approx(turn.at_ms, abs=900)  # the model notices a caller that late
    assert made.differences == []
    assert made.cost_usd is not None
    assert len(house.openai.transcriptions.requests) == 3


async def transcript_of(house: Rig, recording_id: str) -> Transcript:
    """The transcript, once it is no longer waited for."""
    async with asyncio.timeout(15):
        while True:
            async with db_session(house.engine) as db:
                found = await find_transcript(db, UUID(recording_id))
            if found and found.state != TranscriptState.WAITING:
                return found
            await asyncio.sleep(0.02)
