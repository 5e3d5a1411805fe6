"""Which calls somebody asks for, as a query says it."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator

from app.call.status import CallStatus, EndReason
from app.db.call_queries import CallFilter, Place
from app.web.api.paging import decode_cursor
from app.web.problems import Problem

CHARACTERS = 255


def moment(value: datetime) -> datetime:
    """The moment in UTC, which it is in where it names no zone; raises `ValueError` where UTC has no such year."""
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("too far away") from None


def written(value: object) -> object:
    """The moment as it was written; refuses a bare number, which would be taken for seconds since 1970."""
    if isinstance(value, str) and "-" not in value[1:]:
        raise ValueError("write it like 2026-01-31T12:00:00Z")
    return value


def unescaped_plus(value: object) -> object:
    """The number with the `+` that reaches us as a blank where nobody wrote it as `%2B`."""
    return f"+{value[1:]}" if isinstance(value, str) and value[:1] == " " and value[1:].isdigit() else value


Moment = Annotated[datetime, BeforeValidator(written), AfterValidator(moment)]


def filters(
    *,
    since: Annotated[
        Moment | None,
        Query(description="Calls that started then or later; UTC where no zone is named."),
    ] = None,
    until: Annotated[
        Moment | None, Query(description="Calls that started before.", examples=["2026-12-01T00:00:00Z"])
    ] = None,
    agent: Annotated[str | None, Query(max_length=CHARACTERS, description="The agent's name.")] = None,
    number: Annotated[
        Annotated[str, BeforeValidator(unescaped_plus)] | None,
        Query(max_length=CHARACTERS, description="The number of either side, like +15551234567 (`%2B15551234567`)."),
    ] = None,
    status: Annotated[CallStatus | None, Query(description="Where the call stands.")] = None,
    end_reason: Annotated[EndReason | None, Query(description="Why it ended.")] = None,
    text: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=CHARACTERS,
            description='Words of one turn or of one recording: `refund "next week" -invoice`.',
        ),
    ] = None,
) -> CallFilter:
    """Which calls; all of it at once."""
    return CallFilter(
        since=since, until=until, agent=agent, number=number, status=status, end_reason=end_reason, words=text
    )


Party = Annotated[
    Annotated[str, BeforeValidator(unescaped_plus)],
    Query(
        min_length=1,
        max_length=CHARACTERS,
        description="The number at the other end: who called, or whom we called. As `%2B15551234567`.",
        examples=["+15551234567"],
    ),
]
CallId = Annotated[UUID, Path(description="The call's `id`.", examples=["0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10"])]


def place(cursor: str | None) -> Place | None:
    """Where the next page begins; a problem 400 for a cursor that is none of ours."""
    if cursor is None:
        return None
    started_at, call_id = decode_cursor(cursor, 2)
    try:
        return moment(datetime.fromisoformat(started_at)), UUID(call_id)
    except ValueError:
        raise Problem(400, "cursor_invalid", "This is no cursor of this list; begin without one.") from None
