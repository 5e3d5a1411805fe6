"""Sound files that are no WAV: sent whole, as what they are."""

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.conf.models import OpenAICoreConf, RecordingTranscription
from app.errors import AudioError
from app.jobs.recordings.files import look, write_file
from app.openai.transcriber import Transcriber
from app.recordings.segments import Segment

MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)
"""26 ms of silence at 44.1 kHz."""


def transcriber(answer: dict[str, object], asked: list[bytes]) -> Transcriber:
    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.read())
        return httpx.Response(200, json=answer)

    http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return Transcriber(http, lambda: OpenAICoreConf(openai_api_key=SecretStr("sk-test")))


async def test_an_mp3_is_sent_whole_and_is_one_segment_where_the_model_tells_no_times(tmp_path: Path):
    path = tmp_path / "talk.mp3"
    path.write_bytes(MP3_FRAME * 100)
    asked: list[bytes] = []
    answer = {"text": "Hello  there.", "languages": [{"code": "en"}], "usage": {"type": "duration", "seconds": 3}}
    file = look(path, model="gpt-transcribe")
    written = await write_file(transcriber(answer, asked), file, RecordingTranscription())
    assert MP3_FRAME * 100 in asked[0]
    [segment] = written.segments
    assert (segment.speaker, segment.start_ms, segment.text) == ("unknown", 0, "Hello there.")
    assert segment.end_ms == pytest.approx(2612, abs=60)
    assert written.about["language"] == "en"


async def test_times_and_voices_that_the_model_tells_are_kept(tmp_path: Path):
    path = tmp_path / "talk.mp3"
    path.write_bytes(MP3_FRAME * 100)
    segments = [
        {"type": "transcript.text.segment", "id": "1", "start": 0.0, "end": 1.2, "speaker": "A", "text": "Hello."},
        {"type": "transcript.text.segment", "id": "2", "start": 1.5, "end": 2.5, "speaker": "B", "text": "Hi."},
    ]
    answer = {"task": "transcribe", "duration": 2.6, "text": "Hello. Hi.", "segments": segments}
    asked = RecordingTranscription(model="gpt-4o-transcribe-diarize")
    written = await write_file(transcriber(answer, []), look(path, model=asked.model), asked)
    assert written.segments == [Segment("A", 0, 1200, "Hello."), Segment("B", 1500, 2500, "Hi.")]


def test_a_file_of_a_kind_that_is_not_taken_is_refused_before_anything_is_sent(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("These are words already.")
    with pytest.raises(AudioError, match="is no sound file"):
        look(path, model="gpt-transcribe")
