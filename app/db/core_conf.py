"""The questions we ask of `core_conf`, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import audit
from app.db.audit import Actor
from app.db.tables import CoreConf, CoreConfHistory

CHANNEL = "core_conf"
"""What is notified when a row has changed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the database keeps it: secrets encrypted."""

    section: str
    name: str
    value: dict[str, Any]
    version: int
    updated_at: datetime
    updated_by: str

    @property
    def key(self) -> tuple[str, str]:
        """What no other row has."""
        return self.section, self.name


async def read_rows(db: AsyncSession) -> Sequence[Row]:
    """Every row."""
    found = await db.scalars(select(CoreConf).order_by(CoreConf.section, CoreConf.name))
    return [Row(row.section, row.name, row.value, row.version, row.updated_at, row.updated_by) for row in found]


async def read_row(db: AsyncSession, section: str, name: str) -> Row | None:
    """That row."""
    found = await db.get(CoreConf, (section, name))
    if found is None:
        return None
    return Row(section, name, found.value, found.version, found.updated_at, found.updated_by)


async def page_of_rows(db: AsyncSession, section: str, limit: int, *, after: str | None) -> Sequence[Row]:
    """Rows of a section in the order of their names, those after that name."""
    wanted = select(CoreConf).where(CoreConf.section == section).order_by(CoreConf.name.collate("C")).limit(limit)
    if after is not None:
        wanted = wanted.where(CoreConf.name.collate("C") > after)
    return [
        Row(section, row.name, row.value, row.version, row.updated_at, row.updated_by)
        for row in await db.scalars(wanted)
    ]


async def versions(
    db: AsyncSession, section: str, name: str, limit: int, *, before: int | None = None
) -> Sequence[CoreConfHistory]:
    """What a row was, the newest version first."""
    history = CoreConfHistory
    wanted = select(history).where(history.section == section, history.name == name)
    if before is not None:
        wanted = wanted.where(history.version < before)
    return (await db.scalars(wanted.order_by(history.version.desc()).limit(limit))).all()


async def version(db: AsyncSession, section: str, name: str, number: int) -> CoreConfHistory | None:
    """What a row was at that version."""
    return await db.get(CoreConfHistory, (section, name, number))


async def lock_rows(db: AsyncSession) -> dict[tuple[str, str], Row]:
    """Every row, and no other writer until this transaction ends: what a writer checks stays true."""
    await db.execute(text("lock table core_conf in share row exclusive mode"))
    return {row.key: row for row in await read_rows(db)}


async def ever_written(db: AsyncSession) -> frozenset[tuple[str, str]]:
    """The keys of all rows that are or were; a deleted one stays in the history."""
    found = await db.execute(select(CoreConfHistory.section, CoreConfHistory.name).distinct())
    return frozenset((section, name) for section, name in found)


async def write_row(
    db: AsyncSession, section: str, name: str, value: dict[str, Any], who: Actor, *, note: str | None, action: str
) -> Row:
    """Write the row, its history, the audit log and the notification; returns the row."""
    version = await _add_version(db, section, name, value, who, note=note, action=action)
    fresh = {"value": value, "version": version, "updated_by": who.name, "updated_at": func.now()}
    written = await db.execute(
        upsert(CoreConf)
        .values(section=section, name=name, **fresh)
        .on_conflict_do_update(index_elements=[CoreConf.section, CoreConf.name], set_=fresh)
        .returning(CoreConf.updated_at)
    )
    return Row(section, name, value, version, written.scalar_one(), who.name)


async def delete_row(db: AsyncSession, section: str, name: str, who: Actor, *, note: str | None) -> None:
    """Delete the row; its history stays and tells who did it."""
    await _add_version(db, section, name, None, who, note=note, action="delete")
    await db.execute(delete(CoreConf).where(CoreConf.section == section, CoreConf.name == name))


async def _add_version(
    db: AsyncSession,
    section: str,
    name: str,
    value: dict[str, Any] | None,
    who: Actor,
    *,
    note: str | None,
    action: str,
) -> int:
    """Versions go on counting where a deleted row is made again, so that none ever means two things."""
    history = CoreConfHistory
    last = await db.scalar(select(func.max(history.version)).where(history.section == section, history.name == name))
    version = (last or 0) + 1
    row = {"section": section, "name": name, "version": version, "value": value, "updated_by": who.name, "note": note}
    await db.execute(insert(history).values(row))
    await audit.note(db, who, action, f"{section}/{name}", before=last, after=version)
    await db.execute(select(func.pg_notify(CHANNEL, f"{section}/{name}")))  # sent when the transaction commits
    return version
