"""Calls as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.call.events import NumberedEvent
from app.call.journal.digest import Digest
from app.call.status import CallStatus, EndReason
from app.db.tables import Call as CallRow
from app.db.tables import Recording as RecordingRow
from app.db.tables import Transcript as TranscriptRow
from app.openai.bill import Bill
from app.web.api.call_cost import CallCost, show_cost
from app.web.api.paging import Page
from app.web.api.recording_models import Recording, show_recording


class CallLine(BaseModel):
    """A call as lists have it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10",
                    "call_sid": "CA5f8e1c0d2b3a49586776a5b4c3d2e1f0",
                    "attempt": 0,
                    "direction": "inbound",
                    "from_number": "+15550100123",
                    "to_number": "+15550100100",
                    "agent": "default",
                    "agent_version": 3,
                    "status": "ended",
                    "end_reason": "caller_hangup",
                    "started_at": "2026-11-21T09:30:00Z",
                    "answered_at": "2026-11-21T09:30:00.6Z",
                    "ended_at": "2026-11-21T09:32:10Z",
                    "duration_ms": 130000,
                    "recording": "on",
                }
            ]
        }
    )

    id: UUID
    call_sid: Annotated[str, Field(description="Twilio's name of the phone call.")]
    attempt: Annotated[
        int,
        Field(
            description="How often this phone call had lost its stream before: each stream is a call here, and so is a "
            "voicemail behind them."
        ),
    ]
    direction: Literal["inbound", "outbound"]
    from_number: str
    to_number: str
    agent: str
    agent_version: Annotated[int, Field(description="The version of the agent that answered.")]
    status: CallStatus
    end_reason: Annotated[EndReason | None, Field(description="Why it ended; null while it goes on.")]
    started_at: datetime
    answered_at: Annotated[datetime | None, Field(description="When the agent was ready to speak.")]
    ended_at: datetime | None
    duration_ms: Annotated[int | None, Field(description="From start to end; null while it goes on.")]
    recording: Annotated[
        Literal["off", "on", "declined"], Field(description="Whether anybody recorded, or the caller declined.")
    ]


class CallPage(Page[CallLine]):
    """One page of calls, the newest first."""


class Turn(BaseModel):
    """One speaker's time to speak. Times are milliseconds since the call's start."""

    speaker: Literal["caller", "agent"]
    at_ms: int
    until_ms: int | None
    said: Annotated[str, Field(description="What was said, as it was understood live.")]
    heard: Annotated[str | None, Field(description="Of a turn that the caller cut: the words heard, by our estimate.")]
    heard_ms: int | None
    latency: Annotated[dict[str, int] | None, Field(description="How long this answer took; see `latency` below.")]


class ToolRun(BaseModel):
    """One run of a tool, ours or an MCP server's."""

    name: str
    at_ms: int
    arguments: Annotated[str, Field(description="JSON, as the model wrote it: perhaps broken.")]
    state: Annotated[
        Literal["running", "answered", "failed", "unanswered"],
        Field(description="Unanswered where the call ended first, as `end_call` always is."),
    ]
    output: str | None
    took_ms: int | None
    server: Annotated[str | None, Field(description="The MCP server that ran it, where one did.")]


class TakenMessage(BaseModel):
    """What the caller left for the team."""

    at_ms: int
    message: str
    name: str | None
    callback_number: Annotated[str | None, Field(description="Null for the number of the call.")]
    urgent: bool


class TalkingAgent(BaseModel):
    """An agent that talked with the caller, from that moment on."""

    at_ms: int
    agent: str
    agent_version: int


class Spread(BaseModel):
    """One figure over all answers of the call, in milliseconds."""

    p50: int
    max: int


class Call(CallLine):
    """One call: what was said and done, how quickly, and what is left of it."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    agents: Annotated[
        list[TalkingAgent],
        Field(description="Who talked with the caller, one after the other; `agent` is the first of them."),
    ]
    turns: Annotated[list[Turn], Field(description="Who spoke when, and what; also while the call goes on.")]
    tools: list[ToolRun]
    messages: Annotated[list[TakenMessage], Field(description="What the caller left for the team.")]
    interruptions: Annotated[int, Field(description="How often the caller cut the agent short.")]
    answers: Annotated[int, Field(description="How many answers were measured.")]
    latency: Annotated[
        dict[str, Spread],
        Field(
            description="From the end of the caller's speech to the model's first audio (`first_delta_ms`), to our "
            "first frame (`first_frame_ms`), and to its return as heard (`first_mark_ms`)."
        ),
    ]
    usage: Annotated[dict[str, Any], Field(description="What the model used, in its own words, all answers together.")]
    cost: CallCost
    session: Annotated[dict[str, Any], Field(description="The compiled session that the call used.")]
    recordings: list[Recording]


class CallEvent(BaseModel):
    """Something that happened in a call."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"seq": 7, "kind": "caller.transcript", "at_ms": 5210, "data": {"text": "A table for two, please."}}
            ]
        }
    )

    seq: Annotated[int, Field(description="Counts from 1 in each call.")]
    kind: Annotated[str, Field(examples=["call.started", "caller.transcript", "tool.called", "call.ended"])]
    at_ms: Annotated[int, Field(description="Milliseconds since the call's start.")]
    data: dict[str, Any]


class EventPage(Page[CallEvent]):
    """One page of a call's events, in their order."""


class DeletedCalls(BaseModel):
    """What was deleted."""

    calls: int
    recordings: Annotated[int, Field(description="Recordings whose files are being deleted, here and at Twilio.")]
    live: Annotated[int, Field(description="Calls that go on: delete them once they are over.")]


def show_line(row: CallRow) -> CallLine:
    """The call as lists have it."""
    return CallLine.model_validate(_columns(row))


def show_call(
    row: CallRow, told: Digest, recordings: list[tuple[RecordingRow, TranscriptRow | None]], bill: Bill
) -> Call:
    """The call with all that is known of it."""
    answered = TalkingAgent(at_ms=0, agent=row.agent, agent_version=row.agent_version)
    return Call.model_validate(
        _columns(row)
        | {
            "agents": [answered, *told.agents],
            "turns": told.turns,
            "tools": told.tools,
            "messages": told.messages,
            "interruptions": told.interruptions,
            "answers": told.answers,
            "latency": told.latency,
            "usage": told.usage,
            "cost": show_cost(bill),
            "session": row.session,
            "recordings": [show_recording(*each) for each in recordings],
        },
        from_attributes=True,
    )


def show_event(event: NumberedEvent) -> CallEvent:
    """The event as it is shown."""
    return CallEvent(seq=event.seq, kind=event.kind, at_ms=event.at_ms, data=event.data)


def _columns(row: CallRow) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in CallLine.model_fields if name != "duration_ms"}
    lasted = row.ended_at - row.started_at if row.ended_at else None
    return shown | {"duration_ms": round(lasted.total_seconds() * 1000) if lasted else None}
