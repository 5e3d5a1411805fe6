"""Calls that we place: ask for one, see the queue, take one out of it."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query, Response
from pydantic import BeforeValidator
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import audit
from app.db.engine import db_session
from app.db.outbound import call_ids, cancel, find_request, list_requests, positions
from app.db.tables import OutboundRequest
from app.errors import OutboundRefused
from app.outbound.states import OutboundState
from app.web.api.auth import CallOperator
from app.web.api.call_filters import CHARACTERS, unescaped_plus
from app.web.api.keys import cursor_id
from app.web.api.outbound_models import NewCall, OutboundCall, OutboundCallPage, show_request
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, page
from app.web.api.placing import earlier, enqueue, problem
from app.web.api.routing import api_router
from app.web.api.row_routes import House
from app.web.problems import Problem

RequestId = Annotated[UUID, Path(description="The request's `id`.", examples=["0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10"])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A word of your own for this call: the same request under the same word places one call, however "
        "often it is sent, and is answered with how that one stands. Refusals are not remembered.",
        examples=["reminder-4711"],
    ),
]
_SAME = {
    word: {"operationId": f"{word}_outbound_call", "parameters": {"request_id": "$response.body#/id"}}
    for word in ("get", "cancel")
}
_CREATED: dict[int | str, dict[str, Any]] = {
    202: {
        "links": _SAME,
        "headers": {
            "Location": {"description": "The request's address.", "schema": {"type": "string"}},
            "Idempotent-Replayed": {
                "description": "`true` where the request was there already.",
                "schema": {"type": "string"},
            },
        },
    },
    409: {
        "description": "Not now: `outside_calling_hours` (`Retry-After` says when; or `wait_for_hours`), "
        "`on_do_not_call_list`, `no_public_url`, `no_account`, `idempotency_key_reused`."
    },
    422: {
        "description": "Not this call: `number_not_e164`, `prefix_not_allowed`, `premium_number`, `not_our_number`, "
        "`agent_missing`; or the request is not what it should be (`invalid_request`)."
    },
    429: {"description": "`queue_full`; or too many wrong keys from this address. See `Retry-After`."},
}

router = api_router("outbound")


@router.post("/calls", status_code=202, responses=_CREATED)
async def create_call(
    wish: NewCall, house: House, holder: CallOperator, response: Response, idempotency_key: IdempotencyKey = None
) -> OutboundCall:
    """Place a call: it goes into the queue, and is dialled when its turn comes and every rule still allows it."""
    try:
        async with db_session(house.engine) as db:
            known = await earlier(db, wish, holder, idempotency_key)
            added = known or await enqueue(db, house, wish, holder, idempotency_key)
            if added is None:  # the same request has come at the same time, and was faster
                known = added = await earlier(db, wish, holder, idempotency_key)
                assert added  # noqa: S101 - nothing deletes requests
            [shown] = await _shown(db, [added])
    except OutboundRefused as refused:
        raise problem(refused) from None
    house.outbound.stir()
    response.headers["Location"] = f"/api/v1/outbound/{shown.id}"
    if known:
        response.headers["Idempotent-Replayed"] = "true"
    return shown


@router.get("/outbound")
async def list_outbound_calls(
    *,
    house: House,
    _: CallOperator,
    limit: Limit = PAGE_ITEMS,
    cursor: Cursor = None,
    state: Annotated[OutboundState | None, Query(description="Only these; `queued` is the queue.")] = None,
    to: Annotated[
        Annotated[str, BeforeValidator(unescaped_plus)] | None,
        Query(max_length=CHARACTERS, description="Only to this number, like `%2B41446681800`."),
    ] = None,
) -> OutboundCallPage:
    """Every request for a call, the newest first."""
    before = cursor_id(cursor)
    async with db_session(house.engine) as db:
        found = await list_requests(db, limit + 1, state=state, to_number=to, before=before)
        shown = await _shown(db, found)
    return OutboundCallPage.model_validate(
        page(shown, limit, show=lambda each: each, place=lambda each: [str(each.id)]), from_attributes=True
    )


@router.get("/outbound/{request_id}", responses={404: {"description": "There is no such request."}})
async def get_outbound_call(request_id: RequestId, house: House, _: CallOperator) -> OutboundCall:
    """One request: where it stands, and the call that came of it."""
    async with db_session(house.engine) as db:
        if (found := await find_request(db, request_id)) is None:
            raise _no_such_request()
        return (await _shown(db, [found]))[0]


@router.delete(
    "/outbound/{request_id}",
    status_code=204,
    responses={
        404: {"description": "There is no such request."},
        409: {"description": "It has left the queue: end its call instead."},
    },
)
async def cancel_outbound_call(request_id: RequestId, house: House, holder: CallOperator) -> None:
    """Take a call from the queue. One that is canceled already stays so."""
    async with db_session(house.engine) as db:
        if await cancel(db, request_id):
            await audit.note(db, holder.actor, "cancel", f"outbound/{request_id}")
            return
        found = await find_request(db, request_id)
    if found is None:
        raise _no_such_request()
    if found.state != OutboundState.CANCELED:
        raise Problem(409, "not_queued", f"The request is {found.state}: only queued ones can be canceled.")


async def _shown(db: AsyncSession, rows: Sequence[OutboundRequest]) -> list[OutboundCall]:
    places, calls = await positions(db, rows), await call_ids(db, rows)
    return [show_request(row, places.get(row.id), calls.get(row.call_sid or "")) for row in rows]


def _no_such_request() -> Problem:
    return Problem(404, "not_found", "There is no request of this id.")
