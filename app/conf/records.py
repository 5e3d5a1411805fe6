"""`core_conf` as the database has it now, masked: what is shown to people, and what each row was before."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import DEFAULT, SECTIONS, SINGLE, Conf, Known
from app.conf.secrets import MASK, KeyRing, looks_encrypted, redact
from app.db import core_conf
from app.db.core_conf import Row
from app.db.engine import db_session
from app.db.tables import CoreConfHistory
from app.errors import ConfError, ConfMissing


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as anybody may see it: secrets masked."""

    section: str
    name: str
    value: dict[str, Any]
    version: int
    """0 where nobody has written it."""
    updated_at: datetime | None
    updated_by: str | None
    trouble: str | None = None
    """Why it cannot be used, where that is so; its value is then as it was stored."""

    @classmethod
    def of(cls, row: Row, value: dict[str, Any], trouble: str | None = None) -> "ShownRow":
        """The row with that value in place of its own."""
        return cls(row.section, row.name, value, row.version, row.updated_at, row.updated_by, trouble)


def unwritten(section: str) -> list[ShownRow]:
    """The only row of a section that has one, as it takes effect before anybody writes it; else none."""
    return [ShownRow(section, DEFAULT, redact(SECTIONS[section]()), 0, None, None)] if section in SINGLE else []


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """What a row was, once: secrets masked."""

    version: int
    value: dict[str, Any] | None
    """None where the row was deleted."""
    updated_at: datetime
    updated_by: str
    note: str | None


class Records:
    """Answers from the database; raises `DatabaseError` while it is away."""

    def __init__(self, engine: AsyncEngine, key_ring: KeyRing, known: Known) -> None:
        self._engine = engine
        self._key_ring = key_ring
        self._known = known

    async def row(self, section: str, name: str) -> ShownRow:
        """That row, or what takes effect without it; raises `ConfMissing`."""
        try:
            return self._shown(await self._row(section, name))
        except ConfMissing:
            if (default := unwritten(section)) and name == DEFAULT:
                return default[0]
            raise

    async def conf(self, section: str, name: str) -> Conf:
        """That row, typed and with its secrets; raises `ConfError`."""
        return self._key_ring.open(section, name, (await self._row(section, name)).value, self._known)

    async def page(self, section: str, limit: int, *, after: str | None = None) -> Sequence[ShownRow]:
        """Rows of a section in the order of their names."""
        async with db_session(self._engine) as db:
            rows = await core_conf.page_of_rows(db, section, limit, after=after)
        if not rows and after is None:
            return unwritten(section)
        return await asyncio.to_thread(lambda: [self._shown(row) for row in rows])

    async def versions(
        self, section: str, name: str, limit: int, *, before: int | None = None
    ) -> Sequence[ShownVersion]:
        """What the row was, the newest first; raises `ConfMissing` where there never was one."""
        async with db_session(self._engine) as db:
            found = await core_conf.versions(db, section, name, limit, before=before)
            if not found and (before is None or not await core_conf.versions(db, section, name, 1)):
                raise ConfMissing(f"there is no {section}/{name}, and there never was")
        return await asyncio.to_thread(lambda: [self._shown_version(each) for each in found])

    async def version(self, section: str, name: str, number: int) -> ShownVersion:
        """What the row was at that version; raises `ConfMissing`."""
        async with db_session(self._engine) as db:
            found = await core_conf.version(db, section, name, number)
        if found is None:
            raise ConfMissing(f"{section}/{name} has no version {number}")
        return self._shown_version(found)

    async def _row(self, section: str, name: str) -> Row:
        async with db_session(self._engine) as db:
            row = await core_conf.read_row(db, section, name)
        if row is None:
            raise ConfMissing(f"there is no {section}/{name}")
        return row

    def _shown(self, row: Row) -> ShownRow:
        value, trouble = self._readable(row.section, row.name, row.value)
        return ShownRow.of(row, value, trouble)

    def _shown_version(self, row: CoreConfHistory) -> ShownVersion:
        value = None if row.value is None else self._readable(row.section, row.name, row.value)[0]
        return ShownVersion(row.version, value, row.updated_at, row.updated_by, row.note)

    def _readable(self, section: str, name: str, stored: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        try:
            return redact(self._key_ring.open(section, name, stored, self._known)), None
        except ConfError as error:  # of a later version, or its key is lost: it is still there, and can be replaced
            return _blanked(stored), str(error)


def _blanked(stored: Any) -> Any:
    match stored:
        case dict():
            return {key: _blanked(item) for key, item in stored.items()}
        case list():
            return [_blanked(item) for item in stored]
        case str() if looks_encrypted(stored):
            return MASK
        case _:
            return stored
