import asyncio
import base64
import io
import itertools
import wave

import httpx
import numpy as np
import pytest

from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.sound import from_pcmu
from app.sandbox.openai.transcription_desk import TranscriptionFault
from app.sandbox.openai.transcription_ears import listen
from app.sandbox.voices.clips import clip, phrases, text_of

DIARIZER = "gpt-4o-transcribe-diarize"


def wav(*, rate=8000, channels=1, width=2, seconds=None):
    samples = np.concatenate(
        [from_pcmu(clip("table_tonight", "awb")), np.zeros(8000, np.int16), from_pcmu(clip("goodbye", "awb"))]
    )
    if seconds is not None:
        samples = samples[: int(seconds * 8000)]
    samples = np.repeat(samples, rate // 8000 * channels)
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(channels)
        opened.setsampwidth(width)
        opened.setframerate(rate)
        opened.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def hum(seconds):
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(8000)
        opened.writeframes(bytes(16_000 * seconds))
    return file.getvalue()


def known(count, url=None, seconds=2):
    given = url or f"data:audio/wav;base64,{base64.b64encode(hum(seconds)).decode()}"
    return {"known_speaker_names[]": ["x"] * count, "known_speaker_references[]": [given] * count}


async def post(file=None, name="call.wav", key=None, **fields):
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, httpx.AsyncClient(trust_env=False) as http:
        return await http.post(
            sandbox.transcription_url,
            headers={"Authorization": f"Bearer {key or sandbox.api_key}"},
            data=fields,
            files={"file": (name, file, "audio/wav")} if file is not None else {"prompt": (None, b"x")},
        )


@pytest.mark.parametrize("shape", [{}, {"rate": 24000}, {"channels": 2}, {"rate": 16000, "channels": 2}])
async def test_a_recording_comes_back_as_its_words(shape):
    answer = await post(wav(**shape), model="gpt-transcribe", **{"languages[]": "en"})

    assert answer.json() == {
        "text": f"{text_of('table_tonight')} {text_of('goodbye')}",
        "languages": [{"code": "en"}],
        "usage": {"type": "duration", "seconds": 6},
    }


async def test_older_models_answer_in_plain_text_too():
    answer = await post(wav(), model="whisper-1", response_format="text")

    assert answer.text == f"{text_of('table_tonight')} {text_of('goodbye')}\n"


@pytest.mark.parametrize(
    ("request_", "status", "param"),
    [
        ({"file": wav(), "model": "gpt-5-transcribe"}, 404, "model"),
        ({"file": wav(), "model": "gpt-transcribe", "language": "en"}, 400, "language"),
        ({"file": wav(), "model": "whisper-1", "languages[]": ["en", "de"]}, 400, "languages"),
        ({"file": wav(), "model": "whisper-1", "keywords[]": "Bistro"}, 400, "keywords"),
        ({"file": wav(), "model": DIARIZER, "prompt": "A bistro."}, 400, "prompt"),
        ({"file": wav(), "model": "whisper-1", "timestamp_granularities[]": "word"}, 400, "timestamp_granularities"),
        ({"file": wav(), "model": DIARIZER, "timestamp_granularities[]": "word"}, 400, "timestamp_granularities"),
        ({"file": wav(), "model": "gpt-transcribe", "include[]": "logprobs"}, 400, "include"),
        ({"file": wav(), "model": "gpt-4o-transcribe", "include[]": "x"}, 400, "include"),
        ({"file": wav(), "model": "gpt-transcribe", "temperature": "2"}, 400, "temperature"),
        ({"file": wav(), "model": "gpt-transcribe", "temperature": "warm"}, 400, "temperature"),
        ({"file": wav(), "model": "gpt-transcribe", "chunking_strategy": "{}"}, 400, "chunking_strategy"),
        ({"file": wav(), "model": "whisper-1", **known(1)}, 400, "known_speaker_names"),
        ({"file": wav(), "model": DIARIZER, **known(5)}, 400, "known_speaker_names"),
        ({"file": wav(), "model": DIARIZER, "known_speaker_names[]": "a"}, 400, "known_speaker_references"),
        ({"file": wav(), "model": DIARIZER, **known(1, url="http://x")}, 400, "known_speaker_references"),
        ({"file": wav(), "model": DIARIZER, **known(1, seconds=1)}, 400, "known_speaker_references"),
        ({"file": hum(31), "model": DIARIZER}, 400, "chunking_strategy"),
        ({"file": hum(1401), "model": "gpt-4o-transcribe"}, 400, "file"),
        ({"file": wav(), "key": "sk-wrong", "model": "gpt-transcribe"}, 401, None),
        ({"file": wav()}, 400, "model"),
        ({"model": "gpt-transcribe"}, 400, "file"),
        ({"file": wav(), "model": "gpt-transcribe", "response_format": "verbose_json"}, 400, "response_format"),
        ({"file": wav(), "model": "gpt-transcribe", "voice": "x"}, 400, "voice"),
        ({"file": wav(), "model": "gpt-transcribe", "keywords[]": "<b>"}, 400, "keywords"),
        ({"file": wav(), "model": "gpt-transcribe", "language": "en", "languages[]": "en"}, 400, "languages"),
        ({"file": wav(), "model": "gpt-transcribe", "name": "call"}, 400, "file"),
        ({"file": wav(width=1), "model": "gpt-transcribe"}, 400, "file"),
        ({"file": b"no audio", "model": "gpt-transcribe"}, 400, "file"),
        ({"file": wav(seconds=0.05), "model": "gpt-transcribe"}, 400, "file"),
        ({"file": bytes(26 << 20), "model": "gpt-transcribe"}, 413, "file"),
    ],
)
async def test_what_the_api_would_refuse_is_refused(request_, status, param):
    answer = await post(**request_)

    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def samples(*ids, gap_ms=1000):
    gap = np.zeros(gap_ms * 8, np.int16)
    return np.concatenate([piece for each in ids for piece in (gap, from_pcmu(clip(each)))] + [gap])


def test_every_clip_of_both_speakers_is_heard_as_its_words():
    said = listen(samples(*phrases()))
    assert [(each.who, each.text) for each in said] == [(each.role, each.text) for each in phrases().values()]
    assert all(before.end_ms < after.start_ms for before, after in itertools.pairwise(said))


def test_speech_lies_where_it_is_in_the_recording():
    [said] = listen(samples("greeting"))
    assert said.start_ms == pytest.approx(1060, abs=40)
    assert said.end_ms == pytest.approx(1000 + 3351, abs=100)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
def test_a_reply_that_was_cut_off_is_heard_as_far_as_it_was_spoken(part):
    whole = from_pcmu(clip("tonight_tables"))
    [said] = listen(np.concatenate([whole[: int(len(whole) * part)], np.zeros(8000, np.int16)]))
    words = text_of("tonight_tables")
    assert words.startswith(said.text)
    assert len(said.text) / len(words) == pytest.approx(part, abs=0.1)


def test_a_reply_is_heard_through_noise_and_at_another_loudness():
    noise = np.random.default_rng(7).normal(0, 120, 8000 * 6).astype(np.int16)
    sound = samples("not_found")
    [said] = listen((sound * 0.5).astype(np.int16) + noise[: len(sound)])
    assert said.text == text_of("not_found")


async def test_requests_are_written_down_and_answers_can_be_held():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, httpx.AsyncClient(trust_env=False) as http:
        desk = sandbox.transcriptions

        async def ask():
            return await http.post(
                sandbox.transcription_url,
                headers={"Authorization": f"Bearer {sandbox.api_key}"},
                data={"model": "gpt-transcribe"},
                files={"file": ("a.wav", wav(), "audio/wav")},
            )

        desk.faults.append(TranscriptionFault(429, "rate_limit_exceeded", headers={"retry-after": "3"}))
        busy = await ask()
        with desk.held():
            asking = asyncio.create_task(ask())
            seen = await desk.request(1)
            assert not asking.done()
        answer = await asking
    assert (busy.status_code, busy.headers["retry-after"], busy.json()["error"]["code"]) == (
        429,
        "3",
        "rate_limit_exceeded",
    )
    assert answer.is_success
    assert (seen.model, seen.filename, seen.seconds) == ("gpt-transcribe", "a.wav", pytest.approx(5.88, abs=0.1))
    assert seen.request_id == answer.headers["x-request-id"]


async def test_the_sandbox_closes_while_an_answer_is_held():
    async with httpx.AsyncClient(trust_env=False) as http:
        async with SandboxOpenAI(ScriptedBrain([])) as sandbox:
            sandbox.transcriptions.faults.append(TranscriptionFault(hang=True))
            asking = asyncio.create_task(http.post(sandbox.transcription_url))
            await sandbox.transcriptions.request()
        assert (await asking).status_code == 401
