"""Bearer keys of the admin API: only their SHA-256 is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.audit import Actor
from app.db.ids import uuid7
from app.db.tables import ApiKey

KEY_PREFIX = "parley_"
USE_NOTED_EVERY = timedelta(minutes=1)
"""How fresh a key's last use is: writing it down more often would cost more than it tells."""

Scope = Literal["read", "write", "calls", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whose key a request carries, and what it may do."""

    id: UUID
    name: str
    scopes: frozenset[str]

    def may(self, scope: Scope) -> bool:
        """Whether the key has that scope; `admin` has all, and `write` has `read`."""
        return scope in self.scopes or "admin" in self.scopes or (scope == "read" and "write" in self.scopes)

    @property
    def actor(self) -> Actor:
        """The holder as the audit log knows it."""
        return Actor(f"{self.name} (API key)", self.id)


def new_key() -> str:
    """A key that nobody can guess, and that shows what it is for where it leaks."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


async def verify(db: AsyncSession, key: str) -> KeyHolder | None:
    """The holder of a valid key; `None` for one that is unknown, expired or revoked."""
    digest = _digest(key)
    valid = (
        (ApiKey.sha256 == digest)
        & ApiKey.revoked_at.is_(None)
        & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now())
    )
    unnoted = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - USE_NOTED_EVERY)
    noted = update(ApiKey).where(valid, unnoted).values(last_used_at=func.now()).cte("noted")
    found = select(ApiKey.id, ApiKey.name, ApiKey.scopes, ApiKey.sha256).where(valid).add_cte(noted)
    row = (await db.execute(found)).one_or_none()
    # the index compares digests, of which timing tells nothing usable; the last word is in constant time all the same
    return (
        KeyHolder(row.id, row.name, frozenset(row.scopes)) if row and hmac.compare_digest(row.sha256, digest) else None
    )


async def add_first_key(db: AsyncSession, key: str, name: str, scopes: Collection[str]) -> bool:
    """Store the key if there has never been one; says whether it was."""
    await db.execute(text("lock table api_keys in share row exclusive mode"))  # two first starts: one first key
    if await db.scalar(select(ApiKey.id).limit(1)):
        return False
    await db.execute(insert(ApiKey).values(id=uuid7(), name=name, sha256=_digest(key), scopes=sorted(scopes)))
    return True


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
