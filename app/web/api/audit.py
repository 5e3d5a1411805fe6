"""Who changed what."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from app.db import audit
from app.db.engine import db_session
from app.db.tables import AuditEntry
from app.web.api.auth import Admin
from app.web.api.keys import cursor_id
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, Page, page
from app.web.api.routing import api_router
from app.web.api.row_routes import House

router = api_router("audit")

Subject = Annotated[
    str | None, Query(max_length=200, description="Only what was done to this.", examples=["agent/default"])
]


class Entry(BaseModel):
    """Something that somebody did."""

    id: UUID
    at: datetime
    actor: Annotated[str, Field(description="Who, in words.")]
    key_id: Annotated[UUID | None, Field(description="With which key; null at the command line.")]
    action: Annotated[str, Field(examples=["update"])]
    subject: Annotated[str, Field(description="To what.", examples=["agent/default"])]
    version_before: int | None
    version_after: int | None


class EntryPage(Page[Entry]):
    """One page of the audit log."""


@router.get("/audit")
async def list_audit_entries(
    house: House, _: Admin, limit: Limit = PAGE_ITEMS, cursor: Cursor = None, subject: Subject = None
) -> EntryPage:
    """Every write through the API and the command line, the newest first."""
    before = cursor_id(cursor)
    async with db_session(house.engine) as db:
        found = await audit.entries(db, limit + 1, before=before, subject=subject)
    shown = page(found, limit, show=_shown, place=lambda entry: [str(entry.id)])
    return EntryPage.model_validate(shown, from_attributes=True)


def _shown(entry: AuditEntry) -> Entry:
    return Entry.model_validate(entry, from_attributes=True)
