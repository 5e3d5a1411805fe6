import io
import wave

import httpx
import numpy as np
import pytest

from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.sound import from_pcmu
from app.sandbox.voices.clips import clip, text_of


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
