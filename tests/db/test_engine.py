import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import db_session
from app.errors import DatabaseError


async def perform(engine: AsyncEngine, *statements: str) -> None:
    async with db_session(engine) as db:
        for statement in statements:
            await db.execute(text(statement))


async def test_a_database_that_takes_no_writes_counts_as_away(engine):
    with pytest.raises(DatabaseError, match="read-only"):
        await perform(engine, "set transaction read only", "delete from stream_claims")


async def test_a_database_that_ends_our_statement_counts_as_away(engine):
    with pytest.raises(DatabaseError, match="timeout"):
        await perform(engine, "set local statement_timeout = 10", "select pg_sleep(5)")


async def test_a_mistake_of_ours_does_not(engine):
    with pytest.raises(ProgrammingError):
        await perform(engine, "select nonsense")
