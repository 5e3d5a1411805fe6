"""A call in figures, told from its events: its tools, how long its answers took, what the model used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from app.call.events import CallEvent, Kind, NumberedEvent
from app.call.journal.transcript import Transcript, Turn

_KINDS = frozenset(Kind)
LATENCIES = ("first_delta_ms", "first_frame_ms", "first_mark_ms")


@dataclass(slots=True)
class ToolRun:
    """One run of a tool, ours or an MCP server's."""

    name: str
    at_ms: int
    arguments: str
    state: Literal["running", "answered", "failed", "unanswered"] = "running"
    """Unanswered where the call ended first."""
    output: str | None = None
    took_ms: int | None = None
    server: str | None = None
    """The MCP server that ran it, where one did."""


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """What the caller left for the team."""

    at_ms: int
    message: str
    name: str | None = None
    callback_number: str | None = None
    """Where it is another number than the caller's."""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class TalkingAgent:
    """An agent that talked with the caller, from that moment on."""

    at_ms: int
    agent: str
    agent_version: int


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over all answers of a call."""

    p50: int
    max: int


@dataclass(frozen=True, slots=True)
class Digest:
    """What people want to know of a call."""

    turns: Sequence[Turn]
    tools: Sequence[ToolRun]
    answers: int
    """How many answers were measured."""
    latency: Mapping[str, Spread]
    """From the end of the caller's speech, by the name of the figure (see `Turn.latency`)."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """What the model used, all answers together, in its own words."""
    interruptions: int = 0
    messages: Sequence[TakenMessage] = ()
    agents: Sequence[TalkingAgent] = ()
    """Those that took the call over, one after the other; the one that answered it is in its record."""


def digest(events: Sequence[NumberedEvent]) -> Digest:
    """The call that these events tell of, as far as it got. Kinds of another release are left out."""
    told = [CallEvent(Kind(event.kind), event.at_ms, event.data) for event in events if event.kind in _KINDS]
    latencies = [event.data["latency"] for event in told if event.kind is Kind.ANSWER_LATENCY]
    usage: dict[str, Any] = {}
    for event in told:
        if event.kind is Kind.RESPONSE_DONE:
            _add(usage, event.data.get("usage") or {})
    return Digest(
        turns=Transcript(told).turns,
        tools=_tools(told),
        answers=len(latencies),
        latency={name: _spread([each[name] for each in latencies]) for name in LATENCIES if latencies},
        usage=usage,
        interruptions=sum(event.kind is Kind.AGENT_INTERRUPTED for event in told),
        messages=[_message(event) for event in told if event.kind is Kind.MESSAGE_TAKEN],
        agents=[_agent(event) for event in told if event.kind is Kind.AGENT_SWITCHED],
    )


def _tools(events: Iterable[CallEvent]) -> list[ToolRun]:
    """Calls and their answers, paired; in the order in which the model asked."""
    runs: list[ToolRun] = []
    running: dict[str, ToolRun] = {}
    for event in events:
        data = event.data
        match event.kind:
            case Kind.TOOL_CALLED:
                runs.append(ToolRun(data["name"], event.at_ms, data["arguments"]))
                running[data["call_id"]] = runs[-1]
            case Kind.TOOL_ANSWERED | Kind.TOOL_FAILED:
                if run := running.pop(data["call_id"], None):
                    run.state = "answered" if event.kind is Kind.TOOL_ANSWERED else "failed"
                    run.output, run.took_ms = data["output"], data["took_ms"]
            case Kind.CALL_ENDED:
                for run in running.values():
                    run.state = "unanswered"
            case Kind.MCP_CALLED:
                state: Literal["answered", "failed"] = "failed" if data["error"] else "answered"
                output = data["error"] or data["output"]
                runs.append(ToolRun(data["name"], event.at_ms, data["arguments"], state, output, server=data["server"]))
    return runs


def _agent(event: CallEvent) -> TalkingAgent:
    return TalkingAgent(event.at_ms, event.data["agent"], event.data["agent_version"])


def _message(event: CallEvent) -> TakenMessage:
    known = {name: event.data.get(name) or None for name in ("name", "callback_number")}
    return TakenMessage(event.at_ms, event.data["message"], **known, urgent=bool(event.data.get("urgent")))


def _spread(figures: Sequence[int]) -> Spread:
    return Spread(p50=int(median(figures)), max=max(figures))


def _add(total: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add up numbers under the same names, however deep."""
    for name, value in more.items():
        match value:
            case Mapping():
                inner = total.setdefault(name, {})
                if isinstance(inner, dict):
                    _add(inner, value)
            case bool() | None:
                continue
            case int() | float():
                before = total.get(name, 0)
                total[name] = before + value if isinstance(before, int | float) else value
