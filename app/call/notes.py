"""What a session tells that changes nothing in the call, but belongs in its journal."""

from typing import Any

from app.call.events import CallEvent, Kind
from app.realtime.events import (
    AgentText,
    CallerTranscript,
    IdleTimeout,
    McpCallDone,
    McpListProgress,
    RateLimits,
    RealtimeInEvent,
    SessionCreated,
    SessionDegraded,
    SessionExpiring,
    SessionProblem,
    SessionStatusChanged,
)


def note(event: RealtimeInEvent, at_ms: float) -> list[CallEvent]:
    """The event as the journal keeps it; nothing for those that are of no use afterwards."""
    kind: Kind
    data: dict[str, Any]
    match event:
        case CallerTranscript(text, item_id, final):
            return [words(Kind.CALLER_TRANSCRIPT, at_ms, item_id, text, final=final)]
        case AgentText(text, item_id, final=final):
            return [words(Kind.AGENT_TEXT, at_ms, item_id, text, final=final)]
        case IdleTimeout(item_id):
            kind, data = Kind.CALLER_IDLE, {"item_id": item_id}
        case SessionCreated(session_id, expires_at_s):
            kind, data = Kind.SESSION_CREATED, {"session_id": session_id, "expires_at_s": expires_at_s}
        case SessionStatusChanged(status, before):
            kind, data = Kind.SESSION_STATUS, {"status": status, "before": before}
        case SessionDegraded(fields):
            kind, data = Kind.SESSION_DEGRADED, {"fields": list(fields)}
        case SessionExpiring(left_s):
            kind, data = Kind.SESSION_EXPIRING, {"left_s": left_s}
        case RateLimits(limits):
            left = {limit.name: limit.remaining for limit in limits}
            return [CallEvent(Kind.RATE_LIMITS, int(at_ms), {"remaining": left}, fleeting=True)]
        case McpListProgress(item_id, progress):
            kind, data = Kind.MCP_LISTED, {"item_id": item_id, "progress": progress}
        case McpCallDone():
            kind, data = (
                Kind.MCP_CALLED,
                {
                    "server": event.server,
                    "name": event.name,
                    "arguments": event.arguments,
                    "output": event.output,
                    "error": event.error,
                },
            )
        case _:
            return []
    return [CallEvent(kind, int(at_ms), data)]


def problem(told: SessionProblem, at_ms: float) -> CallEvent:
    """What the provider complained of."""
    data = {"code": told.code, "message": told.message, "severity": told.severity, "item_id": told.item_id}
    return CallEvent(Kind.SESSION_ERROR, int(at_ms), data)


def words(kind: Kind, at_ms: float, item_id: str, text: str, *, final: bool) -> CallEvent:
    """Words that were said or written; pieces of them are fleeting."""
    return CallEvent(kind, int(at_ms), {"item_id": item_id, "text": text, "final": final}, fleeting=not final)
