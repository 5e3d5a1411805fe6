"""What OpenAI would refuse of an agent on a given day, and what will end soon."""

from datetime import date

from app.conf.models import AgentConf, Finding, NoTurnDetection, ProviderRules
from app.errors import ConfInvalid
from app.openai import legacy
from app.openai.constants import (
    DEFAULT_MODEL,
    PROMPTS_LAST_DAY,
    UNFIT_VOICES,
    ending,
    file_transcription_model,
    may_reason,
    realtime_model,
    transcription_model,
)
from app.openai.prices import token_prices
from app.openai.session_config import compile_session


def inspect(agent: AgentConf, today: date) -> list[Finding]:
    """What an operator should know about that agent; a finding that is `refused` keeps it from working."""
    return [
        *_model_ends(agent, today),
        *_recogniser_ends(agent, today),
        *_recordings_model_ends(agent, today),
        *_prompts_end(agent, today),
        *_unfit_voice(agent),
        *_no_reasoning(agent),
        *_never_answers(agent),
        *_uncounted(agent),
        *_not_a_session(agent),
    ]


OPENAI_RULES = ProviderRules(modernise=legacy.agent, inspect=inspect)


def _model_ends(agent: AgentConf, today: date) -> list[Finding]:
    known = realtime_model(agent.model)
    return _ends("model", agent.model, known.last_day, f"use {known.replacement}", today)


def _recogniser_ends(agent: AgentConf, today: date) -> list[Finding]:
    if agent.transcription is None:
        return []
    name = agent.transcription.model
    known = transcription_model(name)
    return _ends("transcription.model", name, known.last_day, f"use {known.replacement}", today)


def _recordings_model_ends(agent: AgentConf, today: date) -> list[Finding]:
    policy = agent.recording.transcription
    known = file_transcription_model(policy.model) if policy else None
    if policy is None or known is None:
        return []
    path = "recording.transcription.model"
    return _ends(path, policy.model, known.last_day, f"use {known.replacement}", today)


def _prompts_end(agent: AgentConf, today: date) -> list[Finding]:
    if agent.prompt is None:
        return []
    return _ends("prompt", "OpenAI's stored prompts", PROMPTS_LAST_DAY, "copy the text into instructions", today)


def _ends(path: str, name: str, last_day: date | None, instead: str, today: date) -> list[Finding]:
    text = ending(name, last_day, instead, today)
    over = last_day is not None and today > last_day
    return [Finding(path, text, refused=over, last_day=last_day)] if text else []


def _unfit_voice(agent: AgentConf) -> list[Finding]:
    voice = agent.voice
    if not isinstance(voice, str) or voice not in UNFIT_VOICES:
        return []
    text = f"{voice} gives distorted noise on a realtime session; use {UNFIT_VOICES[voice]}"
    return [Finding("voice", text, refused=True)]


def _no_reasoning(agent: AgentConf) -> list[Finding]:
    if may_reason(agent.model):
        return []
    asked = {"reasoning_effort": agent.reasoning_effort, "parallel_tool_calls": agent.parallel_tool_calls}
    text = f"{agent.model} does not reason and does not take it; {DEFAULT_MODEL} does"
    return [Finding(path, text, refused=True) for path, value in asked.items() if value is not None]


def _never_answers(agent: AgentConf) -> list[Finding]:
    if agent.turn_detection.create_response:
        return []
    off = isinstance(agent.turn_detection, NoTurnDetection)
    path = "turn_detection" if off else "turn_detection.create_response"
    return [Finding(path, "the agent will not answer when the caller has spoken")]


def _uncounted(agent: AgentConf) -> list[Finding]:
    """A limit on costs that nobody knows would never be reached."""
    limited = agent.budget.soft_usd is not None or agent.budget.hard_usd is not None
    if not limited or token_prices(agent.model) is not None:
        return []
    text = f"{agent.model} has no price in this build: its answers count only where prices/default has one"
    return [Finding("budget", text)]


def _not_a_session(agent: AgentConf) -> list[Finding]:
    try:
        compile_session(agent)
    except ConfInvalid as error:
        lines = [line.split(": ", 2) for line in str(error).splitlines()]
        return [Finding(_agents_word(path), text, refused=True) for _, path, text in lines]
    return []


def _agents_word(path: str) -> str:
    """A session's path as the operator of an agent knows it."""
    for session_path, place in legacy.AGENT_PLACES.items():
        if f"{path}.".startswith(f"{session_path}."):
            return place + path.removeprefix(session_path)
    return path
