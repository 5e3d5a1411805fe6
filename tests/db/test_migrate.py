import asyncio
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import migrate as migrate_module
from app.db.engine import create_engine
from app.db.jobs import QUEUE_TABLES
from app.db.migrate import migrate
from app.db.tables import Table
from app.errors import DatabaseError


async def test_two_processes_that_start_together_migrate_once(empty_database_url):
    engines = [create_engine(empty_database_url) for _ in range(3)]
    await asyncio.gather(*(migrate(engine) for engine in engines))

    async with engines[0].connect() as connection:
        newest = max(file.name[:4] for file in (migrate_module.MIGRATIONS / "versions").glob("0*.py"))
        assert (await connection.scalars(text("select version_num from alembic_version"))).all() == [newest]
        assert set(await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'"))) == {
            *Table.metadata.tables,
            *QUEUE_TABLES,
            "alembic_version",
        }
    for engine in engines:
        await engine.dispose()


async def test_a_second_migration_changes_nothing(engine: AsyncEngine):
    await migrate(engine)


async def test_the_migrations_make_exactly_the_tables_of_the_code(engine: AsyncEngine):
    def differences(connection: Connection) -> list[object]:
        ours = {"include_name": lambda name, kind, _parents: kind != "table" or name not in QUEUE_TABLES}
        return compare_metadata(MigrationContext.configure(connection, opts=ours), Table.metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_migrations_make_exactly_the_tables_that_the_queue_asks_for(engine: AsyncEngine):
    async with engine.connect() as connection:
        link: Any = (await connection.get_raw_connection()).driver_connection
        plan = await Queries(AsyncpgDriver(link)).plan_upgrade()
    assert plan.statements == ()


async def test_a_database_from_a_newer_release_is_refused_by_name(empty_database_url):
    engine = create_engine(empty_database_url)
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))

    with pytest.raises(DatabaseError, match="9999"):
        await migrate(engine)
    await engine.dispose()


async def test_a_server_that_is_away_is_a_database_error_without_the_password():
    engine = create_engine("postgresql+asyncpg://parley:hunter2hunter2@127.0.0.1:1/parley")
    with pytest.raises(DatabaseError) as refused:
        await migrate(engine)
    assert "hunter2" not in str(refused.value)
    await engine.dispose()


async def test_missing_migrations_are_named(engine: AsyncEngine, tmp_path, monkeypatch):
    monkeypatch.setattr(migrate_module, "MIGRATIONS", tmp_path / "migrations")
    with pytest.raises(DatabaseError, match="beside app"):
        await migrate(engine)
