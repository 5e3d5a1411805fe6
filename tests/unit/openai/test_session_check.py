"""What the server echoes, beside what was asked for; and what to ask for instead."""

import copy
from typing import Any

import pytest

from app.conf.models import AgentConf, EndCallTool, LookupTool, SemanticVad
from app.openai.session_check import UNTOLD, changed, compare, correction, refused, unconfirmed_format
from app.openai.session_config import compile_session
from app.openai.types.session import OpenaiRealtimeSessionConfig

TOOLS = [EndCallTool(type="end_call"), LookupTool(type="lookup", name="price", description="Prices.", entries={})]
ASKED = compile_session(AgentConf(tools=TOOLS))
PCM = {"type": "audio/pcm", "rate": 24000}


def echo(**changes: Any) -> dict[str, Any]:
    """The echo of `ASKED`, with the fields at these paths (`audio__input__format`) as the server has them."""
    session = copy.deepcopy(ASKED.wire())
    for path, value in changes.items():
        *parents, name = path.split("__")
        node = session
        for parent in parents:
            node = node[parent]
        node[name] = value
    return session


def names(paths: list[Any]) -> list[str]:
    return [".".join(map(str, path)) for path in paths]


def left_out(param: str) -> dict[str, Any]:
    found = correction(ASKED, refused(ASKED, param))
    assert found is not None
    return found.config.wire()


def test_what_was_granted_as_asked_has_no_differences():
    assert changed(ASKED, echo()) == []
    assert correction(ASKED, []) is None
    assert {field.state for field in compare(ASKED.wire(), echo())} == {"granted"}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "sess_1", "expires_at": 1, "prompt": None, "object": "realtime.session", "tracing": None},
        {"audio__output__speed": 1},
        {"audio__input__turn_detection__threshold": 0.5000000238418579},
        {"audio__input__turn_detection__idle_timeout_ms": None},
        {"audio__input__noise_reduction": {"type": "near_field", "strength": 1}},
        {"model": "gpt-realtime-2.1-2026-09-01"},
        {"truncation": {"type": "retention_ratio", "retention_ratio": 0.800000011920929}},
        {"audio__output__voice": {"id": "marin"}},
        {"instructions": f" {ASKED.instructions}\n"},
    ],
)
def test_what_the_server_fills_in_or_spells_in_its_own_way_is_no_difference(changes):
    assert changed(ASKED, echo(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"instructions": "You are a helpful, witty, and friendly AI."}, "instructions"),
        ({"audio__output__voice": "alloy"}, "audio.output.voice"),
        ({"audio__output__speed": 1.1}, "audio.output.speed"),
        ({"audio__input__noise_reduction": None}, "audio.input.noise_reduction"),
        ({"audio__input__turn_detection__create_response": 1}, "audio.input.turn_detection.create_response"),
        ({"audio__input__turn_detection__silence_duration_ms": 200}, "audio.input.turn_detection.silence_duration_ms"),
        ({"audio__output__format": PCM}, "audio.output.format.type"),
        ({"audio__input__format": PCM}, "audio.input.format.type"),
        ({"tools": []}, "tools"),
        ({"truncation": "auto"}, "truncation"),
        ({"model": "gpt-realtime-2.1-mini"}, "model"),
        ({"max_output_tokens": 4096}, "max_output_tokens"),
    ],
)
def test_a_changed_field_is_named(changes, name):
    assert names(changed(ASKED, echo(**changes))) == [name]


def test_a_field_that_is_not_echoed_proves_nothing_but_an_audio_format_must_be_confirmed():
    silent = {"type": "realtime", "model": ASKED.model}
    assert names(changed(ASKED, silent)) == ["audio.input.format.type", "audio.output.format.type"]
    assert {field.state for field in compare({"speed": 1.0}, {})} == {"untold"}
    assert [field.got for field in compare({"speed": 1.0}, {})] == [UNTOLD]


@pytest.mark.parametrize("audio", [None, {}, {"output": None}, {"input": {"format": None}}, "none"])
def test_a_format_is_unconfirmed_however_little_of_the_audio_is_echoed(audio):
    assert unconfirmed_format(ASKED, echo(audio=audio)) is not None
    assert unconfirmed_format(ASKED, echo()) is None


def test_secrets_of_a_tool_are_neither_compared_nor_shown():
    tool = {"type": "mcp", "server_label": "crm", "authorization": "secret-1", "headers": {"x": "secret-2"}}
    fields = compare({"tools": [tool]}, {"tools": [{"type": "mcp", "server_label": "crm"}]})
    assert [field.name for field in fields] == ["tools[0].type", "tools[0].server_label"]


def test_a_tool_s_secrets_survive_that_something_else_is_left_out():
    tool = {"type": "mcp", "server_label": "crm", "server_url": "https://crm.example.com", "authorization": "secret-1"}
    config = OpenaiRealtimeSessionConfig.model_validate({"tools": [tool], "max_output_tokens": 10})
    found = correction(config, refused(config, "session.max_output_tokens"))
    assert found is not None
    assert found.config.wire(reveal=True)["tools"] == [tool]
    assert "secret-1" not in repr(found)


@pytest.mark.parametrize(
    ("param", "path"),
    [
        ("session.audio.input.noise_reduction.type", "audio.input.noise_reduction.type"),
        ("session.audio.output.format.rate", "audio.output.format"),
        ("session.tools[1].parameters", "tools.1.parameters"),
        ("session.tools.1.name", "tools.1.name"),
        ("audio.output.speed", "audio.output.speed"),
        ("session.model", "model"),
    ],
)
def test_a_refusal_names_the_field_as_far_down_as_it_was_sent(param, path):
    assert names(refused(ASKED, param)) == [path]


@pytest.mark.parametrize("param", [None, "", "session", "session.unheard_of", "model", "session.tools[7]"])
def test_a_refusal_that_names_nothing_we_can_leave_out_changes_nothing(param):
    assert correction(ASKED, refused(ASKED, param)) is None or param == "session.tools[7]"


@pytest.mark.parametrize("essential", ["model", "type", "instructions", "output_modalities"])
def test_fields_without_which_it_is_another_call_are_never_left_out(essential):
    assert correction(ASKED, refused(ASKED, f"session.{essential}")) is None


def test_only_the_refused_field_is_left_out():
    want = ASKED.wire()
    del want["audio"]["output"]["speed"]
    assert left_out("session.audio.output.speed") == want


def test_where_the_rest_would_be_no_session_the_least_part_around_it_goes():
    want = ASKED.wire()
    del want["audio"]["input"]["noise_reduction"]
    assert left_out("session.audio.input.noise_reduction.type") == want

    want = ASKED.wire()
    del want["tools"][0]
    assert left_out("session.tools[0].name") == want

    want = ASKED.wire()
    del want["tools"][1]["parameters"]
    assert left_out("session.tools[1].parameters.properties.key") != ASKED.wire()
    assert left_out("session.tools[1].parameters") == want


@pytest.mark.parametrize("param", ["session.truncation", "session.truncation.type"])
def test_a_model_that_knows_no_retention_ratio_forgets_in_its_own_way(param):
    assert "truncation" not in left_out(param)


def test_a_model_that_knows_no_limits_of_its_own_context_keeps_the_ratio():
    kept = left_out("session.truncation.token_limits.post_instructions")["truncation"]
    assert (kept["type"], kept["retention_ratio"], "token_limits" in kept) == ("retention_ratio", 0.8, False)


def test_several_fields_are_left_out_at_once_and_each_is_named_once():
    paths = changed(
        ASKED,
        echo(
            audio__input__noise_reduction={"type": "far_field"},
            audio__input__turn_detection={"type": "semantic_vad", "threshold": 1},
            tools=[{"type": "function", "name": "x"}, {"type": "function", "name": "y"}],
        ),
    )
    found = correction(ASKED, paths)
    assert found is not None
    assert found.fields[:2] == ("audio.input.noise_reduction", "audio.input.turn_detection")
    assert found.config.tools == []
    assert found.config.audio is not None
    assert found.config.audio.input is not None
    assert found.config.audio.input.turn_detection is None
    assert len(found.fields) == len(set(found.fields))


def test_a_filter_that_was_to_be_off_can_be_left_out_too():
    config = OpenaiRealtimeSessionConfig.model_validate({"audio": {"input": {"turn_detection": None}}})
    found = correction(config, refused(config, "session.audio.input.turn_detection"))
    assert found is not None
    assert found.config.wire()["audio"] == {"input": {}}


@pytest.mark.parametrize("side", ["input", "output"])
def test_r0_24_where_ulaw_is_not_granted_on_one_side_both_sides_speak_pcm(side):
    found = correction(ASKED, changed(ASKED, echo(**{f"audio__{side}__format": PCM})))
    assert found is not None
    assert found.transcoded
    assert found.fields == (f"audio.{side}.format",)
    audio = found.config.wire()["audio"]
    assert (audio["input"]["format"], audio["output"]["format"]) == (PCM, PCM)
    assert correction(found.config, changed(found.config, echo())) is None


def test_pcm_that_is_not_granted_has_no_substitute():
    pcm = correction(ASKED, refused(ASKED, "session.audio.input.format.type"))
    assert pcm is not None
    assert correction(pcm.config, changed(pcm.config, echo())) is None


def test_semantic_vad_is_compared_like_any_field():
    asked = compile_session(AgentConf(turn_detection=SemanticVad(type="semantic_vad", eagerness="low")))
    granted = copy.deepcopy(asked.wire())
    granted["audio"]["input"]["turn_detection"]["eagerness"] = "auto"
    assert names(changed(asked, granted)) == ["audio.input.turn_detection.eagerness"]
