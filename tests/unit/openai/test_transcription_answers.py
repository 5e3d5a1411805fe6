"""Every format's answer as the one response, and the reason for everything that is not in it."""

import json
from decimal import Decimal
from typing import get_args

import pytest
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionDiarizedSegment,
    TranscriptionVerbose,
)
from openai.types.audio import TranscriptionSegment as TheirSegment
from openai.types.audio import TranscriptionWord as TheirWord
from openai.types.audio.transcription import Logprob
from openai.types.audio.transcription_create_params import TranscriptionCreateParamsBase
from openai.types.audio_response_format import AudioResponseFormat

from app.conf.models import PricesConf
from app.openai.constants import FILE_TRANSCRIPTION_MODELS, TranscriptionFormat
from app.openai.languages import iso_code
from app.openai.transcription_answers import (
    PLAIN_FORMATS,
    Asked,
    HalfAnswer,
    not_sent,
    read_object,
    read_plain,
    response_of,
)
from app.openai.transcription_form import form_of
from app.openai.transcription_rules import check, measured
from app.openai.types.transcription import (
    KnownSpeaker,
    TranscriptionLogprob,
    TranscriptionRequest,
    TranscriptionSegment,
    TranscriptionWord,
)
from tests.unit.openai import sound_files as files

SOUND = files.silent_wav(42)
SEGMENT = {
    "id": 0, "seek": 0, "start": 0.0, "end": 3.3, "text": " Hello.", "tokens": [50364, 2425], "temperature": 0.0,
    "avg_logprob": -0.28, "compression_ratio": 1.2, "no_speech_prob": 0.01,
}  # fmt: skip
WORD = {"word": "Hello", "start": 0.0, "end": 0.4}
VERBOSE = {
    "task": "transcribe", "language": "english", "duration": 42.7, "text": "Hello.", "segments": [SEGMENT],
    "words": [WORD], "usage": {"type": "duration", "seconds": 43},
}  # fmt: skip
SPOKEN = {
    "type": "transcript.text.segment",
    "id": "seg_001",
    "start": 0.0,
    "end": 5.2,
    "speaker": "agent",
    "text": "Hi",
}
DIARIZED = {"task": "transcribe", "duration": 42.7, "text": "Hi", "segments": [SPOKEN], "usage": None}
TOKENS = {
    "type": "tokens", "input_tokens": 420, "input_token_details": {"text_tokens": 0, "audio_tokens": 420},
    "output_tokens": 45, "total_tokens": 465,
}  # fmt: skip
SURE = {"token": "Hello", "logprob": -0.01, "bytes": [72, 101, 108, 108, 111]}


def asked(data=SOUND, prices=None, **fields):
    request = TranscriptionRequest(data, **fields)
    check(request)
    kind, seconds = measured(request)
    return Asked(request, form_of(request, kind, seconds), seconds, prices or PricesConf())


def response(body, **fields):
    question = asked(**fields)
    form = question.form.response_format
    read = read_plain(body.encode(), form) if form in PLAIN_FORMATS else read_object(json.dumps(body).encode())
    return response_of(read, question, "req_1")


def test_r0_41_r0_42_r0_43_the_default_model_gives_text_language_and_a_duration_that_we_measured():
    told = response({"text": " Hello. ", "languages": [{"code": "en"}], "usage": {"type": "duration", "seconds": 42}})
    assert (told.text, told.language, told.languages) == ("Hello.", "en", ("en",))
    assert (told.duration, told.duration_source) == (42, "measured")
    assert told.cost_usd == Decimal("0.003150")
    assert (told.model, told.request_id) == ("gpt-transcribe", "req_1")


def test_an_operators_price_counts_by_the_minute_and_by_the_token():
    prices = PricesConf.model_validate(
        {
            "transcription_usd_per_minute": {"gpt-transcribe": 1, "my-deployment": 2},
            "transcription_usd_per_million_tokens": {"gpt-4o-transcribe": {"tokens_in": 100, "tokens_out": 1000}},
        }
    )
    by_time = {"text": "Hello.", "usage": {"type": "duration", "seconds": 42}}
    assert response(by_time, prices=prices).cost_usd == Decimal("0.7")
    assert response(by_time, prices=prices, model="my-deployment").cost_usd == Decimal("1.4")
    # 420 x 100 + 45 x 1000 = 87000 millionths
    by_tokens = response({"text": "Hello.", "usage": TOKENS}, prices=prices, model="gpt-4o-transcribe")
    assert by_tokens.cost_usd == Decimal("0.087")


def test_r0_44_r0_45_verbose_json_gives_segments_and_words_with_all_that_is_in_them():
    told = response(VERBOSE, model="whisper-1")
    assert told.segments == [TranscriptionSegment(**{**SEGMENT, "text": "Hello."})]
    assert told.words == [TranscriptionWord(**WORD)]
    assert (told.language, told.duration, told.duration_source) == ("en", 42.7, "answer")
    assert told.cost_usd == Decimal("0.004300")


def test_diarized_json_gives_who_spoke_under_a_segments_id_that_is_text():
    told = response(DIARIZED, model="gpt-4o-transcribe-diarize")
    assert told.segments == [TranscriptionSegment("seg_001", 0.0, 5.2, "Hi", speaker="agent")]
    assert told.words is None


def test_tokens_are_priced_as_tokens_and_logprobs_come_along():
    told = response(
        {"text": "Hello", "logprobs": [SURE], "usage": TOKENS}, model="gpt-4o-transcribe", include=["logprobs"]
    )
    assert told.logprobs == [TranscriptionLogprob(**SURE)]
    assert told.cost_usd == Decimal("0.0015")
    assert told.usage is not None
    assert told.usage.input_token_details is not None
    assert told.usage.input_token_details.audio_tokens == 420


CUES = ("00:00:01,060 --> 00:00:03,500\r\nHello,\r\nthere.", "01:00:04,000 --> 01:00:05,250\r\nBye --> now.")
SRT = f"1\r\n{CUES[0]}\r\n\r\n2\r\n{CUES[1]}\r\n"
VTT = "WEBVTT\n\n00:01.060 --> 00:03.500 align:start\nHello,\nthere.\n\n01:00:04.000 --> 01:00:05.250\nBye --> now.\n\n"


@pytest.mark.parametrize(("form", "body"), [("srt", SRT), ("vtt", VTT)])
def test_subtitles_come_as_they_are_and_as_segments(form, body):
    told = response(body, model="whisper-1", response_format=form)
    assert told.subtitles == body
    assert told.text == "Hello, there. Bye --> now."
    assert told.segments == [
        TranscriptionSegment(0, 1.06, 3.5, "Hello, there."),
        TranscriptionSegment(1, 3604.0, 3605.25, "Bye --> now."),
    ]


@pytest.mark.parametrize(("form", "body"), [("srt", ""), ("vtt", "WEBVTT\n\n")])
def test_subtitles_of_silence_are_an_answer(form, body):
    told = response(body, model="whisper-1", response_format=form)
    assert (told.text, told.segments) == ("", [])


def test_every_field_that_is_none_has_its_reason():
    for name, known in FILE_TRANSCRIPTION_MODELS.items():
        for form in known.formats:
            body = "1\n00:00:01,000 --> 00:00:02,000\nHi\n" if form in PLAIN_FORMATS else {"text": "Hi"}
            told = response(body, model=name, response_format=form)
            fields = ("language", "segments", "words", "logprobs", "subtitles", "usage", "cost_usd", "request_id")
            missing = {field for field in fields if getattr(told, field) is None}
            assert told.unavailable.keys() == missing, (name, form)
            assert all(told.unavailable.values())
            assert told.duration == 42


def test_the_reason_names_the_model_that_can():
    told = response({"text": "Hi", "languages": []})
    assert told.unavailable["words"] == "gpt-transcribe tells no times; whisper-1 (until 2027-02-26) can"
    assert told.unavailable["language"] == "gpt-transcribe was not sure of it"
    assert "gpt-4o-transcribe-diarize" in told.unavailable["segments"]
    assert "gpt-transcribe" in response({"text": "Hi"}, model="gpt-4o-transcribe").unavailable["language"]


def test_a_model_that_nobody_knows_is_taken_at_its_word():
    told = response({**VERBOSE, "extra": 1}, model="my-deployment", response_format="verbose_json")
    assert told.words == [TranscriptionWord(**WORD)]
    assert told.unavailable["cost_usd"] == "no price is known for my-deployment"


def test_a_part_in_a_new_shape_costs_only_itself():
    odd = {"text": "Hi", "languages": "en", "usage": ["new"], "segments": [{"id": 1}], "words": 7, "duration": "42.7"}
    told = response(odd, model="whisper-1")
    assert (told.text, told.duration, told.duration_source) == ("Hi", 42.7, "answer")
    assert (told.usage, told.segments, told.words) == (None, None, None)
    assert told.unavailable["segments"] == "it came in a shape that we cannot read"


@pytest.mark.parametrize("body", [{}, {"text": None}, {"text": ["Hi"]}, [], "Hi", {"error": {"message": "late"}}])
def test_an_answer_without_its_text_is_half_an_answer(body):
    with pytest.raises(HalfAnswer):
        response(body)


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
def test_a_web_page_is_no_transcript(form):
    with pytest.raises(HalfAnswer):
        response(
            "\n<!DOCTYPE html><html>Welcome to the hotel's network</html>", model="whisper-1", response_format=form
        )


def test_json_is_no_subtitles():
    with pytest.raises(HalfAnswer, match="srt"):
        response('{"text": "Hi"}', model="whisper-1", response_format="srt")


@pytest.mark.parametrize(
    ("answer", "duration", "source"),
    [({"usage": {"type": "duration", "seconds": 9}}, 9, "usage"), ({}, 0, "unknown")],
)
def test_a_file_that_does_not_tell_its_length_is_as_long_as_was_billed(answer, duration, source):
    told = response({"text": "Hi"} | answer, data=files.flac(0))
    assert (told.duration, told.duration_source) == (duration, source)
    assert ("duration" in told.unavailable) is (source == "unknown")


def test_a_file_too_short_for_a_word_is_answered_without_being_sent():
    told = not_sent(asked(files.silent_wav(0.2)))
    assert (told.text, told.duration, told.cost_usd) == ("", 0.2, 0)
    assert "not sent" in told.warnings[0]


@pytest.mark.parametrize(
    ("name", "code"), [("english", "en"), ("Haitian Creole", "ht"), ("de", "de"), ("klingon", "klingon")]
)
def test_a_language_is_told_by_its_code(name, code):
    assert iso_code(name) == code


def test_our_types_have_every_field_of_the_official_ones():
    ours = TranscriptionSegment.__dataclass_fields__.keys()
    assert TheirSegment.model_fields.keys() | TranscriptionDiarizedSegment.model_fields.keys() - {"type"} <= ours
    assert TheirWord.model_fields.keys() <= TranscriptionWord.__dataclass_fields__.keys()
    assert Logprob.model_fields.keys() == TranscriptionLogprob.__dataclass_fields__.keys()
    request = set(TranscriptionRequest.__dataclass_fields__) - {"filename", "fallback_model", "file_bytes", "stream"}
    speakers = {"known_speaker_names", "known_speaker_references", "file"}
    assert set(TranscriptionCreateParamsBase.__annotations__) - speakers == request - {"known_speakers"}
    assert set(get_args(AudioResponseFormat)) == set(get_args(TranscriptionFormat))
    assert KnownSpeaker("x", "data:").name == "x"


def test_what_our_answers_are_made_of_is_what_the_official_types_read():
    Transcription.model_validate({"text": "Hi", "logprobs": [SURE], "usage": TOKENS}, strict=True)
    TranscriptionVerbose.model_validate(VERBOSE)
    TranscriptionDiarized.model_validate(DIARIZED)
