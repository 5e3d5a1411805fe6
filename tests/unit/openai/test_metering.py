"""What events tell of usage, in our words and with the session's own models."""

import json
from pathlib import Path

import pytest

from app.conf.models import AgentConf, Transcription
from app.openai.messages import decode, neutral
from app.openai.metering import Meter
from app.openai.session_config import compile_session
from app.realtime.events import AsideDone, ResponseDone
from app.realtime.usage import Usage, Used

DATA = Path(__file__).parents[3] / "app/sandbox/data/openai"
AGENT = AgentConf(model="gpt-realtime-2.1-mini", transcription=Transcription(model="gpt-4o-transcribe"))
METER = Meter(compile_session(AGENT))


def told(name: str, **changes):
    return METER.read(neutral(decode(json.dumps(json.loads((DATA / name).read_text()) | changes))))


def test_an_answer_names_the_sessions_model_and_what_it_used():
    done = told("response.done.json")
    expected = Usage(text_in=108, text_cached=64, audio_in=22, text_out=23, audio_out=78)
    assert done.used == Used("gpt-realtime-2.1-mini", expected)
    aside = METER.read(AsideDone("q", usage={"input_tokens": 7}))
    assert aside.used == Used("gpt-realtime-2.1-mini", Usage(audio_in=7))


def test_a_transcript_names_its_own_model_and_what_that_used_by_time_or_by_tokens():
    kind = "conversation.item.input_audio_transcription.completed.json"
    by_time = told(kind, usage={"type": "duration", "seconds": 2.5})
    assert by_time.used == Used("gpt-4o-transcribe", audio_s=2.5)
    details = {"text_tokens": 4, "audio_tokens": 20}
    tokens = {"type": "tokens", "input_tokens": 24, "output_tokens": 9, "input_token_details": details}
    assert told(kind, usage=tokens).used == Used("gpt-4o-transcribe", Usage(text_in=4, audio_in=20, text_out=9))


@pytest.mark.parametrize("usage", [None, {}, {"type": "duration"}, {"seconds": True}, {"seconds": -1}])
def test_a_transcript_whose_usage_is_not_told_used_nothing_that_we_could_say(usage):
    assert told("conversation.item.input_audio_transcription.completed.json", usage=usage).used is None


def test_an_answer_of_which_nothing_is_told_has_no_usage():
    assert METER.read(ResponseDone("resp_1")).used is None
