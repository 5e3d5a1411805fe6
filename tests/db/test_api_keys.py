import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from app.conf.seed import ADMIN_SCOPES, first_admin_key
from app.db.api_keys import verify
from app.db.engine import db_session
from app.db.tables import ApiKey


async def test_a_first_key_is_made_shown_once_and_stored_as_a_hash(engine: AsyncEngine):
    key = await first_admin_key(engine, None)
    assert key is not None
    assert await first_admin_key(engine, None) is None

    async with db_session(engine) as db:
        holder = await verify(db, key)
        assert holder is not None
        assert holder.scopes == ADMIN_SCOPES
        assert await verify(db, key + "x") is None
        assert key not in str((await db.execute(text("select api_keys::text from api_keys"))).all())


async def test_a_given_key_becomes_the_first_and_is_not_repeated(engine: AsyncEngine):
    given = SecretStr("a-key-from-the-environment")
    with capture_logs() as lines:
        assert await first_admin_key(engine, given) is None
        assert await first_admin_key(engine, given) is None
    assert lines == []

    async with db_session(engine) as db:
        assert await verify(db, given.get_secret_value())


async def test_another_key_in_the_environment_is_one_warning_without_it(engine: AsyncEngine):
    await first_admin_key(engine, SecretStr("the-first"))
    with capture_logs() as lines:
        await first_admin_key(engine, SecretStr("the-second"))

    [line] = lines
    assert line["variable"] == "ADMIN_API_KEY"
    assert "the-second" not in str(line)
    async with db_session(engine) as db:
        assert await verify(db, "the-second") is None


async def test_two_first_starts_make_one_key(engine: AsyncEngine):
    keys = await asyncio.gather(*(first_admin_key(engine, None) for _ in range(3)))
    assert sum(key is not None for key in keys) == 1


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
async def test_a_revoked_or_expired_key_is_refused(engine: AsyncEngine, column: str):
    key = await first_admin_key(engine, None)
    assert key
    async with db_session(engine) as db:
        await db.execute(update(ApiKey).values({column: func.now()}))
    async with db_session(engine) as db:
        assert await verify(db, key) is None


async def test_use_is_remembered(engine: AsyncEngine):
    key = await first_admin_key(engine, None)
    assert key
    async with db_session(engine) as db:
        assert await db.scalar(select(ApiKey.last_used_at)) is None
        await verify(db, key)
        assert await db.scalar(select(ApiKey.last_used_at)) is not None
