"""What Twilio tells of recordings, kept until the database has it: Twilio tells once, also at a bad time."""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import db_session
from app.jobs.disk_queue import DiskQueue
from app.jobs.recordings.twilio_recording import take_notice
from app.twilio.recordings import Notice

FOLDER = "twilio_callbacks"


class TwilioCallbacks(DiskQueue[Notice]):
    """Notices of recordings on their way to the database; a lost one's recording is found by the poll."""

    def __init__(self, data_dir: Path, engine: AsyncEngine) -> None:
        async def save(notice: Notice) -> None:
            async with db_session(engine) as db:
                await take_notice(db, notice)

        super().__init__(data_dir / FOLDER, Notice, save)
