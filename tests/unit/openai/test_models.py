"""The table of models and voices, and what it means for an agent on a given day."""

from datetime import date
from typing import Any

import pytest

from app.conf.models import AgentConf, Finding, Known, Risk, parse
from app.errors import ConfInvalid, ConfMissing, SessionUnavailable
from app.openai.constants import DEFAULT_MODEL, REALTIME_MODELS, TRANSCRIPTION_MODELS, realtime_model
from app.openai.realtime import OpenAIProvider
from app.openai.rules import OPENAI_RULES

KNOWN = Known({"openai": OPENAI_RULES})
TODAY = date(2026, 11, 21)


def agent(**fields: Any) -> AgentConf:
    conf = parse("agent", "a", fields, KNOWN)
    assert isinstance(conf, AgentConf)
    return conf


def saved(today: date = TODAY, **fields: Any) -> list[str]:
    return KNOWN.accept("a", agent(**fields), today)


def refusal(today: date = TODAY, **fields: Any) -> str:
    with pytest.raises(ConfInvalid) as refused:
        saved(today, **fields)
    return str(refused.value)


def test_a_plain_agent_is_saved_without_a_word():
    assert saved() == []
    assert saved(date(2099, 1, 1)) == []


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-2025-08-28", "gpt-realtime-mini-2025-12-15"])
def test_a_model_is_warned_of_for_90_days_and_refused_after_its_last_day_with_a_replacement(model):
    assert saved(date(2026, 10, 21), model=model) == []
    [warning] = saved(date(2026, 10, 22), model=model)
    assert warning.startswith(f"model: {model}: last day is 2027-01-20; use gpt-realtime-2.1")
    assert saved(date(2027, 1, 20), model=model) != []
    told = refusal(date(2027, 1, 21), model=model)
    assert told.startswith(f"agent/a: model: {model}: last day was 2027-01-20; use gpt-realtime-2.1")


def test_models_of_the_beta_are_refused_today():
    assert "use gpt-realtime-2.1-mini" in refusal(model="gpt-4o-mini-realtime-preview-2024-12-17")


@pytest.mark.parametrize("model", ["my-deployment", "gpt-realtime-3", "gpt-realtime-2.1-2027-01-01"])
def test_an_unknown_model_passes_and_may_reason(model):
    assert saved(model=model, reasoning_effort="low", parallel_tool_calls=True, max_output_tokens=30_000) == []


def test_recognisers_have_last_days_of_their_own():
    for name in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-transcribe-diarize"):
        assert saved(transcription={"model": name}) == []
        [warning] = saved(date(2026, 12, 1), transcription={"model": name})
        assert warning == f"transcription.model: {name}: last day is 2027-02-26; use gpt-transcribe before that"
        assert "use gpt-transcribe" in refusal(date(2027, 2, 27), transcription={"model": name})


def test_the_model_for_recordings_has_its_last_day_too():
    for name in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-transcribe-diarize"):
        recording = {"transcription": {"model": name}}
        assert saved(recording=recording) == []
        [warning] = saved(date(2026, 12, 1), recording=recording)
        assert (
            warning == f"recording.transcription.model: {name}: last day is 2027-02-26; use gpt-transcribe before that"
        )
        assert "use gpt-transcribe" in refusal(date(2027, 2, 27), recording=recording)
    assert saved(date(2099, 1, 1), recording={"transcription": None}) == []
    assert saved(date(2099, 1, 1), recording={"transcription": {"model": "my-deployment"}}) == []


def test_every_replacement_is_a_model_without_a_last_day():
    assert all(realtime_model(known.replacement).last_day is None for known in REALTIME_MODELS.values())
    assert all(TRANSCRIPTION_MODELS[known.replacement].last_day is None for known in TRANSCRIPTION_MODELS.values())
    assert realtime_model(DEFAULT_MODEL).last_day is None


@pytest.mark.parametrize(("voice", "instead"), [("fable", "cedar"), ("onyx", "cedar"), ("nova", "marin")])
def test_a_voice_that_is_noise_is_refused_with_a_replacement_and_any_other_passes(voice, instead):
    assert refusal(voice=voice).endswith(f"use {instead}")
    assert saved(voice="a-voice-of-tomorrow") == []
    assert saved(voice={"id": "voice_1"}) == []


def test_reasoning_and_parallel_calls_are_refused_for_a_model_that_does_not_reason():
    for field, value in {"reasoning_effort": "low", "parallel_tool_calls": False}.items():
        assert refusal(model="gpt-realtime-1.5", **{field: value}).startswith(f"agent/a: {field}: gpt-realtime-1.5")


def test_r1_47_a_stored_prompt_is_accepted_with_a_warning_until_prompts_end():
    [warning] = saved(prompt={"id": "pmpt_1"})
    assert "last day is 2026-11-30; copy the text into instructions" in warning
    assert "last day was" in refusal(date(2026, 12, 1), prompt={"id": "pmpt_1"})


@pytest.mark.parametrize("budget", [{"soft_usd": 1}, {"hard_usd": 1}])
def test_a_budget_for_a_model_whose_price_nobody_knows_is_a_warning(budget):
    [finding] = OPENAI_RULES.inspect(AgentConf(model="my-deployment", budget=budget), TODAY)
    assert (finding.path, finding.refused) == ("budget", False)
    assert "prices/default" in finding.text
    assert OPENAI_RULES.inspect(AgentConf(budget=budget), TODAY) == []
    assert OPENAI_RULES.inspect(AgentConf(model="my-deployment"), TODAY) == []


def test_an_agent_that_will_not_answer_is_a_warning():
    for detection in (None, {"type": "semantic_vad", "create_response": False}):
        [warning] = saved(turn_detection=detection)
        assert "will not answer" in warning


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"transcription": {"model": "whisper-1", "keywords": ["x"]}}, "transcription.keywords"),
        ({"transcription": {"keywords": ["a<b"]}}, "transcription.keywords.0"),
        ({"transcription": {"language": "en", "languages": ["en"]}}, "transcription.languages"),
        ({"model": "gpt-realtime-1.5", "max_output_tokens": 5000}, "max_output_tokens"),
        ({"tools": [{"type": "mcp", "server_label": "s", "connector_id": "fax"}]}, "tools.0.mcp.connector_id"),
        ({"transcription": {"model": "gpt-realtime-whisper"}}, "audio.input"),
    ],
)
def test_what_the_api_would_refuse_is_refused_when_it_is_saved_by_the_agents_own_path(fields, path):
    assert refusal(**fields).startswith(f"agent/a: {path}: ")


def test_risks_name_each_agent_that_may_not_answer_now_or_soon():
    agents = {"good": agent(), "soon": agent(model="gpt-realtime"), "now": agent(voice="nova")}
    risks = KNOWN.risks(agents, TODAY)
    assert [(risk.agent, risk.finding.path, risk.finding.refused) for risk in risks] == [
        ("soon", "model", False),
        ("now", "voice", True),
    ]
    last_day = REALTIME_MODELS["gpt-realtime"].last_day
    assert risks[0] == Risk("soon", Finding("model", risks[0].finding.text, last_day=last_day))


async def test_r3_1_without_a_key_no_session_is_opened_and_the_reason_is_told():
    def missing(name: str) -> Any:
        raise ConfMissing(f"openai/{name} is not set")

    with pytest.raises(SessionUnavailable, match="openai/default is not set") as refused:
        await OpenAIProvider(missing).open(AgentConf())
    assert (refused.value.code, refused.value.retryable) == ("not_configured", False)
