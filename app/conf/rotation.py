"""A new key: every secret of `core_conf` and of its history, encrypted again with the ring's first one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.conf.models import Known
from app.conf.secrets import KeyRing
from app.db import audit, core_conf
from app.db.audit import Actor
from app.db.engine import db_session
from app.db.tables import CoreConf, CoreConfHistory
from app.errors import SecretsError


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a row, or of one version in the history."""

    row: str
    changed: bool
    trouble: str | None = None
    """Why its secrets stay as they are: none of our keys opens them."""


async def rotate(
    engine: AsyncEngine, key_ring: KeyRing, known: Known, who: Actor, *, dry_run: bool = False
) -> AsyncIterator[Rotated]:
    """Tell of each row as it is done; all of it counts only when the last one has been told of.

    Versions stay what they are: nothing that an operator set has changed.
    """
    async with db_session(engine) as db:
        await core_conf.lock_rows(db)
        changed = 0
        for row in await _everything(db):
            done = _seal_again(row, key_ring, known, write=not dry_run)
            changed += done.changed
            yield done
        if changed and not dry_run:
            await db.flush()
            await audit.note(db, who, "rotate", "core_conf")
            await db.execute(select(func.pg_notify(core_conf.CHANNEL, "*")))


async def _everything(db: AsyncSession) -> list[CoreConf | CoreConfHistory]:
    history = CoreConfHistory
    rows = await db.scalars(select(CoreConf).order_by(CoreConf.section, CoreConf.name))
    versions = await db.scalars(select(history).order_by(history.section, history.name, history.version))
    return [*rows, *versions]


def _seal_again(row: CoreConf | CoreConfHistory, key_ring: KeyRing, known: Known, *, write: bool) -> Rotated:
    shown = f"{row.section}/{row.name}" if isinstance(row, CoreConf) else f"{row.section}/{row.name} v{row.version}"
    if row.value is None:
        return Rotated(shown, changed=False)
    try:
        sealed = key_ring.seal_again(row.section, row.name, row.value, known)
    except SecretsError as error:
        return Rotated(shown, changed=False, trouble=str(error))
    changed = bool(sealed != row.value)
    if changed and write:
        row.value = sealed
    return Rotated(shown, changed=changed)
