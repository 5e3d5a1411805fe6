"""What is refused before anything is sent, and what is sent instead of what a model does not take."""

import json
from datetime import date

import pytest

from app.errors import TranscriptionRefused
from app.openai.constants import FILE_TRANSCRIPTION_MODELS, TRANSCRIPTION_MODELS, ending, file_transcription_model
from app.openai.transcription_form import form_of
from app.openai.transcription_rules import check, measured
from app.openai.types.transcription import KnownSpeaker, TranscriptionRequest
from tests.unit.openai import sound_files as files

SOUND = files.silent_wav(1)
VOICE = files.silent_wav(3)
DIARIZER = "gpt-4o-transcribe-diarize"


def asked(data=SOUND, **fields):
    return TranscriptionRequest(data, **fields)


def sent(request):
    check(request)
    return form_of(request, *measured(request))


@pytest.mark.parametrize(
    ("fields", "field", "instead"),
    [
        ({"response_format": "verbose_json"}, "response_format", "whisper-1 (until 2027-02-26) can"),
        ({"response_format": "srt"}, "response_format", "whisper-1"),
        ({"response_format": "vtt"}, "response_format", "whisper-1"),
        ({"response_format": "text"}, "response_format", "gpt-4o-transcribe"),
        ({"response_format": "diarized_json"}, "response_format", DIARIZER),
        ({"model": "whisper-1", "response_format": "diarized_json"}, "response_format", DIARIZER),
        ({"model": "gpt-4o-transcribe", "response_format": "verbose_json"}, "response_format", "whisper-1"),
        ({"timestamp_granularities": ["word"]}, "response_format", "whisper-1"),
        ({"response_format": "json", "timestamp_granularities": ["word"]}, "timestamp_granularities", "whisper-1"),
        ({"model": "whisper-1", "response_format": "srt", "timestamp_granularities": ["word"]}, "timestamp", "verbose"),
        ({"model": DIARIZER, "prompt": "A bistro."}, "prompt", "gpt-transcribe"),
        ({"include": ["logprobs"]}, "include", "gpt-4o-transcribe"),
        ({"model": DIARIZER, "include": ["logprobs"]}, "include", "gpt-4o-transcribe"),
        ({"model": "gpt-4o-transcribe", "response_format": "text", "include": ["logprobs"]}, "include", "json"),
        ({"known_speakers": [KnownSpeaker("agent", SOUND)]}, "known_speakers", DIARIZER),
        ({"model": DIARIZER, "known_speakers": [KnownSpeaker("x", SOUND)] * 5}, "known_speakers", "at most 4"),
        ({"language": "en", "languages": ["de"]}, "languages", "not both"),
        ({"keywords": ["Harbour <b>"]}, "keywords", "none of"),
        ({"keywords": ["Harbour\nBistro"]}, "keywords", "none of"),
        ({"keywords": [" "]}, "keywords", "something in it"),
        ({"temperature": 1.1}, "temperature", "between 0 and 1"),
        ({"temperature": float("nan")}, "temperature", "between 0 and 1"),
        ({"model": ""}, "model", "name"),
    ],
)
def test_what_a_model_cannot_do_is_refused_with_the_model_that_can(fields, field, instead):
    with pytest.raises(TranscriptionRefused) as refused:
        check(asked(**fields))
    assert str(refused.value).startswith(field)
    assert instead in str(refused.value)
    assert refused.value.code == "unsupported_value"


def test_a_keyword_that_is_refused_in_any_model_is_refused_for_one_we_do_not_know_too():
    with pytest.raises(TranscriptionRefused, match="keywords"):
        check(asked(model="my-deployment", keywords=["<"]))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (asked(b""), "audio_empty"),
        (asked(b"RIFF" + bytes(25 << 20)), "file_too_large"),
        (asked(b"<!doctype html><title>502</title>"), "not_audio"),
        (asked(b"RIFF\0\0\0\0WAVE"), "audio_damaged"),
        (asked(files.silent_wav(0.05)), "audio_too_short"),
        (asked(filename="call"), "unsupported_file"),
        (asked(filename="call.wav.exe"), "unsupported_file"),
    ],
)
def test_a_file_that_would_be_refused_is_not_uploaded(request_, code):
    with pytest.raises(TranscriptionRefused) as refused:
        measured(request_)
    assert refused.value.code == code


def test_a_name_of_our_choice_is_sent_with_the_extension_of_what_the_bytes_are():
    form = sent(asked(files.mp3(20), filename="Mrs Jones +15550100123.wav"))
    assert (form.file[0], form.file[2]) == ("audio.mp3", "audio/mpeg")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"model": ["gpt-transcribe"], "response_format": ["json"]}),
        ({"language": "en"}, {"languages[]": ["en"]}),
        ({"languages": ["en", "de"], "keywords": ["Bistro", "Harbour"]},
         {"languages[]": ["en", "de"], "keywords[]": ["Bistro", "Harbour"]}),
        ({"model": "whisper-1"},
         {"response_format": ["verbose_json"], "timestamp_granularities[]": ["word", "segment"]}),
        ({"model": "whisper-1", "timestamp_granularities": ["word"]}, {"timestamp_granularities[]": ["word"]}),
        ({"model": "whisper-1", "language": "en", "prompt": "A bistro.", "keywords": ["Harbour", "oysters"]},
         {"language": ["en"], "prompt": ["A bistro. Harbour, oysters"]}),
        ({"model": "gpt-4o-mini-transcribe-2025-12-15", "include": ["logprobs"], "temperature": 0},
         {"include[]": ["logprobs"], "temperature": ["0"], "response_format": ["json"]}),
        ({"model": "gpt-4o-transcribe", "include": ["logprobs"], "stream": True}, {"stream": ["true"]}),
        ({"model": DIARIZER}, {"response_format": ["diarized_json"]}),
        ({"model": DIARIZER, "known_speakers": [KnownSpeaker("agent", VOICE), KnownSpeaker("b", "data:audio/wav;x")]},
         {"known_speaker_names[]": ["agent", "b"]}),
        ({"model": "my-deployment", "language": "en", "keywords": ["x"]}, {"language": ["en"], "keywords[]": ["x"]}),
    ],
)  # fmt: skip
def test_each_model_gets_its_hints_in_the_fields_that_it_takes(fields, expected):
    form = sent(asked(**fields))
    assert {name: form.fields.get(name) for name in expected} == expected
    assert not form.warnings


def test_a_known_speakers_voice_goes_as_a_data_url():
    [url] = sent(asked(model=DIARIZER, known_speakers=[KnownSpeaker("agent", VOICE)])).fields[
        "known_speaker_references[]"
    ]
    assert url.startswith("data:audio/wav;base64,UklGR")


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        (b"no sound", "no sound file"),
        (b"RIFF\0\0\0\0WAVE", "before its sound"),
        (SOUND, "1.0 s"),
        (files.silent_wav(11), "11.0 s"),
    ],
)
def test_a_known_speakers_voice_that_would_be_refused_is_not_uploaded(reference, why):
    with pytest.raises(TranscriptionRefused, match=f"reference of Ann.*{why}"):
        sent(asked(model=DIARIZER, known_speakers=[KnownSpeaker("Ann", reference)]))


def test_whisper_is_not_asked_to_stream_as_it_would_not():
    assert "stream" not in sent(asked(model="whisper-1", stream=True)).fields


@pytest.mark.parametrize(("seconds", "chunking"), [(30, None), (30.5, ["auto"])])
def test_the_diarizing_model_gets_its_chunks_by_itself_for_more_than_30_seconds(seconds, chunking):
    long = asked(files.silent_wav(seconds), model=DIARIZER)
    assert sent(long).fields.get("chunking_strategy") == chunking


def test_settings_of_chunks_go_as_one_json_object():
    [text] = sent(asked(chunking_strategy={"threshold": 0.4, "silence_duration_ms": 200})).fields["chunking_strategy"]
    assert json.loads(text) == {"type": "server_vad", "threshold": 0.4, "silence_duration_ms": 200}


def test_a_hint_that_had_to_be_left_out_is_told():
    [first] = sent(asked(model="whisper-1", languages=["de", "en"])).warnings
    [second] = sent(asked(model=DIARIZER, keywords=["Bistro"])).warnings
    assert first == "whisper-1 takes one language: de was sent"
    assert second == f"{DIARIZER} takes no keywords: they were left out"


def test_the_table_knows_every_model_of_the_live_one_that_takes_files():
    live_only = {"gpt-live-transcribe", "gpt-realtime-whisper"}
    assert FILE_TRANSCRIPTION_MODELS.keys() == TRANSCRIPTION_MODELS.keys() - live_only
    for name, known in FILE_TRANSCRIPTION_MODELS.items():
        assert known.last_day == TRANSCRIPTION_MODELS[name].last_day


def test_a_models_users_are_told_three_months_before_its_last_day():
    known = file_transcription_model("whisper-1")
    assert known is not None
    told = [ending("whisper-1", known.last_day, "use gpt-transcribe", day) for day in (
        date(2026, 11, 27), date(2026, 11, 28), date(2027, 2, 27))]  # fmt: skip
    assert told == [
        None,
        "whisper-1: last day is 2027-02-26; use gpt-transcribe before that",
        "whisper-1: last day was 2027-02-26; use gpt-transcribe",
    ]


def test_a_request_never_shows_its_file_or_its_prompt():
    assert repr(asked(b"secret-bytes", prompt="secret words")).count("secret") == 0
