"""The keys of the API itself."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from app.db import api_keys
from app.db.api_keys import Scope
from app.db.engine import db_session
from app.db.tables import ApiKey
from app.errors import Fault, LastAdminKey
from app.web.api.auth import Admin
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, Page, decode_cursor, page
from app.web.api.routing import api_router
from app.web.api.row_routes import House
from app.web.problems import Problem

router = api_router("keys")


KeyId = Annotated[UUID, Path(description="The key's `id`.", examples=["0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10"])]


def _text(moment: object) -> object:
    if moment is not None and not isinstance(moment, str):
        raise ValueError("write it as text, like 2027-01-31T12:00:00Z")
    return moment


class NewKey(BaseModel):
    """A key that shall be made."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "dashboard", "scopes": ["read"]}]}
    )

    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$", description="Who or what will use it.")]
    scopes: Annotated[
        list[Scope],
        Field(
            min_length=1,
            max_length=4,
            description="`read`, `write` (and read), `calls` (act on calls), `admin` (everything).",
        ),
    ]
    expires_at: Annotated[
        AwareDatetime | None, BeforeValidator(_text), Field(description="With its zone. Without it, never.")
    ] = None


class Key(BaseModel):
    """A key, without what it is: only its hash is kept."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="Within a minute.")]


class MadeKey(Key):
    """A key that was just made."""

    key: Annotated[str, Field(description="The key itself, shown this once.")]


class KeyPage(Page[Key]):
    """One page of keys."""


@router.get("/keys")
async def list_keys(house: House, _: Admin, limit: Limit = PAGE_ITEMS, cursor: Cursor = None) -> KeyPage:
    """Every key, the newest first; also those that were revoked or have expired."""
    before = cursor_id(cursor)
    async with db_session(house.engine) as db:
        found = await api_keys.keys(db, limit + 1, before=before)
    return KeyPage.model_validate(
        page(found, limit, show=_shown, place=lambda key: [str(key.id)]), from_attributes=True
    )


@router.post(
    "/keys",
    status_code=201,
    responses={201: {"links": {"revoke": {"operationId": "revoke_key", "parameters": {"id": "$response.body#/id"}}}}},
)
async def create_key(given: NewKey, house: House, holder: Admin, response: Response) -> MadeKey:
    """Make a key. It is shown in this answer, and never again."""
    if given.expires_at and given.expires_at <= datetime.now(UTC):
        fault = Fault("expires_at", "this moment is over", "past")
        raise Problem(422, "invalid_request", f"{fault.path}: {fault.message}", [fault])
    async with db_session(house.engine) as db:
        made, key = await api_keys.add_key(db, given.name, given.scopes, who=holder.actor, expires_at=given.expires_at)
    response.headers["Cache-Control"] = "no-store"
    return MadeKey(**_shown(made).model_dump(), key=key)


@router.delete("/keys/{id}", status_code=204, responses={409: {"description": "It is the last key with scope admin."}})
async def revoke_key(id: KeyId, house: House, holder: Admin) -> None:  # noqa: A002 (the word of the address)
    """Refuse the key from now on. One that is revoked already stays so."""
    try:
        async with db_session(house.engine) as db:
            found = await api_keys.revoke(db, id, who=holder.actor)
    except LastAdminKey as error:
        raise Problem(409, "last_admin_key", str(error)) from None
    if not found:
        raise Problem(404, "not_found", "There is no such key.")


def cursor_id(cursor: str | None) -> UUID | None:
    """The id that a cursor stands for, in lists whose order is that of ids."""
    if cursor is None:
        return None
    [text] = decode_cursor(cursor, 1)
    try:
        return UUID(text)
    except ValueError:
        raise Problem(400, "cursor_invalid", "This is no cursor of this list; begin without one.") from None


def _shown(key: ApiKey) -> Key:
    return Key.model_validate(key, from_attributes=True)
