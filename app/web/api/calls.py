"""Calls that were and calls that go on: search, read, export, delete."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.journal.digest import digest
from app.db.call_queries import CallFilter, calls_of, events_after, get_call, list_calls, recordings_with_words
from app.db.engine import db_session
from app.db.tables import Call as CallRow
from app.errors import CallIsLive
from app.recordings.export import export_calls
from app.web.api.auth import Reader, Writer
from app.web.api.call_cost import bill_for
from app.web.api.call_filters import CallId, Party, filters, place
from app.web.api.call_models import Call, CallPage, DeletedCalls, show_call, show_line
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, page
from app.web.api.routing import api_router
from app.web.deps import Services, services
from app.web.problems import Problem

House = Annotated[Services, Depends(services)]
Responses = dict[int | str, dict[str, Any]]
NO_CALL: Responses = {404: {"description": "There is no such call."}}
_LIVE: Responses = {409: {"description": "The call is going on."}}
_FIRST = {"parameters": {"call_id": "$response.body#/data/0/id"}}
_LINKS: Responses = {
    200: {
        "links": {
            "first": {"operationId": "get_call"} | _FIRST,
            "first_events": {"operationId": "list_call_events"} | _FIRST,
            "first_recordings": {"operationId": "list_call_recordings"} | _FIRST,
            "first_transcript": {"operationId": "get_call_transcript"} | _FIRST,
        }
    }
}
_ZIP: Responses = {
    200: {"content": {"application/zip": {}}, "description": "A zip file with a folder for each call."},
    404: {"description": "There is no call with that number."},
}

router = api_router("calls", "/calls")


@router.get("", name="list_calls", response_model=CallPage, responses=_LINKS)
async def find_calls(
    house: House,
    _: Reader,
    wanted: Annotated[CallFilter, Depends(filters)],
    limit: Limit = PAGE_ITEMS,
    cursor: Cursor = None,
) -> object:
    """Calls, the newest first; those that go on are among them. New calls do not shift the pages behind a cursor."""
    async with db_session(house.engine) as db:
        found = await list_calls(db, wanted, limit + 1, after=place(cursor))
    return page(found, limit, show=show_line, place=_place)


@router.delete("", name="delete_calls")
async def delete_calls_of_a_number(
    house: House,
    holder: Writer,
    number: Party,
    _confirm: Annotated[Literal["true"], Query(alias="confirm", description="Nothing brings them back.")],
) -> DeletedCalls:
    """Delete every call with a number, with events, transcripts and recordings; calls that go on are only counted."""
    gone = await house.archive.delete_calls_with(number, holder.actor)
    return DeletedCalls(calls=gone.calls, recordings=gone.recordings, live=gone.live)


@router.get("/export", name="export_calls", response_class=StreamingResponse, responses=_ZIP)
async def export_calls_of_a_number(house: House, _: Reader, number: Party) -> StreamingResponse:
    """All that is kept of a number's calls as one zip file: calls, events, transcripts and recordings."""
    async with db_session(house.engine) as db:
        if not await calls_of(db, number, 1):
            raise Problem(404, "not_found", "There is no call with that number at the other end.")
    pieces = export_calls(house.engine, house.storage, number)
    headers = {"Content-Disposition": 'attachment; filename="calls.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


@router.get("/{call_id:uuid}", name="get_call", responses=NO_CALL)
async def read_call(call_id: CallId, house: House, _: Reader) -> Call:
    """One call: turns, tools, latency, usage, cost, session and recordings; also while it goes on."""
    async with db_session(house.engine) as db:
        row = await known_call(db, call_id)
        events = await events_after(db, call_id, 0)
        recordings = await recordings_with_words(db, row)
    bill = bill_for(row, events, recordings, house.store.prices())
    return show_call(row, digest(events), recordings, bill)


@router.delete("/{call_id:uuid}", name="delete_call", status_code=204, responses=NO_CALL | _LIVE)
async def delete_one_call(call_id: CallId, house: House, holder: Writer) -> None:
    """Delete the call with its events, transcripts and recordings, here and at Twilio. Nothing brings it back."""
    try:
        gone = await house.archive.delete_call(call_id, holder.actor)
    except CallIsLive:
        raise Problem(409, "call_is_live", "The call is going on: end it, then delete it.") from None
    if gone is None:
        raise no_such_call()


async def known_call(db: AsyncSession, call_id: UUID) -> CallRow:
    """The call's row; a problem 404 where there is none."""
    if row := await get_call(db, call_id):
        return row
    raise no_such_call()


def no_such_call() -> Problem:
    """There is none."""
    return Problem(404, "not_found", "There is no call of this id.")


def _place(row: CallRow) -> tuple[str, str]:
    return row.started_at.isoformat(), str(row.id)
