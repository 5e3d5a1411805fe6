"""The session's types: every field and every arm of every union goes out as it came in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeSessionCreateRequest
from pydantic import TypeAdapter, ValidationError

from app.openai.types.session import OpenaiRealtimeSessionConfig

official = TypeAdapter(RealtimeSessionCreateRequest)
LOGPROBS = "item.input_audio_transcription.logprobs"

words = st.text("abc xyz", min_size=1, max_size=8)
share = st.floats(0, 1)
ms = st.integers(0, 5000)
flag = st.booleans()
some_json = st.dictionaries(words, st.one_of(words, st.integers(), flag), max_size=2)


def an_object(*, needs: dict[str, Any] | None = None, **may_have: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(needs or {}, optional=may_have)


formats = st.sampled_from([{"type": "audio/pcm", "rate": 24000}, {"type": "audio/pcmu"}, {"type": "audio/pcma"}])
effort = st.sampled_from(["minimal", "low", "medium", "high", "xhigh"])
noise_reduction = an_object(needs={"type": st.sampled_from(["near_field", "far_field"])}, strength=st.floats(0, 4))
transcription = st.one_of(
    an_object(model=st.sampled_from(["whisper-1", "gpt-4o-transcribe", "mine"]), language=words, prompt=words),
    an_object(
        needs={"model": st.sampled_from(["gpt-transcribe", "gpt-live-transcribe", "mine"])},
        languages=st.lists(words, max_size=2),
        keywords=st.lists(words, max_size=2),
        prompt=words,
    ),
    an_object(needs={"model": st.just("gpt-live-transcribe")}, delay=effort),
)
server_vad = an_object(
    needs={"type": st.just("server_vad")},
    threshold=share,
    prefix_padding_ms=ms,
    silence_duration_ms=ms,
    create_response=flag,
    interrupt_response=flag,
    idle_timeout_ms=st.none() | st.integers(5000, 30000),
)
semantic_vad = an_object(
    needs={"type": st.just("semantic_vad")},
    eagerness=st.sampled_from(["low", "medium", "high", "auto"]),
    create_response=flag,
    interrupt_response=flag,
)
hearing = an_object(
    format=formats,
    noise_reduction=st.none() | noise_reduction,
    transcription=st.none() | transcription,
    turn_detection=st.none() | server_vad | semantic_vad,
)
speaking = an_object(format=formats, voice=words | an_object(needs={"id": words}), speed=st.floats(0.25, 1.5))
some_tools = an_object(tool_names=st.lists(words, max_size=2), read_only=flag)
mcp = st.tuples(
    st.sampled_from(
        [{"server_url": "https://mcp.example.com"}, {"connector_id": "connector_gmail"}, {"tunnel_id": "tunnel_1"}]
    ),
    an_object(
        needs={"type": st.just("mcp"), "server_label": words},
        authorization=words,
        headers=st.dictionaries(words, words, max_size=2),
        allowed_tools=st.lists(words, max_size=2) | some_tools,
        require_approval=st.sampled_from(["always", "never"]) | an_object(always=some_tools, never=some_tools),
        server_description=words,
        defer_loading=flag,
        allowed_callers=st.lists(st.sampled_from(["direct", "programmatic"]), max_size=2),
    ),
).map(lambda parts: parts[0] | parts[1])
function = an_object(needs={"type": st.just("function"), "name": words}, description=words, parameters=some_json)
sessions = an_object(
    needs={"type": st.just("realtime")},
    model=st.sampled_from(["gpt-realtime-2.1", "my-deployment"]),
    output_modalities=st.sampled_from([["audio"], ["text"]]),
    audio=an_object(input=hearing, output=speaking),
    instructions=st.text(max_size=8),
    prompt=st.none()
    | an_object(needs={"id": words}, version=words, variables=st.dictionaries(words, words, max_size=2)),
    tools=st.lists(function | mcp, max_size=3),
    tool_choice=st.one_of(
        st.sampled_from(["auto", "none", "required"]),
        an_object(needs={"type": st.just("function"), "name": words}),
        an_object(needs={"type": st.just("mcp"), "server_label": words}, name=words),
    ),
    parallel_tool_calls=flag,
    max_output_tokens=st.just("inf") | st.integers(1, 32000),
    reasoning=an_object(needs={"effort": effort}),
    truncation=st.one_of(
        st.sampled_from(["auto", "disabled"]),
        an_object(
            needs={"type": st.just("retention_ratio"), "retention_ratio": share},
            token_limits=an_object(post_instructions=st.integers(0, 9000)),
        ),
    ),
    tracing=st.one_of(st.none(), st.just("auto"), an_object(workflow_name=words, group_id=words, metadata=some_json)),
    include=st.lists(st.just(LOGPROBS), max_size=1),
)


@given(sessions)
def test_r1_1_r1_37_r1_38_r1_39_r1_49_r1_50_every_session_goes_out_as_it_came_in_and_absent_stays_absent(session):
    sent = OpenaiRealtimeSessionConfig.model_validate(session).wire(reveal=True)
    assert sent == {"output_modalities": ["audio"]} | session
    official.validate_python(sent)
    assert OpenaiRealtimeSessionConfig.model_validate(sent).wire(reveal=True) == sent


def sent(**session: Any) -> dict[str, Any]:
    return OpenaiRealtimeSessionConfig.model_validate(session).wire(reveal=True)


def sent_hearing(**hearing: Any) -> dict[str, Any]:
    return sent(audio={"input": hearing})["audio"]["input"]


def refusal(**session: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        OpenaiRealtimeSessionConfig.model_validate(session)
    return "\n".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in refused.value.errors())


def refused_hearing(**hearing: Any) -> str:
    return refusal(audio={"input": hearing})


def test_r0_20_r0_21_r0_22_r0_23_r0_28_a_session_says_its_type_model_modality_audio_and_instructions():
    session = sent(model="gpt-realtime-2.1", audio={"input": {}, "output": {}}, instructions="Be brief.")
    assert session == {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "output_modalities": ["audio"],
        "audio": {"input": {}, "output": {}},
        "instructions": "Be brief.",
    }


def test_r1_1_one_tool_alone_is_taken_and_always_sent_as_a_list():
    tool = {"type": "function", "name": "query_knowledge"}
    assert sent(tools=tool)["tools"] == [tool]
    assert sent(tools=[])["tools"] == []


def test_r1_44_the_session_type_is_realtime_and_nothing_else():
    assert sent()["type"] == "realtime"
    assert "type" in refusal(type="transcription")


def test_r1_14_r1_15_modalities_are_audio_when_absent_an_explicit_null_stays_unsent_and_both_together_are_refused():
    assert sent()["output_modalities"] == ["audio"]
    assert "output_modalities" not in sent(output_modalities=None)
    assert OpenaiRealtimeSessionConfig(output_modalities=None).output_modalities is None
    assert sent(output_modalities=["text"])["output_modalities"] == ["text"]
    assert refusal(output_modalities=["text", "audio"]).startswith("output_modalities: ")


def test_r1_5_pcm_always_carries_its_rate_and_g711_refuses_one():
    assert sent_hearing(format={"type": "audio/pcm"})["format"] == {"type": "audio/pcm", "rate": 24000}
    assert sent_hearing(format={"type": "audio/pcma"})["format"] == {"type": "audio/pcma"}
    assert refused_hearing(format={"type": "audio/pcmu", "rate": 8000}).startswith("audio.input.format.audio/pcmu.rate")
    assert refused_hearing(format={"type": "audio/pcm", "rate": 16000}).startswith("audio.input.format.audio/pcm.rate")


@pytest.mark.parametrize(
    ("transcription", "why"),
    [
        ({"model": "gpt-transcribe", "language": "en", "languages": ["en"]}, "languages: language and languages"),
        ({"model": "whisper-1", "languages": ["en"]}, "languages: whisper-1 does not take it"),
        ({"model": "gpt-4o-mini-transcribe-2025-12-15", "keywords": ["x"]}, "keywords: gpt-4o-mini"),
        ({"model": "gpt-4o-transcribe-diarize", "prompt": "x"}, "prompt: "),
        ({"model": "gpt-transcribe", "delay": "low"}, "delay: "),
        ({"model": "gpt-transcribe", "keywords": ["a", "line\nbreak"]}, "keywords.1: a keyword with"),
        ({"model": "gpt-transcribe", "keywords": ["<b>"]}, "keywords.0: a keyword with"),
    ],
)
def test_r1_6_transcription_fields_that_its_model_refuses_are_refused_by_path(transcription, why):
    whole = refused_hearing(transcription=transcription).replace("Value error, ", "")
    assert whole.startswith(f"audio.input.transcription.{why}")


def test_r1_6_whisper_live_needs_turn_detection_off():
    whisper = {"model": "gpt-realtime-whisper", "delay": "low"}
    assert sent_hearing(transcription=whisper, turn_detection=None)["turn_detection"] is None
    for wrong in ({}, {"turn_detection": {"type": "server_vad"}}):
        assert "needs turn_detection to be null" in refused_hearing(transcription=whisper, **wrong)


@pytest.mark.parametrize("kind", ["near_field", "far_field"])
def test_r1_7_r1_8_noise_reduction_has_two_types_a_strength_and_null(kind):
    for reduction in ({"type": kind}, {"type": kind, "strength": 0.5}, None):
        assert sent_hearing(noise_reduction=reduction)["noise_reduction"] == reduction
    assert "strength" in refused_hearing(noise_reduction={"type": kind, "strength": -1})
    assert "type" in refused_hearing(noise_reduction={"type": "middle_field"})


@pytest.mark.parametrize("eagerness", ["low", "medium", "high", "auto"])
def test_r1_9_r1_11_semantic_vad_has_four_eagernesses_and_no_idle_timeout(eagerness):
    vad = {"type": "semantic_vad", "eagerness": eagerness, "create_response": False, "interrupt_response": True}
    assert sent_hearing(turn_detection=vad)["turn_detection"] == vad
    assert "idle_timeout_ms" in refused_hearing(turn_detection=vad | {"idle_timeout_ms": 5000})


def test_r1_10_server_vad_has_six_fields_and_an_idle_timeout_of_5_to_30_seconds():
    vad = {
        "type": "server_vad",
        "threshold": 0.6,
        "prefix_padding_ms": 100,
        "silence_duration_ms": 700,
        "create_response": True,
        "interrupt_response": False,
        "idle_timeout_ms": 5000,
    }
    assert sent_hearing(turn_detection=vad)["turn_detection"] == vad
    assert sent_hearing(turn_detection=vad | {"idle_timeout_ms": None})["turn_detection"]["idle_timeout_ms"] is None
    for wrong in ({"idle_timeout_ms": 4999}, {"idle_timeout_ms": 30001}, {"threshold": 1.1}, {"eagerness": "low"}):
        assert next(iter(wrong)) in refused_hearing(turn_detection=vad | wrong)


def test_r1_13_r0_25_a_voice_is_a_name_or_a_custom_id_and_speed_has_its_range():
    for voice in ("marin", "a-voice-of-tomorrow", {"id": "voice_1234"}):
        output = {"voice": voice, "speed": 1.5}
        assert sent(audio={"output": output})["audio"]["output"] == output
    assert "voice" in refusal(audio={"output": {"voice": ["marin"]}})
    for speed in (0.2, 1.6):
        assert refusal(audio={"output": {"speed": speed}}).startswith("audio.output.speed: ")


@pytest.mark.parametrize(
    "tracing", [None, "auto", {"workflow_name": "calls", "group_id": "g", "metadata": {"nested": {"any": [1]}}}]
)
def test_r1_16_r1_17_r1_18_tracing_is_null_auto_or_a_configuration(tracing):
    assert sent(tracing=tracing)["tracing"] == tracing
    assert refusal(tracing="sometimes").startswith("tracing.")


@pytest.mark.parametrize(
    "service",
    [
        *("dropbox", "gmail", "googlecalendar", "googledrive"),
        *("microsoftteams", "outlookcalendar", "outlookemail", "sharepoint"),
    ],
)
def test_r1_19_every_connector_is_a_way_to_an_mcp_server(service):
    tool = {"type": "mcp", "server_label": "s", "connector_id": f"connector_{service}"}
    assert sent(tools=[tool])["tools"] == [tool]
    assert "connector_id" in refusal(tools=[tool | {"connector_id": "connector_fax"}])


def test_r1_20_r0_29_r0_30_r0_32_r0_33_a_function_has_a_name_a_description_and_any_json_schema():
    schema = {"type": "object", "properties": {"n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}
    tool = {"type": "function", "name": "f", "description": "d", "parameters": schema}
    assert sent(tools=[tool, {"type": "function", "name": "g"}])["tools"] == [tool, {"type": "function", "name": "g"}]
    assert refusal(tools=[{"type": "function"}]).startswith("tools.0.function.name: ")
    assert "strict" in refusal(tools=[tool | {"strict": True}])


MCP = {
    "type": "mcp",
    "server_label": "orders",
    "server_url": "https://mcp.example.com",
    "authorization": "oauth-secret-token",
    "headers": {"X-Api-Key": "header-secret-value"},
    "server_description": "Orders.",
    "defer_loading": True,
    "allowed_callers": ["direct", "programmatic"],
}


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"allowed_tools": ["a", "b"]},
        {"allowed_tools": {"read_only": True, "tool_names": ["a"]}},
        {"require_approval": "always"},
        {"require_approval": "never"},
        {"require_approval": {"always": {"tool_names": ["a"]}, "never": {"read_only": True}}},
    ],
)
def test_r1_21_r1_22_r1_23_r1_24_r1_25_r1_26_an_mcp_server_with_every_form_of_its_unions(extra):
    assert sent(tools=[MCP | extra])["tools"] == [MCP | extra]


@pytest.mark.parametrize("extra", [{"server_url": None}, {"tunnel_id": "t"}, {"connector_id": "connector_gmail"}])
def test_r1_21_an_mcp_server_has_exactly_one_address(extra):
    assert "exactly one of server_url, connector_id and tunnel_id" in refusal(tools=[MCP | extra])


def test_r1_21_r1_46_secrets_of_an_mcp_server_are_never_printed_and_sent_only_on_request():
    config = OpenaiRealtimeSessionConfig.model_validate({"tools": [MCP]})
    shown = [repr(config), str(config), str(config.model_dump()), config.model_dump_json(), str(config.wire())]
    shown.append(str(config.model_dump(mode="json")))
    with pytest.raises(ValidationError) as refused:
        OpenaiRealtimeSessionConfig.model_validate({"tools": [MCP | {"headers": {"a": 1, "b": "header-secret-value"}}]})
    with pytest.raises(ValidationError) as whole:
        OpenaiRealtimeSessionConfig.model_validate({"tools": [MCP | {"tunnel_id": "t"}]})
    shown += [str(refused.value), repr(refused.value), str(whole.value)]
    assert not [text for text in shown if "secret" in text]
    assert config.wire(reveal=True)["tools"] == [MCP]


@pytest.mark.parametrize(
    "choice",
    [
        "auto",
        "none",
        "required",
        {"type": "function", "name": "f"},
        {"type": "mcp", "server_label": "orders"},
        {"type": "mcp", "server_label": "orders", "name": "find"},
    ],
)
def test_r1_27_r1_28_r1_48_tool_choice_is_a_word_a_function_or_an_mcp_tool(choice):
    assert sent(tool_choice=choice)["tool_choice"] == choice
    assert refusal(tool_choice="sometimes").startswith("tool_choice.text: ")


def test_r1_29_r1_30_output_tokens_are_a_number_or_inf_and_4096_bounds_only_the_older_models():
    for tokens in (1, 4096, "inf"):
        assert sent(model="gpt-realtime-1.5", max_output_tokens=tokens)["max_output_tokens"] == tokens
    assert sent(model="gpt-realtime-2.1", max_output_tokens=30_000)["max_output_tokens"] == 30_000
    assert "gpt-realtime-1.5 gives at most 4096" in refusal(model="gpt-realtime-1.5", max_output_tokens=4097)
    for wrong in (0, True, "unlimited", 1.5, [1]):
        assert refusal(max_output_tokens=wrong).startswith("max_output_tokens")


def test_r1_31_r1_32_r1_33_r1_34_r1_35_truncation_is_a_mode_or_a_ratio_with_limits():
    ratio = {"type": "retention_ratio", "retention_ratio": 0.8}
    for truncation in ("auto", "disabled", ratio, ratio | {"token_limits": {"post_instructions": 5000}}):
        assert sent(truncation=truncation)["truncation"] == truncation
    assert "retention_ratio" in refusal(truncation=ratio | {"retention_ratio": 1.1})
    assert refusal(truncation="never").startswith("truncation.text: ")


def test_r1_43_logprobs_can_be_included_and_nothing_else():
    assert sent(include=[LOGPROBS])["include"] == [LOGPROBS]
    assert refusal(include=["everything"]).startswith("include.0: ")


def test_r1_47_a_stored_prompt_has_id_version_and_variables_or_is_null():
    prompt = {"id": "pmpt_1", "version": "2", "variables": {"city": "Berlin", "photo": {"type": "input_image"}}}
    for value in (prompt, {"id": "pmpt_1"}, None):
        assert sent(prompt=value)["prompt"] == value
    assert refusal(prompt={"version": "2"}).startswith("prompt.id: ")


def test_reasoning_and_parallel_calls_are_refused_by_path_for_a_model_that_does_not_reason():
    for field, value in {"reasoning": {"effort": "low"}, "parallel_tool_calls": False}.items():
        assert sent(model="gpt-realtime-2.1-mini", **{field: value})[field] == value
        assert refusal(model="gpt-realtime-1.5", **{field: value}).startswith(f"{field}: ")


def test_what_the_api_does_not_know_is_refused():
    assert refusal(temperature=0.8).startswith("temperature: ")
    assert refusal(voice="marin").startswith("voice: ")
