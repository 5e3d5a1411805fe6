"""Usage as OpenAI tells it, whole, in part, or not at all."""

import json
from pathlib import Path

import pytest

from app.openai.usage import usage_of
from app.realtime.usage import Usage

SAMPLE = Path(__file__).parents[3] / "app/sandbox/data/openai/response.done.json"


def test_the_documented_usage_is_read_kind_by_kind():
    raw = json.loads(SAMPLE.read_text())["response"]["usage"]
    usage = usage_of(raw)
    assert usage == Usage(text_in=108, text_cached=64, audio_in=22, text_out=23, audio_out=78)
    assert usage.total == raw["total_tokens"]


@pytest.mark.parametrize("nothing", [None, {}, {"input_tokens": None, "input_token_details": None}, {"x": 1}])
def test_untold_usage_is_nothing(nothing):
    assert usage_of(nothing) == Usage()


def test_an_answer_cut_early_may_have_no_output():
    raw = {"input_tokens": 10, "output_tokens": 0, "input_token_details": {"audio_tokens": 10}}
    assert usage_of(raw) == Usage(audio_in=10)


def test_more_cached_than_there_was_counts_as_all_of_it():
    details = {"text_tokens": 5, "audio_tokens": 5, "cached_tokens_details": {"text_tokens": 9, "audio_tokens": None}}
    assert usage_of({"input_token_details": details}) == Usage(text_in=5, text_cached=5, audio_in=5)


def test_cached_tokens_of_no_told_kind_are_text_before_they_are_audio():
    details = {"text_tokens": 30, "audio_tokens": 50, "cached_tokens": 40}
    expected = Usage(text_in=30, text_cached=30, audio_in=50, audio_cached=10)
    assert usage_of({"input_token_details": details}) == expected


def test_what_the_details_leave_out_is_text_and_without_details_all_is_audio():
    part = {"output_tokens": 100, "output_token_details": {"text_tokens": 20, "audio_tokens": 50}}
    assert usage_of(part) == Usage(text_out=50, audio_out=50)
    assert usage_of({"input_tokens": 70, "output_tokens": 100}) == Usage(audio_in=70, audio_out=100)


@pytest.mark.parametrize("odd", [-3, "7", True, 1.5, [1]])
def test_what_is_no_count_counts_nothing(odd):
    assert usage_of({"input_tokens": odd, "input_token_details": {"text_tokens": odd}}) == Usage()


@pytest.mark.parametrize("text_tokens", [20, 50], ids=["apart", "among the text"])
def test_what_a_model_thinks_is_paid_once_as_text(text_tokens):
    details = {"text_tokens": text_tokens, "audio_tokens": 50, "reasoning_tokens": 30}
    assert usage_of({"output_tokens": 100, "output_token_details": details}) == Usage(text_out=50, audio_out=50)
