"""What Twilio tells of recordings, kept in files until the database has it: Twilio tells once, also at a bad time."""

import asyncio
from pathlib import Path

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import db_session
from app.db.files import write_private
from app.db.ids import uuid7
from app.errors import DatabaseError
from app.jobs.twilio_recording import take_notice
from app.twilio.recordings import Notice

FOLDER = "twilio_callbacks"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
_WAITING, _REFUSED = ".json", ".refused"

_log = structlog.stdlib.get_logger(__name__)


class TwilioCallbacks:
    """Takes a notice in whatever state the database is, and brings it there in the order in which it came."""

    def __init__(self, data_dir: Path, engine: AsyncEngine) -> None:
        self._folder = data_dir / FOLDER
        self._engine = engine
        self._new = asyncio.Event()
        self._new.set()  # an earlier process may have left some

    async def take(self, notice: Notice) -> None:
        """It is safe when this returns: on disk, or, with the disk full, in the database (else `DatabaseError`)."""
        try:
            await asyncio.to_thread(self._keep, notice)
        except OSError as error:
            _log.error("twilio_callback_not_kept", reason=str(error))
            await self._save(notice)
        self._new.set()

    async def run(self) -> None:
        """Bring what is kept into the database, until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            await self._new.wait()
            self._new.clear()
            try:
                for file in await asyncio.to_thread(self._kept):
                    await self._bring(file)
                pause_s = FIRST_PAUSE_S
            except DatabaseError as error:
                _log.warning("twilio_callbacks_wait", error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                self._new.set()

    async def _bring(self, file: Path) -> None:
        try:
            await self._save(msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=Notice))
        except DatabaseError:
            raise
        except Exception:  # a job run: this one is put aside, the others go on, and the poll finds its recording
            _log.exception("twilio_callback_refused", file=file.name)
            await asyncio.to_thread(file.replace, file.with_suffix(_REFUSED))
            return
        await asyncio.to_thread(file.unlink, missing_ok=True)

    async def _save(self, notice: Notice) -> None:
        async with db_session(self._engine) as db:
            await take_notice(db, notice)

    def _keep(self, notice: Notice) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._folder / f"{uuid7()}{_WAITING}", msgspec.json.encode(notice).decode())

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_WAITING}"))
