"""Keys while the database is away."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.db.api_keys import KeyHolder
from app.errors import DatabaseError
from app.web.remembered_keys import WITHIN_S, RememberedKeys

HOLDER = KeyHolder(uuid4(), "ops", frozenset({"calls"}))


class Database:
    def __init__(self) -> None:
        self.keys: dict[str, KeyHolder] = {"parley_1": HOLDER}
        self.away = False
        self.now_s = 0.0

    async def find(self, key: str) -> KeyHolder | None:
        if self.away:
            raise DatabaseError("away")
        return self.keys.get(key)

    def remembered(self) -> RememberedKeys:
        return RememberedKeys(self.find, now_s=lambda: self.now_s)


async def test_a_key_that_was_seen_is_believed_in_for_an_hour_without_the_database():
    database = Database()
    find = database.remembered()
    assert await find("parley_1") == HOLDER
    database.away = True
    database.now_s = WITHIN_S
    assert await find("parley_1") == HOLDER
    database.now_s += 1
    with pytest.raises(DatabaseError):
        await find("parley_1")


async def test_a_key_that_was_never_seen_or_was_wrong_is_not():
    database = Database()
    find = database.remembered()
    assert await find("parley_2") is None
    database.away = True
    for key in ("parley_1", "parley_2"):
        with pytest.raises(DatabaseError):
            await find(key)


async def test_a_revoked_key_is_forgotten_as_soon_as_the_database_says_so():
    database = Database()
    find = database.remembered()
    await find("parley_1")
    database.keys.clear()
    assert await find("parley_1") is None
    database.away = True
    with pytest.raises(DatabaseError):
        await find("parley_1")


async def test_a_key_expires_also_while_the_database_is_away():
    database = Database()
    expired = KeyHolder(HOLDER.id, "ops", HOLDER.scopes, datetime.now(UTC) - timedelta(seconds=1))
    database.keys["parley_1"] = expired
    find = database.remembered()
    await find("parley_1")
    database.away = True
    with pytest.raises(DatabaseError):
        await find("parley_1")
