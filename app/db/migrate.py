"""Brings the database's tables to what this build needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db.engine import CONNECT_TIMEOUT_S, database_errors
from app.errors import DatabaseError

MIGRATIONS = Path(__file__).parents[2] / "migrations"
"""Beside `app/`, in the checkout and in the image."""
_LOCK = 0x7061726C6579  # "parley", the key of the advisory lock


async def migrate(engine: AsyncEngine) -> None:
    """Run every missing migration, all or none; a second process that starts meanwhile waits for the first."""
    if not MIGRATIONS.is_dir():
        raise DatabaseError(f"the migrations are missing: {MIGRATIONS} should stand beside app/")
    # an engine of its own: a migration may take longer than a query may
    own = create_async_engine(engine.url, poolclass=NullPool, connect_args={"timeout": CONNECT_TIMEOUT_S})
    try:
        with database_errors():
            async with own.begin() as connection:
                await upgrade(connection)
    except (CommandError, exc.SQLAlchemyError) as error:
        raise DatabaseError(f"the database could not be migrated: {error}") from error
    finally:
        await own.dispose()


async def upgrade(connection: AsyncConnection, revision: str = "head") -> None:
    """Run the migrations up to that one in the caller's transaction, and let nobody else until it ends."""
    await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    await connection.run_sync(_upgrade, revision)


def revisions() -> list[str]:
    """Every state of the tables that this build knows, the newest first."""
    return [each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()]


def _upgrade(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # configparser's escape
    return config
