"""What only the data directory holds: calls that did not reach the database yet, and what Twilio told meanwhile."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from app.backup.archive import CALLBACKS, CALLS, ArchiveReader, ArchiveWriter, file_errors
from app.backup.place import Place
from app.call.journal.folder import OWNER, RECORDING, read_record
from app.jobs.calls.ingest import INGESTED
from app.jobs.calls.released import RELEASED
from app.jobs.recordings.own_recording import sound_key
from app.jobs.recordings.twilio_callbacks import FOLDER

MARKS = frozenset({OWNER, INGESTED, RELEASED})
"""They are true of the house that they are in."""


def needed_folders(place: Place, since: datetime) -> list[Path]:
    """The calls that the database did not have whole at that moment."""
    return [folder for folder in sorted(place.calls.glob("[!.]*/")) if _is_needed(folder, since)]


def add_folder(writer: ArchiveWriter, folder: Path) -> str | None:
    """Add what the folder holds; the key in the storage of its sound, where that went there meanwhile."""
    names = set()
    for file in _files(folder):
        try:
            writer.add_file(f"{CALLS}{folder.name}/{file.name}", file)
        except FileNotFoundError:  # the server is at work
            continue
        names.add(file.name)
    return _stored_sound(folder) if RECORDING not in names and (folder / RELEASED).exists() else None


def add_notices(place: Place, writer: ArchiveWriter) -> None:
    """Add what Twilio told and no database has heard yet."""
    for notice in sorted((place.data_dir / FOLDER).glob("*")):
        if notice.is_file() and not notice.name.startswith("."):
            writer.add_file(f"{CALLBACKS}{notice.name}", notice)


def put_folders(place: Place, archive: ArchiveReader) -> list[str]:
    """Put calls and notices where the next start finds them, whole or not at all; those that are here already stay."""
    by_call: dict[str, list[str]] = {}
    for name in archive.names(CALLS):
        by_call.setdefault(Path(name).parent.name, []).append(name)
    with file_errors(place.data_dir):
        place.calls.mkdir(parents=True, exist_ok=True)
        for call, names in by_call.items():
            if not (place.calls / call).exists():
                _put_folder(place.calls / call, names, archive)
        for name in archive.names(CALLBACKS):
            (place.data_dir / FOLDER).mkdir(parents=True, exist_ok=True)
            archive.copy(name, place.data_dir / FOLDER / Path(name).name)
    return list(by_call)


def _put_folder(folder: Path, names: list[str], archive: ArchiveReader) -> None:
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".restored-"))
    for name in names:
        archive.copy(name, draft / Path(name).name)
    draft.rename(folder)


def _is_needed(folder: Path, since: datetime) -> bool:
    try:
        return (folder / RELEASED).stat().st_mtime >= since.timestamp() - 1  # clocks of files are coarse
    except FileNotFoundError:
        return True


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.name not in MARKS and not file.name.endswith(".new"):
            yield file


def _stored_sound(folder: Path) -> str | None:
    try:
        return sound_key(read_record(folder))
    except (OSError, msgspec.DecodeError):
        return None
