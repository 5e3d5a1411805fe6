"""All that is kept of somebody's calls as one zip file, made while it is sent."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import datetime
from io import RawIOBase
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.journal.digest import digest
from app.db.call_queries import calls_of, events_after, get_call, recordings_with_words
from app.db.engine import db_session
from app.db.tables import Recording, Table
from app.errors import StorageError
from app.recordings.storage import Storage

AT_ONCE = 100


async def export_calls(engine: AsyncEngine, storage: Storage, number: str) -> AsyncIterator[bytes]:
    """The pieces of a zip file with a folder for each call of that number, oldest first; one call is held at a time."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        async for call_id in _calls(engine, number):
            async for _ in _write_call(archive, engine, storage, call_id):
                yield sink.take()
    yield sink.take()


async def _calls(engine: AsyncEngine, number: str) -> AsyncIterator[UUID]:
    after = None
    while True:
        async with db_session(engine) as db:
            places = await calls_of(db, number, AT_ONCE, after=after)
        for _, call_id in places:
            yield call_id
        if len(places) < AT_ONCE:
            return
        after = places[-1]


async def _write_call(
    archive: zipfile.ZipFile, engine: AsyncEngine, storage: Storage, call_id: UUID
) -> AsyncIterator[None]:
    """Writes the call's folder; yields whenever something can be sent."""
    async with db_session(engine) as db:
        if (call := await get_call(db, call_id)) is None:
            return  # deleted meanwhile
        events = await events_after(db, call_id, 0)
        recordings = await recordings_with_words(db, call)
    folder = f"{call.started_at:%Y-%m-%dT%H%M%SZ}_{call.id}"
    about = {"call": _row(call), **_plain_digest(events), "recordings": [_row(each) for each, _ in recordings]}
    files = {"call.json": _json(about), "events.jsonl": "".join(_json(asdict(each), indent=None) for each in events)}
    files |= {f"{each.id}.transcript.json": _json(_row(words)) for each, words in recordings if words}
    await asyncio.to_thread(_add, archive, folder, files)
    yield
    for recording, _ in recordings:
        async for _ in _write_sound(archive, storage, recording, folder):
            yield


async def _write_sound(
    archive: zipfile.ZipFile, storage: Storage, recording: Recording, folder: str
) -> AsyncIterator[None]:
    if recording.key is None:
        return
    entry = zipfile.ZipInfo(f"{folder}/{recording.id}.wav", _moment(recording.created_at))
    try:
        with archive.open(entry, "w", force_zip64=True) as sound:  # µ-law does not get smaller: stored as it is
            async for piece in storage.read(recording.key):
                await asyncio.to_thread(sound.write, piece)
                yield
    except StorageError as error:
        await asyncio.to_thread(_add, archive, folder, {f"{recording.id}.missing.txt": f"{error}\n"})


class _Sink(RawIOBase):
    """Takes what the zip file writes, until it is sent."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """All that was written since."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _add(archive: zipfile.ZipFile, folder: str, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        archive.writestr(f"{folder}/{name}", text)


def _row(row: Table) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns if column.name != "search"}


def _plain_digest(events: Any) -> dict[str, Any]:
    told = digest(events)
    return {"turns": [asdict(turn) for turn in told.turns], "tools": [asdict(tool) for tool in told.tools]}


def _json(value: object, indent: int | None = 2) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str) + "\n"


def _moment(at: datetime) -> tuple[int, int, int, int, int, int]:
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)
