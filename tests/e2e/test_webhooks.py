"""A whole delivery: from the transaction that tells of it, through the queue, to an operator's server."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import Known, new_webhook_secret
from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.db import job_entries
from app.db.engine import db_session
from app.jobs.context import JobContext
from app.jobs.emit import emit, message_id
from app.jobs.handlers import handlers
from app.jobs.job import JobKind
from app.jobs.open import working
from app.timing import Deadlines
from tests.receiver import receiver

SECRET = new_webhook_secret()


async def test_s23_a_message_reaches_a_server_that_was_down_signed_and_under_one_id(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    store = ConfStore(engine, KeyRing(["k" * 32]), Known(), tmp_path)
    rest: Any = {"storage": None, "http": None, "twilio_api_base_url": "", "transcription_url": ""}
    context = JobContext(engine=engine, conf=store, deadlines=Deadlines(), **rest)
    deliver = {JobKind.DELIVER: handlers(context)[JobKind.DELIVER]}
    async with receiver("500 Oh", "200 OK") as hook, working(engine, deliver):
        value = {"url": hook.url, "secret": SECRET, "allow_private": ["127.0.0.1"]}
        await store.put("webhook", "crm", value, by="test")
        async with db_session(engine) as db:
            await emit(db, "call.ended", "1", {"call_id": "1", "from": "+15550100123"})
        await hook.wait(1)
        await hurry(engine)
        first, second = await hook.wait(2)

    assert first.headers["webhook-id"] == second.headers["webhook-id"] == message_id("call.ended", "1")
    assert second.verified(SECRET)["data"] == {"call_id": "1", "from": "+15550100123"}
    assert first.body == second.body


async def hurry(engine: AsyncEngine) -> None:
    """Let the next try be due at once, as soon as the first is written down."""
    async with asyncio.timeout(10):
        while True:
            async with db_session(engine) as db:
                hurried = await db.execute(
                    text("update jobs set run_after = now() where state = 'waiting' and attempts = 1 returning id")
                )
                if job_id := hurried.scalar():
                    await job_entries.release(db, job_id=job_id)
                    return
            await asyncio.sleep(0.02)
