"""Which process a call's folder belongs to, and whether that process lives.

Each process holds a lock on a file of its own for as long as it lives, and names that file in its folders.
"""

import fcntl
import os
from pathlib import Path
from uuid import uuid4

import msgspec
import structlog

from app.call.journal.crash import end_crashed
from app.call.journal.folder import OWNER, read_record

__all__ = ["Owner", "end_crashed", "living", "orphans"]

OWNERS = ".owners"

_log = structlog.get_logger(__name__)


class Owner:
    """This process, as its folders name it, until it ends, however it ends."""

    def __init__(self, root: Path) -> None:
        self.token = uuid4().hex
        path = root / OWNERS / self.token
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        self._lock = os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600)  # the system closes it when the process is gone
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        draft.rename(path)  # nobody ever sees it without its lock

    def leave(self) -> None:
        """What is not finished is left to others."""
        os.close(self._lock)


def orphans(root: Path) -> list[Path]:
    """The folders of calls that have not ended and whose process is dead, oldest first. For a thread: it reads all."""
    alive = living(root)
    return sorted(folder for folder in root.glob("[!.]*/") if _orphaned(folder, alive))


def _orphaned(folder: Path, alive: frozenset[str]) -> bool:
    owner = folder / OWNER
    if owner.exists() and owner.read_text() in alive:
        return False
    try:
        return read_record(folder).end_reason is None
    except (OSError, msgspec.DecodeError) as error:
        _log.error("folder_unreadable", folder=str(folder), error=str(error))
        return False


def living(root: Path) -> frozenset[str]:
    """The tokens of processes that live; the files of dead ones are removed."""
    alive = set()
    for path in root.glob(f"{OWNERS}/*"):
        with path.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                alive.add(path.stem)
            else:
                if not path.suffix:
                    path.unlink(missing_ok=True)
    return frozenset(alive)
