"""Folders whose call is safe elsewhere: the sound goes at once, the rest when somebody had time to look at it."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from app.call.journal.folder import AGENT_TRACK, CALLER_TRACK, RECORDING, forget_sound

RELEASED = "released"
"""A file of this name says that nothing of the folder is missing elsewhere, and in it, until when it stays."""
KEPT = timedelta(days=1)
GONE = ".gone"


def release(folder: Path, *, sound_too: bool, until: datetime | None) -> None:
    """The folder is not needed any more; without `until` a person has to look at it."""
    if sound_too:
        forget_sound(folder)
    (folder / RELEASED).write_text(until.isoformat() if until else "")


def is_released(folder: Path) -> bool:
    """Whether nothing of the folder is missing elsewhere."""
    return (folder / RELEASED).exists()


def forget_released(root: Path, now: datetime) -> None:
    """Delete released folders whose time is over; one with sound in it never: it is the only copy."""
    for folder in root.glob("[!.]*/"):
        if _is_over(folder, now):
            folder.rename(root / f".{folder.name}{GONE}")  # half-deleted it must not look like a call
    for folder in root.glob(f".*{GONE}"):
        shutil.rmtree(folder, ignore_errors=True)


def _is_over(folder: Path, now: datetime) -> bool:
    try:
        until = (folder / RELEASED).read_text()
    except OSError:
        return False
    sound = any((folder / name).exists() for name in (RECORDING, CALLER_TRACK, AGENT_TRACK))
    return bool(until) and not sound and datetime.fromisoformat(until) <= now
