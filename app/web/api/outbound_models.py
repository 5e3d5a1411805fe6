"""Requests for calls, and the do-not-call list, as the API shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.conf.models import e164
from app.conf.models.variables import Variables
from app.db.tables import OutboundRequest
from app.outbound.answered import Picked
from app.outbound.states import OutboundState
from app.web.api.paging import Page

_E164 = r"^\+[1-9][0-9]{4,14}$"
_WRITTEN = r"^\+[1-9][0-9 ().-]{4,38}$"
_NUMBER: dict[str, Any] = {"pattern": _E164, "examples": ["+41446681800"]}
_EXAMPLE: dict[str, Any] = {
    "to": "+41446681800",
    "from": "+15550100100",
    "agent": "reminders",
    "variables": {"name": "Ada", "appointment": "tomorrow at ten"},
}


class NewCall(BaseModel):
    """A call that shall be placed."""

    model_config = ConfigDict(
        extra="forbid", strict=True, validate_by_name=True, json_schema_extra={"examples": [_EXAMPLE]}
    )

    to: Annotated[str, Field(max_length=255, description="Whom to call, in E.164 form.", json_schema_extra=_NUMBER)]
    from_number: Annotated[
        str | None,
        Field(
            alias="from",
            max_length=255,
            description="Which of our numbers calls. Without it: `from_number` of `outbound/default`, or the only one.",
            examples=["+15550100100"],
        ),
    ] = None
    agent: Annotated[str, Field(min_length=1, max_length=100, description="Who talks.", examples=["reminders"])]
    variables: Annotated[Variables, Field(description="What `{{name}}` stands for in the agent's texts.")] = Field(
        default_factory=dict
    )
    wait_for_hours: Annotated[
        bool, Field(description="Where it is too early or too late for the callee: wait, instead of being refused.")
    ] = False


class OutboundCall(BaseModel):
    """A request for a call: it waits in its account's queue, is dialled, and links to its call once that began."""

    model_config = ConfigDict(
        validate_by_name=True,
        json_schema_extra={
            "examples": [
                _EXAMPLE
                | {
                    "id": "0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10",
                    "state": "queued",
                    "position": 3,
                    "reason": None,
                    "detail": None,
                    "wait_for_hours": False,
                    "created_at": "2026-11-21T09:30:00Z",
                    "not_before": "2026-11-21T09:30:00Z",
                    "dialed_at": None,
                    "answered_at": None,
                    "answered_by": None,
                    "ended_at": None,
                    "call_sid": None,
                    "call_id": None,
                }
            ]
        },
    )

    id: UUID
    state: Annotated[
        OutboundState,
        Field(
            description="`queued`, `dialing`, `ringing`, `live`; then `ended` (somebody had answered), `failed` "
            "(nobody had), `refused` (a rule was against it when its turn came) or `canceled`."
        ),
    ]
    position: Annotated[int | None, Field(description="In its account's queue, from 1; null once it has left it.")]
    reason: Annotated[
        str | None,
        Field(
            description="Of what it failed or was refused, in one word: `busy`, `no_answer`, `call_failed`, "
            "`refused_by_twilio`, `twilio_unreachable`, or the code of a refusal.",
            examples=["busy"],
        ),
    ]
    detail: Annotated[str | None, Field(description="And in a sentence, where there is more to say.")]
    to: str
    from_number: Annotated[str, Field(alias="from")]
    agent: str
    variables: dict[str, str]
    wait_for_hours: bool
    created_at: datetime
    not_before: Annotated[datetime, Field(description="When its turn may come first.")]
    dialed_at: datetime | None
    answered_at: datetime | None
    answered_by: Annotated[
        Picked | None, Field(description="Who picked up, as far as Twilio can tell; null until it has listened.")
    ]
    ended_at: datetime | None
    call_sid: Annotated[str | None, Field(description="Twilio's name of the phone call.")]
    call_id: Annotated[
        UUID | None, Field(description="The call in `/calls`; there from its answer on, or its failure.")
    ]


class OutboundCallPage(Page[OutboundCall]):
    """One page of requests for calls, the newest first."""


class NewOptOut(BaseModel):
    """A number that shall not be called any more."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"number": "+41446681800", "note": "by letter"}]}
    )

    number: Annotated[
        str,
        Field(pattern=_WRITTEN, description="With its country; blanks may stand in it.", examples=["+41446681800"]),
        AfterValidator(e164),
    ]
    note: Annotated[str | None, Field(max_length=1000, description="Why.")] = None


class OptOut(BaseModel):
    """A number that is never called."""

    model_config = ConfigDict(from_attributes=True)

    number: Annotated[str, Field(examples=["+41446681800"])]
    added_at: datetime
    added_by: Annotated[str, Field(description="Who, in words.")]
    note: str | None
    call_id: Annotated[UUID | None, Field(description="The call in which it was said, where an agent added it.")]


class OptOutPage(Page[OptOut]):
    """One page of the do-not-call list, in the order of numbers."""


def show_request(row: OutboundRequest, position: int | None, call_id: UUID | None) -> OutboundCall:
    """The request as it is shown."""
    return OutboundCall(
        id=row.id,
        state=OutboundState(row.state),
        position=position,
        reason=row.reason,
        detail=row.detail,
        to=row.to_number,
        from_number=row.from_number,
        agent=row.agent,
        variables=row.variables,
        wait_for_hours=row.wait_for_hours,
        created_at=row.created_at,
        not_before=row.not_before,
        dialed_at=row.dialed_at,
        answered_at=row.answered_at,
        answered_by=Picked(row.answered_by) if row.answered_by else None,
        ended_at=row.ended_at,
        call_sid=row.call_sid,
        call_id=call_id,
    )
