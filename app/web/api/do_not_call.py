"""Who is never called."""

from typing import Annotated, Any

from fastapi import Path, Response

from app.db.engine import db_session
from app.db.opt_outs import find_opt_out, list_opt_outs, opt_in, opt_out
from app.web.api.auth import CallOperator
from app.web.api.outbound_models import NewOptOut, OptOut, OptOutPage
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, decode_cursor, page
from app.web.api.routing import api_router
from app.web.api.row_routes import House
from app.web.problems import Problem

Number = Annotated[
    str, Path(pattern=r"^\+[1-9][0-9]{4,14}$", description="The number in E.164 form.", examples=["+41446681800"])
]
_NOT_LISTED: dict[int | str, dict[str, Any]] = {404: {"description": "The number is not on the list."}}
_LINKS = {
    word: {"operationId": name, "parameters": {"number": "$response.body#/number"}}
    for word, name in (("get", "get_opt_out"), ("delete", "delete_opt_out"))
}

router = api_router("do-not-call")


@router.get("/do-not-call")
async def list_do_not_call(
    house: House, _: CallOperator, limit: Limit = PAGE_ITEMS, cursor: Cursor = None
) -> OptOutPage:
    """Every number that is never called, in the order of numbers."""
    after = decode_cursor(cursor, 1)[0] if cursor else None
    async with db_session(house.engine) as db:
        found = await list_opt_outs(db, limit + 1, after=after)
    shown = page(found, limit, show=OptOut.model_validate, place=lambda row: [row.number])
    return OptOutPage.model_validate(shown, from_attributes=True)


@router.post(
    "/do-not-call",
    status_code=201,
    response_model=OptOut,
    responses={
        200: {"model": OptOut, "description": "It was on the list already, and stays as it was."},
        201: {"links": _LINKS},
    },
)
async def create_opt_out(given: NewOptOut, house: House, holder: CallOperator, response: Response) -> OptOut:
    """Never call a number again; calls to it that wait in the queue will be refused."""
    async with db_session(house.engine) as db:
        added = await opt_out(db, given.number, holder.actor, note=given.note)
        found = OptOut.model_validate(await find_opt_out(db, given.number))
    response.status_code = 201 if added else 200
    return found


@router.get("/do-not-call/{number}", responses=_NOT_LISTED)
async def get_opt_out(number: Number, house: House, _: CallOperator) -> OptOut:
    """Whether a number is on the list: 404 where it is not."""
    async with db_session(house.engine) as db:
        if found := await find_opt_out(db, number):
            return OptOut.model_validate(found)
    raise _not_listed()


@router.delete("/do-not-call/{number}", status_code=204, responses=_NOT_LISTED)
async def delete_opt_out(number: Number, house: House, holder: CallOperator) -> None:
    """The number may be called again."""
    async with db_session(house.engine) as db:
        if not await opt_in(db, number, holder.actor):
            raise _not_listed()


def _not_listed() -> Problem:
    return Problem(404, "not_found", "The number is not on the do-not-call list.")
