"""Where a recording is while a job works with it. What a process that was killed left there goes with the next job."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.call.journal.owner import Owner, living


class Workroom:
    """A folder of folders, each of one run; any number of processes may share it."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._owner = Owner(root)

    def close(self) -> None:
        """What is still in it is left to others."""
        self._owner.leave()

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        """An empty folder that is gone with the block; raises `OSError`."""
        folder = await asyncio.to_thread(self._open)
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _open(self) -> Path:
        alive = living(self._root)
        for left in self._root.glob("[!.]*/"):
            if left.name.partition("-")[0] not in alive:
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{self._owner.token}-", dir=self._root))
