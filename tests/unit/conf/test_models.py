"""What an operator sets: its forms, its refusals, and what a build knows of its providers."""

from datetime import date

import pytest
from pydantic import ValidationError

from app.conf.kept import keep_absent, unmask
from app.conf.models import (
    AgentConf,
    EndCallTool,
    Finding,
    Known,
    McpTool,
    NoiseReduction,
    NoTurnDetection,
    ProviderRules,
    parse,
)
from app.conf.secrets import KeyRing, redact
from app.errors import ConfInvalid

MCP = {
    "type": "mcp",
    "server_label": "orders",
    "server_url": "https://mcp.example.com",
    "authorization": "oauth-secret-token",
    "headers": {"X-Api-Key": "header-secret-value", "X-Other": "other-secret-value"},
}
TRANSFER = {"type": "transfer_call", "destinations": {"human": {"number": "+15550100777"}}}
SWITCH = {"type": "switch_agent", "agents": {"b": ""}}
HTTP = {"type": "http", "name": "f", "description": "d", "url": "https://a.example.com/"}


def agent(**fields: object) -> AgentConf:
    conf = parse("agent", "a", fields, Known())
    assert isinstance(conf, AgentConf)
    return conf


def refusal(**fields: object) -> str:
    with pytest.raises(ConfInvalid) as refused:
        agent(**fields)
    return str(refused.value)


def test_turn_detection_may_be_written_as_null_and_then_nobody_interrupts_or_answers():
    off = agent(turn_detection=None).turn_detection
    assert off == NoTurnDetection(type="none")
    assert (off.interrupt_response, off.create_response) == (False, False)


def test_noise_reduction_may_be_a_word_an_object_or_off():
    assert agent(noise_reduction="far_field").noise_reduction == NoiseReduction(type="far_field")
    assert agent(noise_reduction={"type": "far_field", "strength": 2}).noise_reduction.strength == 2
    assert agent(noise_reduction=None).noise_reduction is None


def test_what_was_shown_can_be_saved_again():
    for fields in (
        {},
        {"turn_detection": None, "noise_reduction": None, "transcription": None, "voice": {"id": "v"}},
        {"truncation": {"type": "retention_ratio"}, "tracing": {"group_id": "g"}, "prompt": {"id": "p"}},
    ):
        assert redact(agent(**redact(agent(**fields)))) == redact(agent(**fields))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"voise": "x"}, "voise"),
        ({"voice": 7}, "voice"),
        ({"audio_format": "pcm16"}, "audio_format"),
        ({"truncation": {"type": "retention_ratio", "retention_ratio": 2}}, "truncation.retention_ratio"),
        ({"tool_choice": {"type": "function", "name": "nothing"}}, "tool_choice: the agent has no function nothing"),
        ({"tool_choice": {"type": "mcp", "server_label": "s"}}, "tool_choice: the agent has no MCP server s"),
        ({"tools": [MCP | {"tunnel_id": "t"}]}, "tools.0: exactly one of server_url"),
        ({"tools": [HTTP | {"url": "https://localhost/"}]}, "tools.0.url: localhost is this machine"),
        ({"tools": [HTTP | {"body": {"a": ["{{args.b}}"]}}]}, "tools.0.body.a.0: {{args.b}}: the parameters have no b"),
        ({"tools": [{"type": "http", "name": "f", "url": "https://a.example.com/"}]}, "tools.0.description: Field"),
        ({"tools": [{"type": "send_dtmf", "deadline_seconds": 5}]}, "tools.0.deadline_seconds: "),
        ({"tools": [{"type": "collect_digits", "deadline_seconds": 5}]}, "tools.0.deadline_seconds: "),
        ({"tools": [TRANSFER | {"deadline_seconds": 5}]}, "tools.0.deadline_seconds: "),
        ({"tools": [SWITCH | {"deadline_seconds": 5}]}, "tools.0.deadline_seconds: "),
        ({"tools": [MCP, MCP]}, "tools: two tools of one name"),
        ({"provider": "acme"}, "provider: unknown provider"),
    ],
)
def test_a_refusal_names_the_path(fields, path):
    assert refusal(**fields).startswith(f"agent/a: {path}")


def test_only_functions_are_ours_to_run():
    assert agent(tools=[MCP, {"type": "end_call"}]).functions == [EndCallTool(type="end_call")]


def test_r1_46_secrets_of_an_mcp_server_are_sealed_opened_masked_and_never_printed():
    conf = agent(tools=[MCP])
    ring = KeyRing(["k" * 32])
    sealed = ring.seal("agent", "a", conf)

    assert "secret" not in f"{sealed} {conf!r} {conf} {conf.model_dump()} {conf.model_dump_json()} {redact(conf)}"
    assert redact(conf)["tools"][0]["headers"] == {"X-Api-Key": "****alue", "X-Other": "****alue"}
    assert ring.open("agent", "a", sealed, Known()) == conf
    assert unmask(agent(**redact(conf)), conf)["tools"][0]["headers"] == MCP["headers"]
    assert keep_absent({"voice": "cedar"}, conf) == {"voice": "cedar"}
    with pytest.raises(ValidationError) as refused:
        McpTool.model_validate(MCP | {"tunnel_id": "t"})
    assert "secret" not in str(refused.value)


def test_a_provider_without_rules_changes_and_refuses_nothing():
    assert Known().modernise("a", {"provider": "acme", "x": 1}) == ({"provider": "acme", "x": 1}, [])
    assert Known().accept("a", AgentConf(), date(2026, 1, 1)) == []


def test_a_providers_rules_are_asked_with_the_day_and_name_the_agent_they_refuse():
    def inspect(conf: AgentConf, today: date) -> list[Finding]:
        return [Finding("model", f"{conf.model} on {today}", refused=today.year > 2026)]

    def modernise(value):
        raise ConfInvalid("x: disagrees")

    known = Known({"openai": ProviderRules(modernise, inspect)})
    assert known.accept("a", AgentConf(model="m"), date(2026, 1, 1)) == ["model: m on 2026-01-01"]
    with pytest.raises(ConfInvalid, match=r"^agent/a: model: m on 2027-01-01$"):
        known.accept("a", AgentConf(model="m"), date(2027, 1, 1))
    with pytest.raises(ConfInvalid, match=r"^agent/a: x: disagrees$"):
        known.modernise("a", {})


def test_a_consent_line_brings_its_tool_along_unless_nobody_records():
    line = "This call is recorded."
    announced = agent(recording={"consent_line": line})
    assert [tool.name for tool in announced.functions] == ["stop_recording"]
    assert line in announced.offered[0].description
    assert announced.tools == []
    assert agent(recording={"consent_line": line, "source": "none"}).functions == []
    assert agent().functions == []


def test_a_consent_lines_tool_shares_its_name_with_no_other():
    lookup = {"type": "lookup", "name": "stop_recording", "description": "x", "entries": {}}
    assert agent(tools=[lookup]).functions[0].name == "stop_recording"
    assert "stop_recording" in refusal(tools=[lookup], recording={"consent_line": "This call is recorded."})
