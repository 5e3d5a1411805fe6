"""Transcription sessions, client secrets and the settings of one response."""

from typing import Any

import pytest
from openai.types.realtime import (
    RealtimeResponseCreateParams,
    RealtimeTranscriptionSessionCreateRequest,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.openai.types.client_secrets import ClientSecret, ClientSecretRequest, ClientSecretResponse, GrantedSession
from app.openai.types.response import ResponseConfig
from app.openai.types.session import OpenaiRealtimeSessionConfig
from app.openai.types.transcription_session import GrantedTranscriptionSession, TranscriptionSession

TRANSCRIPTION = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcmu"},
            "noise_reduction": None,
            "transcription": {"model": "gpt-transcribe", "languages": ["en", "de"], "keywords": ["Parley"]},
            "turn_detection": {"type": "server_vad", "threshold": 0.4, "silence_duration_ms": 300},
        }
    },
    "include": ["item.input_audio_transcription.logprobs"],
}


def refusal(model: type[BaseModel], value: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(value)
    return str(refused.value)


def test_r1_3_r1_40_r1_45_a_transcription_session_goes_out_as_it_came_in():
    sent = TranscriptionSession.model_validate(TRANSCRIPTION).wire()
    assert sent == TRANSCRIPTION
    TypeAdapter(RealtimeTranscriptionSessionCreateRequest).validate_python(sent)
    assert TranscriptionSession().wire() == {"type": "transcription"}


def test_r1_12_r1_40_a_transcription_session_takes_server_vad_and_null_and_refuses_semantic_vad_with_the_reason():
    off = TranscriptionSession.model_validate({"audio": {"input": {"turn_detection": None}}})
    assert off.wire()["audio"]["input"] == {"turn_detection": None}
    told = refusal(TranscriptionSession, {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}})
    assert "audio.input.turn_detection" in told
    assert "takes only server_vad" in told


@pytest.mark.parametrize("field", ["instructions", "tools", "voice", "output_modalities"])
def test_r1_3_what_only_a_speaking_session_has_is_refused(field):
    assert field in refusal(TranscriptionSession, {field: "x"})


def test_r1_4_r1_41_r1_42_a_granted_transcription_session_is_read_whatever_else_the_server_says():
    granted = TRANSCRIPTION | {"id": "sess_1", "object": "realtime.transcription_session", "expires_at": 1}
    read = GrantedTranscriptionSession.received(granted | {"new_field": {"x": 1}})
    assert read.wire() == granted
    assert read.audio.input.turn_detection.silence_duration_ms == 300
    with pytest.raises(ValidationError):
        GrantedTranscriptionSession.received(TRANSCRIPTION)


SESSION = {"type": "realtime", "model": "gpt-realtime-2.1", "output_modalities": ["audio"]}


def test_a_client_secret_is_asked_for_with_a_session_of_either_type():
    for session in (SESSION, TRANSCRIPTION):
        body = {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": session}
        assert ClientSecretRequest.model_validate(body).wire(reveal=True) == body
    for seconds in (9, 7201):
        assert "seconds" in refusal(ClientSecretRequest, {"expires_after": {"seconds": seconds}})


def test_r1_2_r1_36_a_client_secret_answer_holds_the_secret_and_the_session_and_prints_no_secret():
    tool = {"type": "function", "name": "f"}
    body = {
        "value": "ek_very_secret",
        "expires_at": 1_800_000_000,
        "session": SESSION | {"id": "sess_1", "object": "realtime.session", "tools": [tool]},
    }
    answer = ClientSecretResponse.received(body | {"unheard_of": True})
    assert answer.wire(reveal=True) == body
    assert "very_secret" not in f"{answer!r} {answer} {answer.model_dump()} {answer.model_dump_json()} {answer.wire()}"
    assert isinstance(answer.session, GrantedSession)
    with pytest.raises(ValidationError) as refused:
        ClientSecret.model_validate({"value": "ek_very_secret"})
    assert "very_secret" not in str(refused.value)


def test_r1_2_a_granted_session_may_carry_the_secret_and_what_its_model_could_not_be_asked_for():
    granted = SESSION | {"model": "gpt-realtime-1.5", "parallel_tool_calls": True}
    granted["client_secret"] = {"value": "ek_1", "expires_at": 1}
    assert GrantedSession.received(granted).wire(reveal=True) == granted
    with pytest.raises(ValidationError):
        OpenaiRealtimeSessionConfig.model_validate({"model": "gpt-realtime-1.5", "parallel_tool_calls": True})


def test_a_response_has_settings_of_its_own_and_leaves_out_the_rest():
    response = {
        "conversation": "none",
        "input": [{"type": "item_reference", "id": "item_1"}],
        "instructions": "Be brief.",
        "output_modalities": ["text"],
        "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "cedar"}},
        "tools": [],
        "tool_choice": "none",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low"},
        "max_output_tokens": 100,
        "metadata": {"topic": "weather"},
    }
    assert ResponseConfig.model_validate(response).wire() == response
    del response["input"]  # the official type knows no references
    TypeAdapter(RealtimeResponseCreateParams).validate_python(response)
    assert ResponseConfig().wire() == {}


@pytest.mark.parametrize(
    ("response", "path"),
    [
        ({"audio": {"output": {"speed": 1.0}}}, "audio.output.speed"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "metadata"),
        ({"output_modalities": ["text", "audio"]}, "output_modalities"),
    ],
)
def test_what_a_response_cannot_have_is_refused_with_its_path(response, path):
    assert path in refusal(ResponseConfig, response)
