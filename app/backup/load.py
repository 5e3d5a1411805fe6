"""Tables into a database, in one transaction: all of it, or nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.backup.archive import ArchiveReader
from app.backup.dump import SETTLED, schema_of
from app.conf.models import Known
from app.conf.secrets import KeyRing
from app.db import core_conf
from app.db.jobs import QUEUE_TABLES
from app.db.migrate import revisions, upgrade
from app.db.tables import Table
from app.errors import BackupError, ConfError, SecretsError

LOOKS, LOOK_EVERY_S = 10, 0.1
_OTHERS = text(
    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
    "and coalesce(backend_type, 'client backend') = 'client backend'"
)
_END_CALLS = text(
    "update calls set status = 'ended', end_reason = 'server_crash', "
    "ended_at = greatest(started_at, cast(cast(:moment as text) as timestamptz)) "
    "where end_reason is null and not (id::text = any(cast(:folders as text[])))"
)
_NAMES = [*Table.metadata.tables, *QUEUE_TABLES, "alembic_version"]


async def must_be_alone(connection: AsyncConnection) -> None:
    """Raise `BackupError` where anybody else uses the database."""
    for _ in range(LOOKS):
        await connection.execute(text("select pg_stat_clear_snapshot()"))  # else a transaction sees one moment only
        if not (others := await connection.scalar(_OTHERS)):
            return
        await asyncio.sleep(LOOK_EVERY_S)  # one that has just said goodbye is still there for a moment
    raise BackupError(f"{others} other connections use this database: stop every Parley (and psql) first")


async def must_be_empty(connection: AsyncConnection) -> None:
    """Raise `BackupError` where the database has rows of ours; it names them."""
    found = []
    for name in Table.metadata.tables:
        if await connection.scalar(text("select to_regclass(:name)"), {"name": name}):
            rows = await connection.scalar(text(f'select count(*) from "{name}"'))  # noqa: S608 (our names)
            found += [f"{rows} of {name}"] if rows else []
    if found:
        raise BackupError(f"the database is not empty, it has rows: {', '.join(found)}; --replace deletes them all")


async def drop_all(connection: AsyncConnection) -> None:
    """Take away all that our migrations made; what others keep in the same database stays."""
    for name in _NAMES:
        await connection.execute(text(f'drop table if exists "{name}" cascade'))
    await connection.execute(text("drop function if exists fn_pgqueuer_changed() cascade"))
    await connection.execute(text("drop type if exists pgqueuer_status cascade"))


async def load(connection: AsyncConnection, archive: ArchiveReader, tell: Callable[[str, int, int], None]) -> None:
    """Make the tables as they were, fill them, and bring them to what this build needs."""
    schema = archive.manifest.schema
    if schema not in revisions():
        raise BackupError(f"the backup is of a later release (schema {schema}): restore it with that one, or a newer")
    await upgrade(connection, schema)
    link: Any = (await connection.get_raw_connection()).driver_connection
    assert await schema_of(link) == schema  # noqa: S101 - we have just made it so
    for setting in SETTLED:
        await link.execute(setting)
    await _empty(connection)
    for number, table in enumerate(archive.manifest.tables, start=1):
        with archive.open(table.member) as rows:
            done = await link.copy_to_table(table.name, source=rows, columns=table.columns)
        if done != f"COPY {table.rows}":
            raise BackupError(f"{table.name}: {done}, and the backup says {table.rows} rows")
        tell("tables", number, len(archive.manifest.tables))
    await upgrade(connection)


async def end_lost_calls(connection: AsyncConnection, moment: str, folders: list[str]) -> int:
    """End the calls that went on when the backup was made, and of which there is no folder that would do so."""
    return (await connection.execute(_END_CALLS, {"moment": moment, "folders": folders})).rowcount


async def unreadable(connection: AsyncConnection, ring: KeyRing, known: Known) -> list[str]:
    """Why rows of `core_conf` cannot be read with these keys, line by line."""
    async with AsyncSession(connection) as db:
        rows = await core_conf.read_rows(db)
    found = []
    for row in rows:
        try:
            ring.open(row.section, row.name, row.value, known)
        except SecretsError as error:
            found.append(str(error))
        except ConfError:
            continue  # of another release: it was like that before
    return found


async def _empty(connection: AsyncConnection) -> None:
    """Take out what migrations have put in: the backup has it too."""
    for table in reversed(Table.metadata.sorted_tables):
        if await connection.scalar(text("select to_regclass(:name)"), {"name": table.name}):
            await connection.execute(text(f'delete from "{table.name}"'))  # noqa: S608 (our names)
