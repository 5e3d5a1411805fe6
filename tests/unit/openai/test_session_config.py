import json

import pytest
from openai.types.realtime import RealtimeSessionCreateRequest
from pydantic import TypeAdapter, ValidationError

from app.conf.models import AgentConf, EndCallTool, LookupTool, SemanticVad, Transcription
from app.errors import ConfInvalid
from app.openai import OpenaiRealtimeSessionConfig, OpenaiRealtimeTool
from app.openai.constants import REALTIME_MODELS
from app.openai.session_check import correction
from app.openai.session_config import answers_by_itself, compile_session
from app.openai.types.audio import AudioPCM, AudioPCMA

oracle = TypeAdapter(RealtimeSessionCreateRequest)
SMALLEST_CONTEXT, MOST_OUTPUT = 32_000, 4096
"""Of the models that do not reason: a higher limit than the difference is refused."""


def test_r0_24_r0_25_r0_26_r0_27_r0_29_an_agent_becomes_a_session_with_mulaw_both_ways_and_everything_it_asks_for():
    agent = AgentConf(
        instructions="Be brief.",
        voice="cedar",
        speed=1.2,
        reasoning_effort="low",
        max_output_tokens=800,
        tools=[LookupTool(type="lookup", name="orders", description="Orders.", entries={"7": "shipped"})],
    )
    assert compile_session(agent).wire() == {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "noise_reduction": {"type": "near_field"},
                "transcription": {"model": "gpt-transcribe"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {"format": {"type": "audio/pcmu"}, "voice": "cedar", "speed": 1.2},
        },
        "instructions": "Be brief.",
        "tools": [
            {
                "type": "function",
                "name": "orders",
                "description": "Orders.",
                "parameters": agent.tools[0].parameters,
            }
        ],
        "tool_choice": "auto",
        "max_output_tokens": 800,
        "reasoning": {"effort": "low"},
        "truncation": {
            "type": "retention_ratio",
            "retention_ratio": 0.8,
            "token_limits": {"post_instructions": 24_000},
        },
    }


def test_r0_26_r0_27_switched_off_filters_are_sent_as_null():
    agent = AgentConf.model_validate(dict.fromkeys(["noise_reduction", "transcription", "turn_detection"]))
    hearing = compile_session(agent).wire()["audio"]["input"]
    assert hearing["noise_reduction"] is None
    assert hearing["transcription"] is None
    assert hearing["turn_detection"] is None


def test_semantic_turn_detection_is_carried_over():
    agent = AgentConf(turn_detection=SemanticVad(type="semantic_vad", eagerness="high", interrupt_response=False))
    assert compile_session(agent).wire()["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "high",
        "create_response": True,
        "interrupt_response": False,
    }


@pytest.mark.parametrize(
    ("model", "sent"), [("gpt-realtime-2.1-mini", True), ("gpt-realtime-1.5", False), ("my-deployment", True)]
)
def test_reasoning_is_asked_only_of_models_that_reason(model: str, sent: bool):
    config = compile_session(AgentConf(model=model, reasoning_effort="high"))
    assert ("reasoning" in config.wire()) is sent


def test_everything_an_operator_may_set_reaches_the_session_and_the_record_keeps_no_secret():
    agent = AgentConf.model_validate(
        {
            "prompt": {"id": "pmpt_1"},
            "voice": {"id": "voice_1"},
            "turn_detection": {"type": "server_vad", "create_response": False, "idle_timeout_ms": 6000},
            "noise_reduction": {"type": "far_field", "strength": 2},
            "transcription": {"languages": ["en"], "keywords": ["Parley"], "prompt": "A bakery."},
            "include": ["item.input_audio_transcription.logprobs"],
            "parallel_tool_calls": False,
            "truncation": {"type": "retention_ratio", "token_limits": {"post_instructions": 5000}},
            "tracing": {"workflow_name": "calls"},
            "tools": [
                {
                    "type": "mcp",
                    "server_label": "orders",
                    "server_url": "https://mcp.example.com",
                    "authorization": "a-secret",
                    "headers": {"X-Key": "b-secret"},
                    "allowed_tools": {"read_only": True},
                    "require_approval": {"never": {"tool_names": ["find"]}},
                    "approve": ["buy"],
                }
            ],
            "tool_choice": {"type": "mcp", "server_label": "orders"},
        }
    )
    config = compile_session(agent)
    sent = config.wire(reveal=True)
    hearing = sent["audio"]["input"]
    assert hearing["turn_detection"]["create_response"] is False
    assert hearing["turn_detection"]["idle_timeout_ms"] == 6000
    assert hearing["noise_reduction"] == {"type": "far_field", "strength": 2}
    assert hearing["transcription"] == {
        "model": "gpt-transcribe",
        "languages": ["en"],
        "keywords": ["Parley"],
        "prompt": "A bakery.",
    }
    assert sent["audio"]["output"]["voice"] == {"id": "voice_1"}
    assert sent["prompt"] == {"id": "pmpt_1"}
    assert sent["include"] == ["item.input_audio_transcription.logprobs"]
    assert sent["parallel_tool_calls"] is False
    assert sent["truncation"] == {
        "type": "retention_ratio",
        "retention_ratio": 0.8,
        "token_limits": {"post_instructions": 5000},
    }
    assert sent["tracing"] == {"workflow_name": "calls"}
    assert sent["tools"][0]["headers"] == {"X-Key": "b-secret"}
    assert sent["tools"][0]["authorization"] == "a-secret"
    assert sent["tool_choice"] == {"type": "mcp", "server_label": "orders"}
    assert "secret" not in str(config.wire())
    oracle.validate_python(sent)


def test_what_most_agents_leave_to_the_server_is_not_sent():
    left = {"prompt", "include", "parallel_tool_calls", "reasoning", "tracing"}
    assert not left & compile_session(AgentConf()).wire().keys()
    assert "truncation" not in compile_session(AgentConf(truncation="auto")).wire()


@pytest.mark.parametrize("model", REALTIME_MODELS)
def test_what_is_kept_of_a_long_call_fits_every_model(model):
    kept = compile_session(AgentConf(model=model)).wire()["truncation"]["token_limits"]["post_instructions"]
    assert kept < SMALLEST_CONTEXT - MOST_OUTPUT
    if (most := REALTIME_MODELS[model].max_output_tokens) is not None:
        assert most <= MOST_OUTPUT


def test_what_the_api_would_refuse_is_a_configuration_error():
    with pytest.raises(ConfInvalid, match="gpt-realtime-whisper needs turn_detection"):
        compile_session(AgentConf(transcription=Transcription(model="gpt-realtime-whisper")))


def test_the_official_types_accept_a_compiled_session():
    agent = AgentConf(tools=[EndCallTool(type="end_call")], reasoning_effort="low")
    oracle.validate_python(compile_session(agent).wire(), strict=True)


@pytest.mark.parametrize(
    "session",
    [
        {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}}}},
        {"audio": {"input": {"turn_detection": None}}},
        {"audio": {"input": {"noise_reduction": {"type": "far_field", "strength": 0.5}}}},
        {"audio": {"input": {"transcription": {"model": "whisper-1", "language": "en", "prompt": "names"}}}},
        {
            "audio": {
                "input": {
                    "transcription": {"model": "gpt-realtime-whisper", "delay": "low"},
                    "turn_detection": None,
                }
            }
        },
        {"audio": {"output": {"format": {"type": "audio/pcma"}, "voice": {"id": "voice_1234"}, "speed": 0.25}}},
        {"tool_choice": {"type": "function", "name": "lookup"}},
        {"tool_choice": "required", "parallel_tool_calls": False},
        {"max_output_tokens": "inf"},
        {"max_output_tokens": 1},
        {"truncation": "disabled"},
        {
            "truncation": {
                "type": "retention_ratio",
                "retention_ratio": 0.8,
                "token_limits": {"post_instructions": 5000},
            }
        },
        {"tracing": None},
        {"tracing": "auto"},
        {"tracing": {"workflow_name": "calls", "group_id": "g", "metadata": {"a": 1}}},
        {"include": ["item.input_audio_transcription.logprobs"]},
        {"output_modalities": ["text"]},
        {"tools": [{"type": "function", "name": "f"}]},
        {"tools": []},
        {"instructions": ""},
    ],
    ids=json.dumps,
)
def test_every_form_of_the_session_goes_out_as_it_came_in_and_the_official_types_accept_it(session: dict):
    whole = {"type": "realtime", "output_modalities": ["audio"]} | session
    sent = OpenaiRealtimeSessionConfig.model_validate(session).wire()
    assert sent == whole
    oracle.validate_python(sent)


@pytest.mark.parametrize(
    ("session", "path"),
    [
        ({"temperature": 0.8}, "temperature"),
        ({"output_modalities": ["text", "audio"]}, "output_modalities"),
        ({"output_modalities": []}, "output_modalities"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"max_output_tokens": "unlimited"}, "max_output_tokens"),
        ({"audio": {"output": {"speed": 2}}}, "audio.output.speed"),
        ({"audio": {"output": {"format": {"type": "g711_ulaw"}}}}, "audio.output.format"),
        ({"audio": {"input": {"format": {"type": "audio/pcmu", "rate": 8000}}}}, "audio.input.format.audio/pcmu.rate"),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}, "audio.input.format.audio/pcm.rate"),
        (
            {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "idle_timeout_ms": 5000}}}},
            "audio.input.turn_detection.semantic_vad.idle_timeout_ms",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 1}}}},
            "audio.input.turn_detection.server_vad.idle_timeout_ms",
        ),
        (
            {"audio": {"input": {"transcription": {"model": "gpt-transcribe", "keywords": ["<b>"]}}}},
            "audio.input.transcription.keywords.0",
        ),
        (
            {"audio": {"input": {"transcription": {"model": "gpt-transcribe", "language": "en", "languages": ["en"]}}}},
            "audio.input.transcription",
        ),
        (
            {"audio": {"input": {"transcription": {"model": "whisper-1", "keywords": ["Parley"]}}}},
            "audio.input.transcription",
        ),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"truncation": {"type": "retention_ratio", "retention_ratio": 1.5}}, "truncation"),
        ({"model": "gpt-realtime-1.5", "reasoning": {"effort": "low"}}, ""),
        ({"tools": [{"type": "function", "name": "f", "strict": True}]}, "tools.0.function.strict"),
    ],
    ids=json.dumps,
)
def test_what_the_api_refuses_is_refused_with_the_path_of_the_field(session: dict, path: str):
    with pytest.raises(ValidationError) as refusal:
        OpenaiRealtimeSessionConfig.model_validate(session)
    paths = [".".join(map(str, problem["loc"])) for problem in refusal.value.errors()]
    assert all(found.startswith(path) for found in paths), paths


def test_absent_and_none_are_not_sent_where_null_means_nothing():
    config = OpenaiRealtimeSessionConfig(instructions=None, output_modalities=None, tools=None)
    assert config.wire() == {"type": "realtime"}
    assert OpenaiRealtimeTool(name="f", description=None).model_dump() == {"type": "function", "name": "f"}


def test_a_session_that_is_asked_for_once_more_keeps_its_secrets():
    tool = {"type": "mcp", "server_label": "s", "tunnel_id": "t", "headers": {"X-Key": "b-secret"}}
    config = OpenaiRealtimeSessionConfig.model_validate({"tools": [tool], "tracing": "auto"})
    again = correction(config, [("tracing",)])
    assert again is not None
    assert again.config.wire(reveal=True)["tools"] == [tool]


@pytest.mark.parametrize(
    ("hearing", "answers"),
    [
        ({}, True),
        ({"turn_detection": {"type": "server_vad"}}, True),
        ({"turn_detection": {"type": "server_vad", "create_response": False}}, False),
        ({"turn_detection": None}, False),
    ],
)
def test_the_server_answers_by_itself_unless_told_not_to(hearing: dict, answers: bool):
    config = OpenaiRealtimeSessionConfig.model_validate({"audio": {"input": hearing}})
    assert answers_by_itself(config) is answers


def test_pcm_always_carries_its_rate_and_g711_never():
    assert AudioPCM().model_dump() == {"type": "audio/pcm", "rate": 24000}
    assert AudioPCMA().model_dump() == {"type": "audio/pcma"}
