"""The way to PostgreSQL: engine, transactions, and what a failure of either is called."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from sqlalchemy import URL, exc, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.errors import DatabaseError

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 30
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""asyncpg's own, where SQLAlchemy does not stand between: while connecting, and on a connection that listens."""
NOT_NOW = ("08", "25006", "40", "53", "55", "57", "58")
"""Beginnings of the SQLSTATEs that blame the server's state and not us: read-only, disk full, shutting down, locked."""


def create_engine(url: str) -> AsyncEngine:
    """An engine for the URL; nothing is opened yet. Values never show in its errors: they may be secrets."""
    return create_async_engine(
        _asyncpg_url(url),
        pool_size=10,
        max_overflow=10,
        pool_timeout=5,
        pool_recycle=1800,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"timeout": CONNECT_TIMEOUT_S, "command_timeout": STATEMENT_TIMEOUT_S},
    )


@asynccontextmanager
async def db_session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """One transaction, committed at the end and rolled back on an error; `DatabaseError` if PostgreSQL is away."""
    with database_errors():
        async with AsyncSession(engine, expire_on_commit=False) as db, db.begin():
            yield db


@contextmanager
def database_errors() -> Iterator[None]:
    """Call every way in which PostgreSQL can be away or refuse us by one name."""
    try:
        yield
    except exc.DBAPIError as error:
        known = isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated
        if known or str(getattr(error.orig, "sqlstate", "")).startswith(NOT_NOW):
            raise _database_error(error.orig or error) from error
        raise
    except (OSError, exc.TimeoutError, *DRIVER_ERRORS) as error:  # TimeoutError is an OSError
        raise _database_error(error) from error


def _database_error(error: BaseException) -> DatabaseError:
    reason = str(error).strip().splitlines()
    return DatabaseError(f"the database cannot be used: {reason[-1] if reason else type(error).__name__}")


def _asyncpg_url(url: str) -> URL:
    """libpq's `sslmode`, which hosted databases print in their URLs, is called `ssl` by asyncpg."""
    parsed = make_url(url)
    if (mode := parsed.query.get("sslmode")) is None:
        return parsed
    return parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
