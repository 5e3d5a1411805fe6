"""A whole delivery: from the transaction that tells of it, through the queue, to an operator's server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import Known, new_webhook_secret
from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.db import job_entries
from app.db.engine import db_session
from app.jobs.context import JobContext
from app.jobs.handlers import handlers
from app.jobs.job import JobKind
from app.jobs.open import working
from app.jobs.webhooks.emit import emit, message_id
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.timing import Deadlines
from tests.e2e.conftest import OpenRig
from tests.receiver import Receiver, receiver

HELLO = Reply.of(Say.words("Hello.", 1000))
SECRET = new_webhook_secret()


async def test_s23_a_message_reaches_a_server_that_was_down_signed_and_under_one_id(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    store = ConfStore(engine, KeyRing(["k" * 32]), Known(), tmp_path)
    rest: Any = {"storage": None, "workroom": None, "http": None, "twilio_api_base_url": "", "transcription_url": ""}
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


async def test_the_operators_server_hears_of_a_call(rig: OpenRig) -> None:
    async with receiver() as hook:
        house = await rig(ScriptedBrain([HELLO]), agent={})
        await house.put("webhook", "crm", {"url": hook.url, "secret": SECRET, "allow_private": ["127.0.0.1"]})
        call = await house.ring()
        await call.wait_heard(500)
        await call.hang_up()
        record, _ = await house.settled(call)
        told = await heard(hook, "call.started", "call.ended", "recording.ready")

    assert [told[kind]["call_id"] for kind in ("call.started", "call.ended")] == [record.id] * 2
    assert "call.failed" not in told


@pytest.mark.parametrize(
    ("brain", "faults", "kind"),
    [
        (ScriptedBrain([]), [Faults(refuse_in_band="invalid_api_key")] * 2, "system.key_rejected"),
        (ScriptedBrain([Reply(failure="insufficient_quota")]), [], "system.quota"),
    ],
)
async def test_the_operators_server_hears_of_a_key_that_calls_found_refused(
    rig: OpenRig, brain: ScriptedBrain, faults: list[Faults], kind: str
) -> None:
    async with receiver() as hook:
        house = await rig(brain, agent={})
        await house.put("webhook", "ops", {"url": hook.url, "secret": SECRET, "allow_private": ["127.0.0.1"]})
        house.openai.faults.extend(faults)
        call = await house.ring()
        await house.settled(call)
        told = await heard(hook, kind, "call.failed")

    assert (told[kind]["provider"], told[kind]["account"]) == ("openai", "default")
    assert house.openai.api_key not in str(told)


async def heard(hook: Receiver, *kinds: str) -> dict[str, Any]:
    """What was told of each kind, once all of these have come."""
    count = 1
    while True:
        received = await hook.wait(count)
        told = {each["type"]: each["data"] for each in (one.verified(SECRET) for one in received)}
        if told.keys() >= set(kinds):
            return told
        count = len(received) + 1


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
