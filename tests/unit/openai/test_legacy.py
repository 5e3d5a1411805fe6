"""Old shapes in today's words: what two peers' configurations and the beta wire become."""

import copy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conf.models import AgentConf, Known, parse
from app.errors import ConfInvalid
from app.openai import legacy
from app.openai.rules import OPENAI_RULES
from app.openai.session_config import compile_session
from app.openai.types.response import ResponseConfig
from app.openai.types.session import OpenaiRealtimeSessionConfig

R2_VAD = {"threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
R2_DEFAULT = {
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "voice_activity_detection": R2_VAD,
    "turn_detection": {"type": "server_vad"} | R2_VAD,
    "tool_choice": "auto",
    "modalities": ["text", "audio"],
}
R2_REQUEST = {
    "model": "gpt-4o-realtime-preview",
    "config": R2_DEFAULT,
    "instructions": "Be brief.",
    "voice": "shimmer",
    "temperature": 0.8,
    "max_response_output_tokens": 1000,
}
R3_CONFIG = {
    "voice": "alloy",
    "temperature": 0.8,
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "create_response": True,
        "interrupt_response": True,
    },
    "input_audio_transcription": {"model": "gpt-4o-mini-transcribe"},
    "tool_choice": "auto",
    "modalities": ["text", "audio"],
}
OPENAI_DAY = date(2026, 11, 21)
KNOWN = Known({"openai": OPENAI_RULES})


def session(value: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Today's session, as it would be sent."""
    today, warnings = legacy.session(value)
    return OpenaiRealtimeSessionConfig.model_validate(today).wire(reveal=True), warnings


def agent(value: dict[str, Any]) -> tuple[AgentConf, list[str]]:
    today, warnings = legacy.agent(value)
    conf = parse("agent", "a", today, KNOWN)
    assert isinstance(conf, AgentConf)
    assert legacy.agent(today) == (today, [])
    return conf, warnings


def test_r2_1_a_session_request_becomes_todays_session_with_a_warning_for_each_old_word():
    today, warnings = session(R2_REQUEST)
    assert today == {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "tool_choice": "auto",
        "max_output_tokens": 1000,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "turn_detection": {"type": "server_vad"} | R2_VAD,
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "shimmer"},
        },
    }
    assert [warning.partition(":")[0] for warning in warnings] == [
        "input_audio_format",
        "output_audio_format",
        "turn_detection",
        "voice",
        "max_response_output_tokens",
        "temperature",
        "model",
    ]


def test_r2_3_r2_2_r2_16_the_default_config_imports_as_an_agent_and_only_the_replaced_format_is_told():
    conf, warnings = agent({"config": R2_DEFAULT})
    assert conf.turn_detection.model_dump(include=R2_VAD.keys()) == R2_VAD
    assert (conf.tools, conf.tool_choice, conf.audio_format) == ([], "auto", "g711_ulaw")
    assert warnings == [
        "input_audio_format: pcm16 is replaced by g711_ulaw, the phone's own format",
        "output_audio_format: pcm16 is replaced by g711_ulaw, the phone's own format",
    ]
    assert KNOWN.accept("a", conf, OPENAI_DAY) == []


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ("pcm16", {"type": "audio/pcm", "rate": 24000}),
        ("g711_ulaw", {"type": "audio/pcmu"}),
        ("g711_alaw", {"type": "audio/pcma"}),
    ],
)
def test_r2_4_r2_17_each_audio_format_has_its_name_of_today_and_both_names_together_agree(old, today):
    both = {"input_audio_format": old, "audio": {"input": {"format": today}}, "output_audio_format": old}
    assert session(both)[0]["audio"] == {"input": {"format": today}, "output": {"format": today}}


def test_r0_24_g711_ulaw_is_our_own_word_and_never_warns():
    formats = {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw"}
    assert session(formats)[1] == []
    assert agent(formats | {"audio_format": "g711_ulaw"})[1] == []
    assert compile_session(agent(formats)[0]).wire()["audio"]["input"]["format"] == {"type": "audio/pcmu"}


@pytest.mark.parametrize("voice", ["alloy", "echo", "shimmer"])
def test_r2_5_voices_that_work_stay(voice):
    conf, warnings = agent(R2_REQUEST | {"voice": voice})
    assert conf.voice == voice
    assert "voice" not in str(warnings)


@pytest.mark.parametrize(("voice", "instead"), [("fable", "cedar"), ("onyx", "cedar"), ("nova", "marin")])
def test_r2_5_voices_that_are_noise_are_replaced_in_an_old_configuration(voice, instead):
    conf, warnings = agent(R2_REQUEST | {"voice": voice})
    assert conf.voice == instead
    assert f"voice: {voice} gives distorted noise on a realtime session; replaced by {instead}" in warnings
    assert session({"voice": voice})[0]["audio"]["output"]["voice"] == instead
    assert legacy.agent({"voice": voice}) == ({"voice": voice}, [])  # of today: refused, not replaced


def test_r2_6_vad_settings_alone_become_server_vad():
    conf, warnings = agent({"voice_activity_detection": R2_VAD | {"threshold": 0.7}})
    assert (conf.turn_detection.type, conf.turn_detection.threshold) == ("server_vad", 0.7)
    assert warnings == ["voice_activity_detection: is called turn_detection today"]


def test_r2_3_turn_detection_wins_over_vad_settings_that_differ_and_says_so():
    conf, warnings = agent(R2_DEFAULT | {"voice_activity_detection": {"threshold": 0.9}})
    assert conf.turn_detection.threshold == 0.5
    assert "voice_activity_detection: left out: turn_detection wins" in warnings


def test_r2_7_turn_detection_fields_that_were_left_out_stay_left_out():
    today, _ = session({"turn_detection": {"type": "server_vad", "threshold": 0.4}})
    assert today["audio"]["input"]["turn_detection"] == {"type": "server_vad", "threshold": 0.4}


@pytest.mark.parametrize("off", ["none", {"type": "none"}, None])
def test_r2_8_turn_detection_none_is_null_on_the_wire_and_wins(off):
    assert session({"turn_detection": off})[0]["audio"]["input"]["turn_detection"] is None
    conf, _ = agent({"turn_detection": off, "voice_activity_detection": R2_VAD})
    assert conf.turn_detection.type == "none"
    assert compile_session(conf).wire()["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize("both", [["text", "audio"], ["audio", "text"], ["audio"]])
def test_r2_9_r3_8_text_and_audio_become_audio_silently(both):
    for word in ("modalities", "output_modalities"):
        assert session({word: both}) == ({"type": "realtime", "output_modalities": ["audio"]}, [])
        assert agent({word: both})[1] == []


def test_r3_8_text_only_is_kept_for_a_session_and_on_the_phone_the_agent_speaks():
    assert session({"modalities": ["text"]})[0]["output_modalities"] == ["text"]
    conf, warnings = agent({"modalities": ["text"]})
    assert compile_session(conf).wire()["output_modalities"] == ["audio"]
    assert warnings == ["modalities: text is replaced by audio: on the phone one speaks"]


def test_r2_10_tools_keep_their_shape_in_a_session():
    tool = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
    assert session({"tools": [tool]})[0]["tools"] == [tool]


def test_r3_29_a_function_that_nothing_runs_and_a_bad_tool_are_left_out_of_an_agent_loudly():
    tools = [{"type": "function", "name": "f"}, {}, "tool", {"type": "end_call"}]
    conf, warnings = agent({"tools": tools})
    assert [tool.type for tool in conf.tools] == ["end_call"]
    assert warnings == [
        "tools.0: left out: nothing here runs f",
        "tools.1: left out: nothing here runs it",
        "tools.2: left out: nothing here runs it",
    ]


def test_a_tool_of_ours_whose_type_was_forgotten_is_not_left_out_but_refused():
    with pytest.raises(ConfInvalid, match=r"tools\.0: .*type"):
        agent({"tools": [{"name": "f", "url": "https://shop.example.com/"}]})


def test_r2_11_a_servers_answer_gives_its_configuration_and_none_of_its_secrets():
    answer = {
        "id": "sess_1",
        "object": "realtime.session",
        "status": "active",
        "ephemeral_key": "ek_secret",
        "webrtc_url": "https://example.com",
        "config": R2_DEFAULT,
        "expires_at": "2025-01-01T00:00:00Z",
        "created_at": "2025-01-01T00:00:00Z",
        "tracing": None,
        "include": None,
    }
    conf, warnings = agent(answer)
    assert conf.turn_detection.silence_duration_ms == 200
    assert warnings[0].startswith("object: this is a server's answer; left out: id, object, status, expires_at")
    assert "secret" not in str(warnings)


def test_r2_13_the_old_settings_of_one_response_become_todays():
    today, warnings = legacy.response(
        {
            "modalities": ["text", "audio"],
            "instructions": "Be brief.",
            "voice": "echo",
            "output_audio_format": "g711_ulaw",
            "tools": [],
            "tool_choice": "none",
            "temperature": 0.7,
            "max_response_output_tokens": 50,
        }
    )
    assert ResponseConfig.model_validate(today).wire() == {
        "instructions": "Be brief.",
        "output_modalities": ["audio"],
        "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "echo"}},
        "tools": [],
        "tool_choice": "none",
        "max_output_tokens": 50,
    }
    assert warnings == [
        "voice: is called audio.output.voice today",
        "max_response_output_tokens: is called max_output_tokens today",
        "temperature: left out: the API has no temperature any more",
    ]


def test_r2_14_input_transcription_is_on_with_its_model_or_null():
    for old, today in (
        ({"enabled": False, "model": "whisper-1"}, None),
        ({"enabled": True, "model": "whisper-1"}, {"model": "whisper-1"}),
    ):
        assert session({"input_audio_transcription": old})[0]["audio"]["input"]["transcription"] == today
        conf, _ = agent({"input_audio_transcription": old})
        assert compile_session(conf).wire()["audio"]["input"]["transcription"] == today


@pytest.mark.parametrize(
    ("model", "instead"),
    [
        ("gpt-4o-realtime-preview", "gpt-realtime-2.1"),
        ("gpt-4o-realtime-preview-2024-12-17", "gpt-realtime-2.1"),
        ("gpt-4o-mini-realtime-preview", "gpt-realtime-2.1-mini"),
    ],
)
def test_r2_15_models_of_the_beta_are_replaced_with_a_warning(model, instead):
    conf, warnings = agent({"model": model})
    assert conf.model == instead
    assert warnings == [f"model: {model} is gone; replaced by {instead}"]


def test_r2_17_r1_49_a_null_is_as_if_it_were_absent_where_it_does_not_mean_off():
    nothing = dict.fromkeys(["voice", "temperature", "max_response_output_tokens", "modalities", "tools", "config"])
    nothing["voice_activity_detection"] = None
    del nothing["config"]
    assert session(nothing) == ({"type": "realtime", "output_modalities": ["audio"]}, [])
    assert agent(nothing) == (AgentConf(), [])


def test_r3_3_r3_4_r3_5_r3_6_r3_7_the_default_config_imports_and_temperature_is_dropped_with_a_warning():
    conf, warnings = agent({"model": "gpt-4o-realtime-preview", "config": R3_CONFIG})
    assert (conf.voice, conf.tool_choice, conf.transcription.model) == ("alloy", "auto", "gpt-4o-mini-transcribe")
    assert conf.turn_detection.model_dump(exclude_none=True) == R3_CONFIG["turn_detection"]
    assert warnings == [
        "input_audio_transcription: is called transcription today",
        "temperature: left out: the API has no temperature any more",
        "model: gpt-4o-realtime-preview is gone; replaced by gpt-realtime-2.1",
    ]


@pytest.mark.parametrize("choice", ["auto", "required", "none"])
def test_r3_7_every_tool_choice_reaches_the_session(choice):
    conf, warnings = agent({"tool_choice": choice})
    assert compile_session(conf).wire()["tool_choice"] == choice
    assert warnings == []


def test_r3_27_the_first_session_update_has_everything_that_was_set_and_tools_even_when_there_are_none():
    conf, _ = agent({"config": R3_CONFIG})
    sent = compile_session(conf).wire()
    assert sent["audio"]["input"]["turn_detection"] == R3_CONFIG["turn_detection"]
    assert sent["audio"]["input"]["transcription"] == {"model": "gpt-4o-mini-transcribe"}
    assert sent["audio"]["output"]["voice"] == "alloy"
    assert (sent["tools"], sent["tool_choice"], sent["max_output_tokens"]) == ([], "auto", "inf")
    assert sent["model"] == AgentConf().model
    assert sent["instructions"] == AgentConf().instructions
    assert "temperature" not in sent


def test_r3_1_r3_2_a_key_and_a_base_url_are_no_part_of_an_agent_and_their_place_is_told():
    conf, warnings = agent({"api_key": "sk-secret", "base_url": "https://example.com/v1", "config": R3_CONFIG})
    assert conf.voice == "alloy"
    assert [warning for warning in warnings if "parley conf set openai default" in warning]
    assert [warning for warning in warnings if "OPENAI_REALTIME_BASE_URL" in warning]
    assert "sk-secret" not in str(warnings)


@pytest.mark.parametrize(
    ("old_and_new", "named"),
    [
        ({"max_response_output_tokens": 5, "max_output_tokens": 6}, "max_response_output_tokens"),
        ({"modalities": ["text"], "output_modalities": ["audio"]}, "modalities"),
        ({"voice": "echo", "audio": {"output": {"voice": "marin"}}}, "voice"),
        ({"turn_detection": None, "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}, "turn_detection"),
        ({"input_audio_format": "pcm16", "audio": {"input": {"format": {"type": "audio/pcmu"}}}}, "input_audio_format"),
        ({"voice": "echo", "config": {"voice": "ash"}}, "config.voice"),
    ],
)
def test_an_old_and_a_new_word_that_disagree_are_an_error_and_agreeing_ones_are_not(old_and_new, named):
    with pytest.raises(ConfInvalid, match=rf"^{named}: disagrees with"):
        legacy.session(old_and_new)
    assert session({"max_response_output_tokens": 5, "max_output_tokens": 5})[0]["max_output_tokens"] == 5


def test_a_session_of_today_becomes_an_agent_without_a_word():
    today = {
        "type": "realtime",
        "model": "gpt-realtime-2",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "noise_reduction": None,
                "transcription": {"model": "gpt-transcribe", "languages": ["de"], "keywords": ["Parley"]},
                "turn_detection": {"type": "semantic_vad", "eagerness": "low"},
            },
            "output": {"format": {"type": "audio/pcmu"}, "voice": {"id": "voice_1"}, "speed": 1.1},
        },
        "reasoning": {"effort": "low"},
        "parallel_tool_calls": False,
        "tools": [{"type": "mcp", "server_label": "orders", "server_url": "https://mcp.example.com"}],
        "tool_choice": {"type": "mcp", "server_label": "orders"},
        "max_output_tokens": 500,
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.7},
        "tracing": {"group_id": "g"},
        "include": ["item.input_audio_transcription.logprobs"],
        "prompt": {"id": "pmpt_1"},
        "instructions": "Be brief.",
    }
    assert legacy.session(today) == (today, [])
    conf, warnings = agent(today)
    assert warnings == []
    sent = compile_session(conf).wire()
    vad = today["audio"]["input"]["turn_detection"] | {"create_response": True, "interrupt_response": True}
    assert sent == today | {"audio": today["audio"] | {"input": today["audio"]["input"] | {"turn_detection": vad}}}


json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["none", "audio", "pcm16", "nova", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "enabled", "input", "output", "voice"]), inner, max_size=2)
    ),
    max_leaves=5,
)
old_words = st.sampled_from(
    [
        "model",
        "voice",
        "modalities",
        "audio",
        "config",
        "session",
        "turn_detection",
        "voice_activity_detection",
        "input_audio_format",
        "input_audio_transcription",
        "tools",
        "object",
        "reasoning",
        "type",
        "speed",
        "surprise",
    ]
)


@given(st.dictionaries(old_words, json, max_size=5))
def test_whatever_is_given_becomes_todays_words_or_a_configuration_error_and_today_stays_as_it_is(value):
    for modernise in (legacy.session, legacy.response, legacy.agent):
        try:
            today, _ = modernise(value)
        except ConfInvalid:
            continue
        try:
            assert modernise(today)[0] == today
        except ConfInvalid:
            pytest.fail("today's words were refused")


def test_the_given_value_is_never_changed():
    value, before = copy.deepcopy(R2_REQUEST), copy.deepcopy(R2_REQUEST)
    for modernise in (legacy.session, legacy.response, legacy.agent):
        modernise(value)
    assert value == before


def test_a_null_in_todays_words_is_a_value_that_is_refused_where_there_is_none():
    with pytest.raises(ConfInvalid, match="tool_choice"):
        parse("agent", "a", legacy.agent({"tool_choice": None, "speed": 1.1})[0], KNOWN)
    old_words, _ = legacy.agent({"tool_choice": None, "modalities": ["audio"]})
    assert parse("agent", "a", old_words, KNOWN) == parse("agent", "a", {}, KNOWN)


@pytest.mark.parametrize("kind", [{}, [None], 1])
def test_a_tool_whose_type_is_no_word_is_refused(kind):
    with pytest.raises(ConfInvalid, match="tools"):
        parse("agent", "a", legacy.agent({"tools": [{"type": kind, "name": "x"}]})[0], KNOWN)


def test_no_turn_detection_with_a_word_that_nobody_knows_is_refused():
    for fields, fine in (({"threshold": 0.5}, True), ({"treshold": 0.5}, False)):
        today, _ = legacy.agent({"turn_detection": {"type": "none"} | fields})
        if fine:
            assert parse("agent", "a", today, KNOWN)
        else:
            with pytest.raises(ConfInvalid, match="treshold"):
                parse("agent", "a", today, KNOWN)
