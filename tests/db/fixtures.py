"""A real PostgreSQL for tests: one server for the run, one migrated template, a database for each module."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.embedded import EmbeddedPostgres
from app.db.engine import create_engine
from app.db.jobs import QUEUE_TABLES
from app.db.migrate import migrate
from app.db.tables import Table


@pytest.fixture(scope="session")
def reachable_dir() -> Iterator[Path]:
    """A directory that other users can enter: the server does not run as root, and pytest's own are closed."""
    directory = Path(tempfile.mkdtemp(prefix="parley-test-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres_url(reachable_dir: Path) -> Iterator[str]:
    """The server of this test run."""
    server = EmbeddedPostgres(reachable_dir / "server", durable=False)
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    """The name of a database with all migrations."""
    asyncio.run(_administer(postgres_url, "create database template_parley"))
    asyncio.run(_migrated(database(postgres_url, "template_parley")))
    return "template_parley"


@pytest.fixture(scope="module")
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """A migrated database for this module alone."""
    name = f"test_{uuid4().hex}"
    asyncio.run(_administer(postgres_url, f"create database {name} template {template}"))
    yield database(postgres_url, name)
    asyncio.run(_administer(postgres_url, f"drop database {name} with (force)"))


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database with nothing in it."""
    name = f"empty_{uuid4().hex}"
    asyncio.run(_administer(postgres_url, f"create database {name}"))
    yield database(postgres_url, name)
    asyncio.run(_administer(postgres_url, f"drop database {name} with (force)"))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on this module's database, whose tables are empty."""
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text(f"truncate {', '.join([*Table.metadata.tables, *QUEUE_TABLES])}"))
    yield engine
    await engine.dispose()


def database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def _administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _migrated(url: str) -> None:
    engine = create_engine(url)
    await migrate(engine)
    await engine.dispose()
