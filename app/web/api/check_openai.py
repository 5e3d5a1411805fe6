"""Is a key of OpenAI's valid, and does it see what our agents need?"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from app.conf.models import AgentConf
from app.errors import SessionUnavailable
from app.openai.constants import WARNED_FOR, file_transcription_model, realtime_model, transcription_model
from app.openai.models import ListedModel
from app.web.api.check_models import Check

REFUSED, FORBIDDEN = "http_401", "http_403"
SHOWN = 20


def unreachable(error: SessionUnavailable) -> list[Check]:
    """What follows where no list of models came."""
    if error.code in {REFUSED, "invalid_api_key"}:
        return [Check(name="key", ok=False, detail="OpenAI refuses the key: it is wrong, or was revoked")]
    if error.code == FORBIDDEN:
        advice = "allow it to (permission Models: Read), or see in a call what it may use"
        return [
            Check(name="key", ok=True, detail="OpenAI knows the key"),
            Check(name="models", ok=False, detail=f"the key may not list models: {advice}"),
        ]
    return [Check(name="key", ok=False, detail=f"nobody can tell: {error}")]


def seen(models: Sequence[ListedModel], agents: Mapping[str, AgentConf], today: date) -> list[Check]:
    """Which models there are, and whether those of the agents are among them and last."""
    ids = {model.id for model in models}
    talkers = sorted(name for name in ids if "realtime" in name and "whisper" not in name and "translate" not in name)
    writers = sorted(name for name in ids if "transcribe" in name or "whisper" in name)
    return [
        Check(name="key", ok=True, detail="OpenAI accepts the key"),
        Check(name="models", ok=bool(ids), detail=f"it sees {len(ids)} models"),
        _several("realtime_models", talkers),
        _several("transcription_models", writers),
        *(_agent(name, agent, ids) for name, agent in sorted(agents.items())),
        _shutdown_dates(models, agents.values(), today),
    ]


def _several(name: str, models: Sequence[str]) -> Check:
    more = f" and {len(models) - SHOWN} more" if len(models) > SHOWN else ""
    return Check(name=name, ok=bool(models), detail=", ".join(models[:SHOWN]) + more if models else "it sees none")


def _agent(name: str, agent: AgentConf, ids: set[str]) -> Check:
    missing = sorted(_needed(agent) - ids)
    detail = f"needs {', '.join(missing)}, which this key does not see" if missing else "sees all that it needs"
    return Check(name=f"agent/{name}", ok=not missing, detail=detail)


def _needed(agent: AgentConf) -> set[str]:
    """The models that the agent's calls ask for; not what is taken in need."""
    after = agent.recording.transcription
    return {agent.model, *(each.model for each in (agent.transcription, after) if each)}


def _shutdown_dates(models: Iterable[ListedModel], agents: Iterable[AgentConf], today: date) -> Check:
    needed = {name for agent in agents for name in _needed(agent)}
    told = {model.id: model.last_day for model in models if model.last_day}
    last_days = {name: told.get(name) or _known_last_day(name) for name in needed | told.keys()}
    ending = {name: day for name, day in last_days.items() if day and name in needed}
    soon = any(day - today <= WARNED_FOR for day in ending.values())
    detail = "; ".join(f"{name} ends on {day}" for name, day in sorted(ending.items()))
    return Check(name="shutdown_dates", ok=not soon, detail=detail or "no model of our agents has an announced end")


def _known_last_day(name: str) -> date | None:
    known = realtime_model(name), transcription_model(name), file_transcription_model(name)
    return next((each.last_day for each in known if each and each.last_day), None)
