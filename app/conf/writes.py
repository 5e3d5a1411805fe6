"""Writing `core_conf`: what is checked, and what one transaction changes."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.conf.advice import advice
from app.conf.kept import keep_absent, keep_in_lists, unmask
from app.conf.models import DEFAULT, SECTIONS, SINGLE, Conf, Known, parse
from app.conf.patch import merged
from app.conf.records import ShownRow
from app.conf.secrets import KeyRing, redact, reveal
from app.db import core_conf
from app.db.audit import Actor
from app.db.core_conf import Row
from app.db.engine import db_session
from app.errors import ConfConflict, ConfError, ConfExists, ConfInUse, ConfInvalid, ConfMissing

Expected = int | Callable[[int], bool] | None
"""The version that the writer saw, or which versions will do; 0 stands for no row."""
_SQLSTATE_DATA = "22"


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and why."""

    by: str | Actor
    note: str | None = None

    @property
    def actor(self) -> Actor:
        """Who, as the audit log knows it."""
        return self.by if isinstance(self.by, Actor) else Actor(self.by)


@dataclass(frozen=True, slots=True)
class Written:
    """A row's new version, and what the writer should know about what it says."""

    row: ShownRow
    warnings: list[str]
    created: bool = False
    """Whether there was none before."""

    @property
    def version(self) -> int:
        """The new version."""
        return self.row.version


@dataclass(frozen=True, slots=True)
class _Place:
    """A row that is being written, with all the others, while nobody else writes."""

    db: AsyncSession
    section: str
    name: str
    rows: Mapping[tuple[str, str], Row]

    @property
    def current(self) -> Row | None:
        return self.rows.get((self.section, self.name))

    def __str__(self) -> str:
        return f"{self.section}/{self.name}"


class Writes:
    """Checked writes, each a transaction of its own; whoever holds the rows in memory is told after each."""

    def __init__(
        self, engine: AsyncEngine, key_ring: KeyRing, known: Known, written: Callable[[], Awaitable[None]]
    ) -> None:
        self._engine = engine
        self._key_ring = key_ring
        self._known = known
        self._written = written

    async def create(self, section: str, name: str, value: object, author: Author) -> Written:
        """Write a row that is not there yet; raises `ConfExists`."""
        try:
            return await self.put(section, name, value, author, expected=0)
        except ConfConflict:
            raise ConfExists(f"there is a {section}/{name} already") from None

    async def put(self, section: str, name: str, value: object, author: Author, expected: Expected = None) -> Written:
        """Write the row in place of the one that is there.

        A secret that is left out, or given in its masked form, stays as it is; null takes it away. An agent may be
        given in old words.
        """
        async with self._locked(section, name, expected) as place:
            conf, warnings = self._given(place, value)
            return await self._write(place, conf, warnings, author)

    async def check(self, section: str, name: str, value: object) -> tuple[dict[str, Any], list[str]]:
        """The row as it would be shown, and the warnings; raises what `put` would raise, and writes nothing."""
        async with db_session(self._engine) as db:
            rows = {row.key: row for row in await core_conf.read_rows(db)}
        conf, warnings = self._given(_Place(db, section, name, rows), value)
        return redact(conf), warnings

    async def patch(
        self, section: str, name: str, patch: Mapping[str, Any], author: Author, expected: Expected = None
    ) -> Written:
        """Change these fields of the row, as a JSON merge patch does; raises `ConfMissing` without one.

        What has defaults without a row is changed from these.
        """
        async with self._locked(section, name, expected) as place:
            stored = self._opened(place, place.current) if place.current else _unwritten(place)
            value = merged(reveal(stored), keep_in_lists(patch, stored), SECTIONS[section])
            conf, warnings = self._read(place, value, stored)
            return await self._write(place, conf, warnings, author)

    async def restore(
        self, section: str, name: str, version: int, author: Author, expected: Expected = None
    ) -> Written:
        """Write what the row was at that version as a new one, with the secrets that it had."""
        async with self._locked(section, name, expected) as place:
            old = await core_conf.version(place.db, section, name, version)
            if old is None:
                raise ConfMissing(f"{place} has no version {version}")
            if old.value is None:
                raise ConfInvalid(f"{place}: version {version} is its deletion; there is nothing to restore")
            stored = self._key_ring.open(section, name, old.value, self._known)
            conf, warnings = self._read(place, reveal(stored), stored)
            return await self._write(place, conf, warnings, author, action="restore")

    async def delete(self, section: str, name: str, author: Author, expected: Expected = None) -> None:
        """Delete the row, unless another one needs it."""
        async with self._locked(section, name, expected) as place:
            _existing(place)
            if section == "agent" and (used := _numbers_of(name, place.rows)):
                raise ConfInUse(f"{place} answers {', '.join(used)}: give these numbers another agent first")
            await core_conf.delete_row(place.db, section, name, author.actor, note=author.note)

    @asynccontextmanager
    async def _locked(self, section: str, name: str, expected: Expected) -> AsyncIterator[_Place]:
        async with db_session(self._engine) as db:
            place = _Place(db, section, name, await core_conf.lock_rows(db))
            version = place.current.version if place.current else 0
            if not (expected is None or (expected(version) if callable(expected) else expected == version)):
                seen = f"has version {version}" if version else "does not exist"
                raise ConfConflict(f"{place} {seen}: it was written since you read it; read it again")
            yield place
        await self._written()

    def _given(self, place: _Place, value: object) -> tuple[Conf, list[str]]:
        """What is given, completed with the secrets we hold for what was left out."""
        warnings: list[str] = []
        if place.section == "agent" and isinstance(value, dict):
            value, warnings = self._known.modernise(place.name, value)
        stored = None
        if place.current:
            with contextlib.suppress(ConfError):  # a row that cannot be read has nothing to keep, and may be replaced
                stored = self._opened(place, place.current)
        if stored and isinstance(value, dict):
            value = keep_absent(value, stored)
        conf, more = self._read(place, value, stored)
        return conf, [f"{place}: {warning}" for warning in warnings] + more

    def _read(self, place: _Place, value: object, stored: Conf | None) -> tuple[Conf, list[str]]:
        """The value as a row that works beside the others, and what its writer should know."""
        given = parse(place.section, place.name, value, self._known)
        conf = parse(place.section, place.name, unmask(given, stored), self._known)
        warnings = advice(place.name, conf, place.rows, self._known, datetime.now(UTC).date())
        return conf, [f"{place}: {warning}" for warning in warnings]

    async def _write(
        self, place: _Place, conf: Conf, warnings: list[str], author: Author, action: str | None = None
    ) -> Written:
        section, name = place.section, place.name
        action = action or ("update" if place.current else "create")
        try:
            row = await core_conf.write_row(
                place.db,
                section,
                name,
                self._key_ring.seal(section, name, conf),
                author.actor,
                note=author.note,
                action=action,
            )
        except exc.DBAPIError as error:
            if str(getattr(error.orig, "sqlstate", "")).startswith(_SQLSTATE_DATA):
                raise ConfInvalid(f"{place}: has characters that cannot be stored, like \\u0000") from None
            raise
        return Written(ShownRow.of(row, redact(conf)), warnings, created=place.current is None)

    def _opened(self, place: _Place, row: Row) -> Conf:
        return self._key_ring.open(place.section, place.name, row.value, self._known)


def _unwritten(place: _Place) -> Conf:
    if place.section not in SINGLE or place.name != DEFAULT:
        raise ConfMissing(f"there is no {place}")
    return SECTIONS[place.section]()


def _existing(place: _Place) -> Row:
    if place.current is None:
        raise ConfMissing(f"there is no {place}")
    return place.current


def _numbers_of(agent: str, rows: Mapping[tuple[str, str], Row]) -> list[str]:
    return [
        name
        for (section, name), row in rows.items()
        if section == "number" and agent in {row.value.get("agent"), (row.value.get("hours") or {}).get("closed_agent")}
    ]
