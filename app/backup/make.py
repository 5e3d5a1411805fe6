"""A house into a file, while it goes on working."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.backup.archive import CALLS, README, RECORDINGS, SECRET_KEY, ArchiveWriter, Manifest, TableEntry
from app.backup.dump import SETTLED, dump_table, known_schema, tables_of
from app.backup.folders import add_folder, add_notices, needed_folders
from app.backup.place import Place
from app.backup.words import readme
from app.call.journal.folder import RECORDING
from app.db.engine import database_errors
from app.db.line import own_line
from app.errors import BackupError, NotStored

Tell = Callable[[str, int, int], None]
"""Hears how far it got: of what, how much is done, and how much there is."""
_KEYS = "select key from recordings where key is not null and state <> 'deleted' order by key"


@dataclass(frozen=True, slots=True)
class Made:
    """What is in the file."""

    manifest: Manifest
    calls: int
    recordings: int
    bytes: int


async def make_backup(place: Place, file: Path, *, with_recordings: bool, tell: Tell) -> Made:
    """Write the backup; raises `BackupError`, `DatabaseError` or `StorageError`, and then leaves no file.

    The database is read as of one moment. What came home to it later is in the folders, which are read after it.
    """
    with await asyncio.to_thread(ArchiveWriter, file) as writer, tempfile.TemporaryDirectory(dir=file.parent) as spool:
        making = _Making(place, writer, Path(spool), tell)
        return await making.run(with_recordings=with_recordings)


class _Making:
    """One backup that is being made."""

    def __init__(self, place: Place, writer: ArchiveWriter, spool: Path, tell: Tell) -> None:
        self._place = place
        self._writer = writer
        self._spool = spool
        self._tell = tell
        self._missing: list[str] = []

    async def run(self, *, with_recordings: bool) -> Made:
        """All of it, as of one moment."""
        with database_errors():
            async with (
                own_line(self._place.engine) as link,
                link.transaction(isolation="repeatable_read", readonly=True, deferrable=True),
            ):
                return await self._run(link, with_recordings=with_recordings)

    async def _run(self, link: Any, *, with_recordings: bool) -> Made:
        """In an order in which nothing falls between two parts."""
        for setting in SETTLED:
            await link.execute(setting)
        moment = datetime.now(UTC)
        schema = await known_schema(link)
        tables = await self._tables(link)
        keys = [row[0] for row in await link.fetch(_KEYS)] if with_recordings else []
        calls = await self._calls(moment, sound=with_recordings)
        recordings = await self._recordings(keys)
        manifest = Manifest(
            parley=version("parley"),
            schema=schema,
            created_at=moment.isoformat(timespec="seconds"),
            with_recordings=with_recordings,
            with_key_ring=await asyncio.to_thread(self._key_ring),
            tables=tables,
            missing=self._missing,
        )
        self._writer.add_text(README, readme(manifest, calls=calls, recordings=recordings))
        size = await asyncio.to_thread(self._writer.finish, manifest)
        return Made(manifest, calls, recordings, size)

    async def _tables(self, link: Any) -> list[TableEntry]:
        tables = await tables_of(link)
        done = []
        for number, table in enumerate(tables, start=1):
            rows = self._spool / "rows"
            done.append(await dump_table(link, table, rows))
            await asyncio.to_thread(self._writer.add_file, table.member, rows)
            self._tell("tables", number, len(tables))
        return done

    async def _calls(self, moment: datetime, *, sound: bool) -> int:
        folders = await asyncio.to_thread(needed_folders, self._place, moment)
        for number, folder in enumerate(folders, start=1):
            key = await asyncio.to_thread(add_folder, self._writer, folder)
            if key and sound:
                await self._stored(key, f"{CALLS}{folder.name}/{RECORDING}")
            self._tell("calls", number, len(folders))
        await asyncio.to_thread(add_notices, self._place, self._writer)
        return len(folders)

    async def _recordings(self, keys: list[str]) -> int:
        found = 0
        for number, key in enumerate(keys, start=1):
            if await self._stored(key, f"{RECORDINGS}{key}"):
                found += 1
            else:
                self._missing.append(key)
            self._tell("recordings", number, len(keys))
        return found

    async def _stored(self, key: str, member: str) -> bool:
        """Add a file of the storage, by way of one of ours: a member's size must be known before it begins."""
        file = self._spool / "sound"
        try:
            await self._place.storage.fetch(key, file)
        except NotStored:
            return False
        await asyncio.to_thread(self._writer.add_file, member, file)
        return True

    def _key_ring(self) -> bool:
        """Add it where it is in the data directory; whether it is in the file."""
        if self._place.secret_key is not None:
            return False
        if not self._place.key_file.exists():
            raise BackupError(f"the key ring is missing: there is no SECRET_KEY, and no {self._place.key_file}")
        self._writer.add_file(SECRET_KEY, self._place.key_file)
        return True
