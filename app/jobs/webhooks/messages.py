"""What servers are told of calls and of their recordings: ids and facts, no words that were spoken."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.call.events import NumberedEvent
from app.call.record import CallRecord
from app.call.status import EndReason
from app.db.tables import Recording

FAILED = frozenset({EndReason.MODEL_UNAVAILABLE, EndReason.MODEL_LOST, EndReason.ERROR, EndReason.SERVER_CRASH})
"""Ends that are somebody's fault, and not the caller's."""


def call_started(call: CallRecord) -> dict[str, Any]:
    """Of a call that has begun."""
    return {
        "call_id": call.id,
        "call_sid": call.call_sid,
        "attempt": call.attempt,
        "from_number": call.from_number,
        "to_number": call.to_number,
        "direction": call.direction,
        "agent": call.agent,
        "agent_version": call.agent_version,
        "started_at": call.started_at,
    }


def message_taken(call: CallRecord, event: NumberedEvent) -> dict[str, Any]:
    """Of a message that a caller left; what it says is with the call."""
    return {
        "call_id": call.id,
        "call_sid": call.call_sid,
        "seq": event.seq,
        "direction": call.direction,
        "from_number": call.from_number,
        "to_number": call.to_number,
        "agent": call.agent,
        "taken_at": call.started_at + timedelta(milliseconds=event.at_ms),
        "urgent": bool(event.data.get("urgent")),
    }


def call_ended(call: CallRecord) -> dict[str, Any]:
    """How a call went, as its record has it."""
    return {
        "call_id": call.id,
        "call_sid": call.call_sid,
        "attempt": call.attempt,
        "account_sid": call.account_sid,
        "direction": call.direction,
        "from_number": call.from_number,
        "to_number": call.to_number,
        "agent": call.agent,
        "agent_version": call.agent_version,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "end_reason": call.end_reason,
        "recording": call.recording,
    }


def voicemail_received(call: CallRecord, recording_id: UUID) -> dict[str, Any]:
    """Of a message that a caller has left."""
    return {
        "call_id": call.id,
        "call_sid": call.call_sid,
        "from_number": call.from_number,
        "to_number": call.to_number,
        "agent": call.agent,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "recording_id": str(recording_id),
    }


def recording_ids(recording: Recording) -> dict[str, Any]:
    """Which recording it is, and whose."""
    return {
        "recording_id": str(recording.id),
        "call_id": str(recording.call_id) if recording.call_id else None,
        "call_sid": recording.call_sid,
        "agent": recording.agent,
        "source": recording.source,
    }


def recording_ready(recording: Recording) -> dict[str, Any]:
    """What a recording is, and how to know it."""
    return recording_ids(recording) | {
        "duration_ms": recording.duration_ms,
        "channels": recording.channels,
        "bytes": recording.bytes,
        "sha256": recording.sha256,
    }
