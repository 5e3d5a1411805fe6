"""Messages: written with what they tell of, delivered, logged and sent again."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from structlog.testing import capture_logs

from app.conf.models import Known, new_webhook_secret
from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.db import webhooks
from app.db.engine import db_session
from app.db.jobs import list_jobs
from app.db.tables import Job as JobRow
from app.db.tables import WebhookDelivery, WebhookMessage
from app.db.webhooks import LoggedDelivery
from app.jobs.context import JobContext
from app.jobs.job import JobKind
from app.jobs.run import Runs
from app.jobs.webhooks.deliver import deliver_handler
from app.jobs.webhooks.emit import emit, message_id, redeliver, replay
from app.timing import Deadlines
from tests.receiver import receiver

SECRET = new_webhook_secret()
DATA = {"call_id": "1", "agent": "sales", "from": "+15550100123", "at": datetime(2026, 11, 21, tzinfo=UTC)}


@pytest.fixture
def store(engine: AsyncEngine, tmp_path: Path) -> ConfStore:
    return ConfStore(engine, KeyRing(["k" * 32]), Known(), tmp_path)


async def put(store: ConfStore, name: str = "crm", url: str = "https://hooks.example.com/", **fields: Any) -> None:
    await store.put("webhook", name, {"url": url, "secret": SECRET} | fields, by="me")


async def happened(engine: AsyncEngine, kind: str = "call.ended", subject: str = "1", **data: Any) -> None:
    async with db_session(engine) as db:
        await emit(db, kind, subject, DATA | data)


async def log(engine: AsyncEngine, **wanted: Any) -> list[LoggedDelivery]:
    async with db_session(engine) as db:
        return await webhooks.list_deliveries(db, **wanted)


async def count(engine: AsyncEngine, table: type[WebhookMessage | WebhookDelivery | JobRow]) -> int:
    async with db_session(engine) as db:
        return await db.scalar(select(func.count()).select_from(table)) or 0


async def run(engine: AsyncEngine, store: ConfStore) -> list[float | None]:
    """Run every job that waits, whenever it is due; in how many seconds each wants to be tried again."""
    context: Any = {"storage": None, "workroom": None, "http": None, "twilio_api_base_url": "", "transcription_url": ""}
    handler = deliver_handler(JobContext(engine=engine, conf=store, deadlines=Deadlines(), **context))
    async with db_session(engine) as db:
        await db.execute(update(JobRow).where(JobRow.state == "waiting").values(run_after=func.now()))
        waiting = [job.id for job in await list_jobs(db, state="waiting")]
    runs = Runs(engine, {JobKind.DELIVER: handler}, chance=lambda: 0.0)
    for job_id in waiting:
        await runs(job_id)
    async with db_session(engine) as db:
        ran = [job for job in await list_jobs(db) if job.id in waiting]
    return [(job.run_after - job.updated_at).total_seconds() if job.state == "waiting" else None for job in ran]


# -- writing


async def test_a_message_goes_to_each_server_that_wants_it(engine: AsyncEngine, store: ConfStore) -> None:
    await put(store, "all")
    await put(store, "calls", events=["call.*"])
    await put(store, "troubles", events=["system.*"])
    await put(store, "support", agents=["support"])
    await put(store, "off", enabled=False)

    await happened(engine)

    assert {each.webhook for each in await log(engine)} == {"all", "calls"}
    assert await count(engine, JobRow) == 2


async def test_the_same_told_again_changes_nothing(engine: AsyncEngine, store: ConfStore) -> None:
    await put(store)
    await happened(engine)
    await happened(engine, outcome="another")
    await happened(engine, "call.started")

    assert [each.kind for each in await log(engine)] == ["call.started", "call.ended"]
    async with db_session(engine) as db:
        kept = await webhooks.find_message(db, message_id("call.ended", "1"))
        assert kept
        assert kept.data == DATA | {"at": "2026-11-21T00:00:00Z"}


async def test_many_that_tell_of_one_thing_at_once_make_one_message(engine: AsyncEngine, store: ConfStore) -> None:
    await put(store)

    await asyncio.gather(*(happened(engine) for _ in range(8)))

    assert (await count(engine, WebhookMessage), await count(engine, WebhookDelivery)) == (1, 1)
    assert await count(engine, JobRow) == 1


async def test_what_was_rolled_back_was_never_told(engine: AsyncEngine, store: ConfStore) -> None:
    await put(store)
    async with AsyncSession(engine) as db:
        await emit(db, "call.ended", "1", DATA)
        await db.rollback()

    assert (await count(engine, WebhookMessage), await count(engine, JobRow)) == (0, 0)
    async with engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from pgqueuer")) == 0


async def test_without_any_server_the_message_is_kept_for_one_that_comes_later(
    engine: AsyncEngine, store: ConfStore
) -> None:
    await happened(engine)
    assert (await count(engine, WebhookMessage), await count(engine, WebhookDelivery)) == (1, 0)

    async with receiver() as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        async with db_session(engine) as db:
            assert await replay(db, message_id("call.ended", "1")) == 1
        await run(engine, store)
        assert len(hook.received) == 1


async def test_a_row_that_cannot_be_read_keeps_nobody_else_from_hearing(engine: AsyncEngine, store: ConfStore) -> None:
    await put(store)
    await put(store, "broken")
    async with engine.begin() as connection:
        await connection.execute(text("""update core_conf set value = '{"url": 7}' where name = 'broken'"""))

    with capture_logs() as lines:
        await happened(engine)

    assert [each.webhook for each in await log(engine)] == ["crm"]
    assert [line["event"] for line in lines] == ["webhook_unreadable"]


async def test_an_unknown_kind_is_a_mistake_of_ours(engine: AsyncEngine) -> None:
    with pytest.raises(ValueError, match="nothing"):
        await happened(engine, "call.nothing")


async def test_a_character_that_postgresql_cannot_keep_loses_no_message(engine: AsyncEngine, store: ConfStore) -> None:
    await put(store)
    await happened(engine, **{"na\0me": ["a\0b"]})

    assert len(await log(engine)) == 1


async def test_old_messages_are_forgotten_with_their_deliveries(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver() as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)
        await happened(engine, subject="2")
        async with db_session(engine) as db:
            old = datetime.now(UTC) - timedelta(days=31)
            await db.execute(update(WebhookMessage).where(WebhookMessage.subject == "1").values(created_at=old))
            await webhooks.purge_messages(db, timedelta(days=30))

        assert [each.subject for each in await log(engine)] == ["2"]
        assert await run(engine, store) == [None, None]  # the job of the forgotten one has nothing to do
        assert [one.headers["webhook-id"] for one in hook.received] == [message_id("call.ended", "2")]


# -- delivering


async def test_a_message_arrives_signed_and_the_log_says_so(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver() as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)
        assert await run(engine, store) == [None]

    [came] = hook.received
    told = came.verified(SECRET)
    assert (told["type"], told["data"]["from"]) == ("call.ended", "+15550100123")
    assert came.headers["webhook-id"] == message_id("call.ended", "1")
    [each] = await log(engine)
    assert (each.state, each.attempts, each.last_status, each.last_error) == ("delivered", 1, 204, None)


async def test_a_failure_is_tried_again_with_the_same_id_and_bytes(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver("503 Not now", "204 No Content", headers="retry-after: 120\r\n") as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)

        assert await run(engine, store) == [121.0]  # as long as it asked for, and a second
        [each] = await log(engine)
        assert (each.state, each.attempts, each.last_status) == ("waiting", 1, 503)
        assert each.next_try_at
        assert await log(engine, failed=True) == []

        assert await run(engine, store) == [None]
    first, second = hook.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    [each] = await log(engine)
    assert (each.state, each.attempts, each.last_error, each.next_try_at) == ("delivered", 2, None, None)


async def test_delivering_twice_sends_once(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver() as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)
        await run(engine, store)
        async with db_session(engine) as db:
            await db.execute(update(JobRow).values(state="waiting"))
        await run(engine, store)
    assert len(hook.received) == 1


async def test_a_redirect_is_a_failure_that_says_so_and_is_not_followed(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver() as secret_place:
        async with receiver("302 Found", headers=f"location: {secret_place.url}\r\n") as hook:
            await put(store, url=hook.url, allow_private=["127.0.0.1"])
            await happened(engine)
            assert await run(engine, store) == [1.0]
        assert secret_place.received == []
    [each] = await log(engine)
    assert "not followed" in str(each.last_error)


async def test_an_address_that_is_no_longer_allowed_is_given_up_with_the_reason(
    engine: AsyncEngine, store: ConfStore
) -> None:
    async with receiver() as hook:
        port = hook.url.rpartition(":")[2]
        await put(store, url=f"https://localhost:{port}", allow_private=["10.0.0.0/8"])
        await happened(engine)
        assert await run(engine, store) == [None]
        assert hook.received == []
    [each] = await log(engine, failed=True)
    assert "this machine itself" in str(each.last_error)
    assert "allow_private" in str(each.last_error)


async def test_a_server_that_is_gone_is_given_up_and_a_warning_says_so(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver("410 Gone") as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)
        with capture_logs() as lines:
            await run(engine, store)
    assert "webhook_given_up" in [line["event"] for line in lines]
    [each] = await log(engine, failed=True)
    assert (each.state, each.last_status) == ("failed", 410)


@pytest.mark.parametrize("change", ["deleted", "off"])
async def test_a_server_that_was_deleted_or_switched_off_meanwhile_hears_nothing(
    engine: AsyncEngine, store: ConfStore, change: str
) -> None:
    async with receiver() as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)
        if change == "deleted":
            await store.delete("webhook", "crm", by="me")
        else:
            await store.patch("webhook", "crm", {"enabled": False}, by="me")
        await run(engine, store)
        assert hook.received == []
    assert len(await log(engine, failed=True)) == 1


async def test_a_row_that_this_process_has_not_read_yet_is_waited_for(
    engine: AsyncEngine, store: ConfStore, tmp_path: Path
) -> None:
    await put(store)
    await happened(engine)
    late = ConfStore(engine, KeyRing(["k" * 32]), Known(), tmp_path)

    assert await run(engine, late) == [2.0]


async def test_a_secret_is_in_no_row_no_log_and_no_error_even_if_the_server_repeats_it(
    engine: AsyncEngine, store: ConfStore
) -> None:
    before = new_webhook_secret()
    echo = f"you said {SECRET} and {before[6:]} \0 " + "x" * 5000
    with capture_logs() as lines:
        async with receiver("500 Oh", body=echo) as hook:
            fields: dict[str, Any] = {"previous_secrets": [before]}
            await put(store, url=hook.url, allow_private=["127.0.0.1"], **fields)
            await happened(engine)
            await run(engine, store)
    [each] = await log(engine)
    assert str(each.last_answer).startswith("you said *** and ***")
    assert len(str(each.last_answer)) < 5000
    async with engine.connect() as connection:
        tables = "core_conf core_conf_history webhook_messages webhook_deliveries jobs pgqueuer".split()  # noqa: SIM905
        rows = [str((await connection.execute(text(f"select * from {table}"))).all()) for table in tables]  # noqa: S608
    for secret in (SECRET, before):
        assert secret[6:] not in "".join(rows) + str(lines)


# -- sending again


async def test_a_person_sends_a_delivery_again_under_the_same_id(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver() as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)
        await run(engine, store)
        [each] = await log(engine)
        async with db_session(engine) as db:
            assert await redeliver(db, each.id)
        await run(engine, store)
    assert len({one.headers["webhook-id"] for one in hook.received}) == 1
    assert len(hook.received) == 2
    [each] = await log(engine)
    assert (each.state, each.attempts) == ("delivered", 2)


async def test_sending_again_hurries_what_waits(engine: AsyncEngine, store: ConfStore) -> None:
    async with receiver("503 Not now", headers="retry-after: 3600\r\n") as hook:
        await put(store, url=hook.url, allow_private=["127.0.0.1"])
        await happened(engine)
        await run(engine, store)
    [each] = await log(engine)
    async with db_session(engine) as db:
        assert await redeliver(db, each.id)
    [again] = await log(engine)
    assert each.next_try_at
    assert again.next_try_at
    assert again.next_try_at < each.next_try_at - timedelta(minutes=50)


async def test_what_is_not_there_cannot_be_sent_again(engine: AsyncEngine) -> None:
    async with db_session(engine) as db:
        assert not await redeliver(db, UUID(int=1))
        assert await replay(db, "msg_nothing") == 0
