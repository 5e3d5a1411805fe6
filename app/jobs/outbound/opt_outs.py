"""Callers who told an agent that they do not want to be called, kept until the database has them."""

from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.audit import Actor
from app.db.engine import db_session
from app.db.opt_outs import opt_out
from app.jobs.disk_queue import DiskQueue
from app.outbound.opting_out import OptedOut

FOLDER = "opt_outs"


class OptOuts(DiskQueue[OptedOut]):
    """Wishes on their way to the do-not-call list."""

    def __init__(self, data_dir: Path, engine: AsyncEngine) -> None:
        async def save(wish: OptedOut) -> None:
            async with db_session(engine) as db:
                await opt_out(db, wish.number, Actor(f"{wish.agent} (agent)"), call_id=UUID(wish.call_id))

        super().__init__(data_dir / FOLDER, OptedOut, save)
