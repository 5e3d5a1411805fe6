"""Bearer keys of the admin API: only their SHA-256 is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import audit
from app.db.audit import Actor
from app.db.ids import uuid7
from app.db.tables import ApiKey
from app.errors import LastAdminKey

KEY_PREFIX = "parley_"
NAME_CHARACTERS = 100
USE_NOTED_EVERY = timedelta(minutes=1)
"""How fresh a key's last use is: writing it down more often would cost more than it tells."""

Scope = Literal["read", "write", "calls", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

_VALID = ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now())


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whose key a request carries, and what it may do."""

    id: UUID
    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None

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
    valid = (ApiKey.sha256 == digest) & _VALID
    unnoted = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - USE_NOTED_EVERY)
    noted = update(ApiKey).where(valid, unnoted).values(last_used_at=func.now()).cte("noted")
    found = select(ApiKey.id, ApiKey.name, ApiKey.scopes, ApiKey.expires_at, ApiKey.sha256).where(valid).add_cte(noted)
    row = (await db.execute(found)).one_or_none()
    # the index compares digests, of which timing tells nothing usable; the last word is in constant time all the same
    if row is None or not hmac.compare_digest(row.sha256, digest):
        return None
    return KeyHolder(row.id, row.name, frozenset(row.scopes), row.expires_at)


async def keys(db: AsyncSession, limit: int, *, before: UUID | None = None) -> Sequence[ApiKey]:
    """Keys, the newest first; `before` is the id of the last one that was shown."""
    wanted = select(ApiKey).order_by(ApiKey.id.desc()).limit(limit)
    return (await db.scalars(wanted.where(ApiKey.id < before) if before else wanted)).all()


async def add_key(
    db: AsyncSession, name: str, scopes: Collection[str], *, who: Actor, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key, and what it is: nobody can tell later."""
    key = new_key()
    row = {"id": uuid7(), "name": name, "sha256": _digest(key), "scopes": sorted(set(scopes)), "expires_at": expires_at}
    made = (await db.scalars(insert(ApiKey).values(row).returning(ApiKey))).one()
    await audit.note(db, who, "create", f"key/{made.id}")
    return made, key


async def revoke(db: AsyncSession, key_id: UUID, *, who: Actor) -> bool:
    """Refuse that key from now on; false where there is none. Raises `LastAdminKey` for the last one of its kind."""
    await db.execute(text("lock table api_keys in share row exclusive mode"))  # of two last keys one stays
    key = await db.get(ApiKey, key_id)
    if key is None or key.revoked_at:
        return key is not None
    others = select(ApiKey.id).where(_VALID, ApiKey.scopes.contains(["admin"]), ApiKey.id != key_id).limit(1)
    if "admin" in key.scopes and not await db.scalar(others):
        raise LastAdminKey("this is the last valid key with the scope admin: make another one first")
    await db.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=func.now()))
    await audit.note(db, who, "revoke", f"key/{key_id}")
    return True


async def add_first_key(db: AsyncSession, key: str, name: str, scopes: Collection[str]) -> bool:
    """Store the key if there has never been one; says whether it was."""
    await db.execute(text("lock table api_keys in share row exclusive mode"))  # two first starts: one first key
    if await db.scalar(select(ApiKey.id).limit(1)):
        return False
    await db.execute(insert(ApiKey).values(id=uuid7(), name=name, sha256=_digest(key), scopes=sorted(scopes)))
    return True


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
