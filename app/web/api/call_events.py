"""What happens in a call: as pages, or told while it happens, wherever the call is carried."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Depends, Header, Request, Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from app.call.events import Kind, NumberedEvent
from app.call.status import CallStatus
from app.db.call_queries import call_status, events_after
from app.db.engine import db_session
from app.errors import DatabaseError
from app.web.api.auth import Reader, identify
from app.web.api.call_filters import CallId
from app.web.api.call_models import EventPage, show_event
from app.web.api.calls import NO_CALL, House, no_such_call
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, decode_cursor, page
from app.web.api.routing import api_router
from app.web.deps import Services
from app.web.problems import Problem

SSE = "text/event-stream"
HEARTBEAT_S = 10.0
RETRY_MS = 1000
AT_ONCE = 500
LAST_NUMBER = 2**31 - 1
_EXAMPLE = 'event: call.ended\ndata: {"seq":9,"kind":"call.ended","at_ms":8100,"data":{}}\nid: 9\n\n'
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": EventPage,
        "description": "A page; or, where `Accept` asks for `text/event-stream`, the events as they happen.",
        "content": {SSE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    204: {"description": "The stream was read to the call's end before: nothing more is to come."},
}

router = api_router("calls", "/calls")


def last_seen(
    last_event_id: Annotated[
        str | None, Header(pattern=r"^[0-9]{0,10}$", description="Of a stream: the last `id` that arrived before.")
    ] = None,
) -> int:
    """The number of the last event that the client has."""
    return min(int(last_event_id or 0), LAST_NUMBER)


@router.get("/{call_id}/events", name="list_call_events", response_model=EventPage, responses=_RESPONSES | NO_CALL)
async def read_events(
    *,
    call_id: CallId,
    request: Request,
    house: House,
    _: Reader,
    seen: Annotated[int, Depends(last_seen)],
    limit: Limit = PAGE_ITEMS,
    cursor: Cursor = None,
) -> object:
    """What happened in a call, in its order; with `Accept: text/event-stream`, also what happens from now on.

    A stream ends with `call.ended`, and goes on behind `Last-Event-ID`, on any server. Where the ids leave a number
    out, the database was away; those events are there once the call has ended.
    """
    streamed = SSE in request.headers.get("accept", "")
    after = seen if streamed else _number(cursor)
    async with db_session(house.engine) as db:
        status = await call_status(db, call_id)
        found = await events_after(db, call_id, after, limit + 1)
    if status is None:
        raise no_such_call()
    if not streamed:
        return page(found, limit, show=show_event, place=lambda event: [str(event.seq)])
    if not found and status == CallStatus.ENDED:
        return Response(status_code=204)  # which tells a browser not to come back
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_stream(house, request, call_id, after), headers=headers)


async def _stream(house: Services, request: Request, call_id: UUID, seq: int) -> AsyncIterator[bytes]:
    """The events behind `seq`, until the call has ended or the key is no longer valid."""
    yield format_sse_event(retry=RETRY_MS)
    with house.call_news.follow(str(call_id)) as stirred:
        while True:
            stirred.clear()
            over, found = await _look(house, call_id, seq)
            for event in found:
                yield _told(event)
                seq = event.seq
            if over:
                return
            if len(found) == AT_ONCE:
                continue
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await stirred.wait()
            except TimeoutError:
                if not await _still_welcome(request):
                    return
                yield KEEPALIVE_COMMENT


async def _look(house: Services, call_id: UUID, seq: int) -> tuple[bool, list[NumberedEvent]]:
    """What is new, and whether nothing can follow it. While the database is away there is nothing new."""
    try:
        async with db_session(house.engine) as db:
            status = await call_status(db, call_id)  # first: what has ended has all its events
            found = await events_after(db, call_id, seq, AT_ONCE)
    except DatabaseError:
        return False, []
    complete = status in {None, CallStatus.ENDED} and len(found) < AT_ONCE
    return complete or bool(found and found[-1].kind == Kind.CALL_ENDED), found


async def _still_welcome(request: Request) -> bool:
    """Whether the key that opened the stream is still valid."""
    request.state.key_holder = None
    try:
        await identify(request)
    except Problem:
        return False
    except DatabaseError:
        return True
    return True


def _told(event: NumberedEvent) -> bytes:
    return format_sse_event(id=str(event.seq), event=event.kind, data_str=msgspec.json.encode(event).decode())


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    [seq] = decode_cursor(cursor, 1)
    if not (seq.isascii() and seq.isdigit() and len(seq) <= 10):
        raise Problem(400, "cursor_invalid", "This is no cursor of this list; begin without one.")
    return min(int(seq), LAST_NUMBER)
