"""Bearer keys of the admin API: only their SHA-256 is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Collection

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.ids import uuid7
from app.db.tables import ApiKey

KEY_PREFIX = "parley_"


def new_key() -> str:
    """A key that nobody can guess, and that shows what it is for where it leaks."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


async def verify(db: AsyncSession, key: str) -> frozenset[str] | None:
    """The scopes of a valid key; `None` for one that is unknown, expired or revoked."""
    digest = _digest(key)
    valid = ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now())
    use = update(ApiKey).where(ApiKey.sha256 == digest, valid).values(last_used_at=func.now())
    row = (await db.execute(use.returning(ApiKey.sha256, ApiKey.scopes))).one_or_none()
    # the index compares digests, of which timing tells nothing usable; the last word is in constant time all the same
    return frozenset(row.scopes) if row and hmac.compare_digest(row.sha256, digest) else None


async def add_first_key(db: AsyncSession, key: str, name: str, scopes: Collection[str]) -> bool:
    """Store the key if there has never been one; says whether it was."""
    await db.execute(text("lock table api_keys in share row exclusive mode"))  # two first starts: one first key
    if await db.scalar(select(ApiKey.id).limit(1)):
        return False
    await db.execute(insert(ApiKey).values(id=uuid7(), name=name, sha256=_digest(key), scopes=sorted(scopes)))
    return True


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
