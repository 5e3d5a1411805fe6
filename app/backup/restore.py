"""A file back into a house."""

import asyncio
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection

from app.backup.archive import RECORDINGS, SECRET_KEY, ArchiveReader
from app.backup.folders import put_folders
from app.backup.load import drop_all, end_lost_calls, load, must_be_alone, must_be_empty, unreadable
from app.backup.place import Place
from app.conf.models import Known
from app.conf.secrets import KEY_CHARACTERS, KeyRing
from app.db.engine import database_errors
from app.db.files import write_private
from app.errors import BackupError, DatabaseError
from app.jobs.tend import sweep

Tell = Callable[[str, int, int], None]
SNAPSHOT = "core_conf.json"
"""The last configuration that a process saw: of the house that was here before."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person who restores has agreed to."""

    replace: bool = False
    """What is in the database may be deleted."""
    without_key: bool = False
    """Secrets that nobody can read are no reason to stop."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there again."""

    rows: int
    calls: int
    recordings: int
    ended: int
    """Calls that went on when the backup was made."""
    unreadable: list[str]
    """Why rows of the configuration cannot be read, line by line."""
    old_key_file: Path | None = None
    """Where the key ring is now that was here before."""


async def check_backup(archive: ArchiveReader, tell: Tell) -> None:
    """Read all of it, and raise `BackupError` where it is not what was written."""
    total = sum(entry.bytes for entry in archive.manifest.files)
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        tell("checking", done, total)

    await asyncio.to_thread(archive.verify, count)


async def restore_backup(place: Place, archive: ArchiveReader, known: Known, wanted: Wanted, tell: Tell) -> Restored:
    """Put everything to its place. The database is changed last and at once; before that, nothing in it is."""
    await check_backup(archive, tell)
    ring = await asyncio.to_thread(_ring, place, archive, wanted)
    work = _Restoring(place, archive, known, ring, wanted, tell)
    try:
        with database_errors():
            async with place.engine.begin() as connection:
                restored = await work.run(connection)
    except exc.SQLAlchemyError as error:
        raise DatabaseError(f"the backup could not be loaded: {error}") from error
    await asyncio.to_thread((place.data_dir / SNAPSHOT).unlink, missing_ok=True)
    await sweep(place.engine)
    return restored


@dataclass(frozen=True, slots=True)
class _Restoring:
    """One restoration under way."""

    place: Place
    archive: ArchiveReader
    known: Known
    ring: KeyRing
    wanted: Wanted
    tell: Tell

    async def run(self, connection: AsyncConnection) -> Restored:
        """What may be refused comes first, what cannot be undone last."""
        archive = self.archive
        await must_be_alone(connection)
        if not self.wanted.replace:
            await must_be_empty(connection)
        await drop_all(connection)
        await load(connection, archive, self.tell)
        lines = await unreadable(connection, self.ring, self.known)
        if lines and not self.wanted.without_key:
            raise BackupError(_wrong_key(archive, lines))
        recordings = await self._put_recordings()
        folders = await asyncio.to_thread(put_folders, self.place, archive)
        ended = await end_lost_calls(connection, archive.manifest.created_at, folders)
        old = await asyncio.to_thread(_put_key_file, self.place, archive)
        rows = sum(table.rows for table in archive.manifest.tables)
        return Restored(rows, len(folders), recordings, ended, lines, old)

    async def _put_recordings(self) -> int:
        members = self.archive.names(RECORDINGS)
        with tempfile.TemporaryDirectory(dir=self.place.data_dir) as spool:
            file = Path(spool) / "sound"
            for number, member in enumerate(members, start=1):
                await asyncio.to_thread(self.archive.copy, member, file)
                await self.place.storage.put(member.removeprefix(RECORDINGS), file)
                self.tell("recordings", number, len(members))
        return len(members)


def _ring(place: Place, archive: ArchiveReader, wanted: Wanted) -> KeyRing:
    """The keys that this house will have."""
    if place.secret_key is not None:
        text = place.secret_key.get_secret_value()
    elif archive.manifest.with_key_ring:
        text = _key_in(archive)
        if place.key_file.exists() and place.key_file.read_text().strip() != text and not wanted.replace:
            raise BackupError(f"{place.key_file} is another key ring than the backup's; --replace keeps it beside")
    elif place.key_file.exists():
        text = place.key_file.read_text().strip()
    elif wanted.without_key:
        text = secrets.token_urlsafe(KEY_CHARACTERS)  # opens nothing; the house makes its own at its start
    else:
        raise BackupError("the backup has no key ring, and there is no SECRET_KEY here: set the one it was made with")
    return KeyRing([key.strip() for key in text.split(",")])


def _wrong_key(archive: ArchiveReader, lines: list[str]) -> str:
    if archive.manifest.with_key_ring:
        remedy = "the backup brings its own key ring: start without SECRET_KEY, or put that key after a comma"
    else:
        remedy = "set SECRET_KEY to what it was where the backup was made"
    return (
        f"SECRET_KEY is not the one that these secrets were encrypted with, and nothing was restored: {remedy}. "
        "Where that key is lost, --without-key restores all the rest.\n" + "\n".join(lines)
    )


def _put_key_file(place: Place, archive: ArchiveReader) -> Path | None:
    """Put the backup's key ring to its place, unless the environment has one; where the old one is now."""
    if place.secret_key is not None or not archive.manifest.with_key_ring:
        return None
    old, text = None, _key_in(archive)
    if place.key_file.exists() and place.key_file.read_text().strip() != text:
        old = place.key_file.with_name(f"secret_key.{datetime.now(UTC):%Y%m%dT%H%M%S}")
        place.key_file.rename(old)
    write_private(place.key_file, text)
    return old


def _key_in(archive: ArchiveReader) -> str:
    return archive.open(SECRET_KEY).read().decode().strip()
