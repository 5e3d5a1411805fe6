"""Calls that wait, on a real queue and a Twilio whose webhooks reach nobody: what becomes of them all the same."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from obstore.store import MemoryStore
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.db.audit import Actor
from app.db.call_queries import CallFilter, list_calls
from app.db.engine import create_engine, db_session
from app.db.opt_outs import opt_out
from app.db.outbound import add_request, find_request
from app.db.tables import OutboundRequest
from app.jobs.context import JobContext
from app.jobs.outbound.dial import Dialer
from app.jobs.outbound.outbound_news import save_progress
from app.jobs.workroom import Workroom
from app.known import known
from app.outbound.rules import next_allowed
from app.outbound.states import Progress
from app.outbound.tokens import OutboundTokens
from app.recordings.storage import Storage
from app.sandbox.twilio import Destination, SandboxTwilio
from app.timing import Deadlines

ACCOUNT, TOKEN = "AC" + "5" * 32, "6" * 32
CALLEE, OURS = "+41446681800", "+15550100100"
RULES = {"allowed_prefixes": ["+41"], "calling_hours": "00:00-24:00", "calls_per_second": 100}
NOWHERE = "http://127.0.0.1:1"


@dataclass
class House:
    """A queue, its dialers, and the Twilio that they ask."""

    engine: AsyncEngine
    conf: ConfStore
    twilio: SandboxTwilio
    context: JobContext
    stack: AsyncExitStack
    room: bool = True
    dialers: list[Dialer] = field(default_factory=list)

    async def rules(self, **changes: Any) -> None:
        await self.conf.put("outbound", "default", RULES | changes, by="test")

    async def ask(self, to: str = CALLEE, **changes: Any) -> UUID:
        row = {"body_sha256": "", "account": "default", "from_number": OURS, "agent": "default", "variables": {}}
        async with db_session(self.engine) as db:
            added = await add_request(db, **(row | {"to_number": to, "wait_for_hours": False} | changes))
        assert added
        for dialer in self.dialers:
            dialer.stir()
        return added.id

    async def dialer(self, context: JobContext | None = None, **limits: float) -> None:
        """One more process that dials."""
        dialer = Dialer(
            context or self.context, NOWHERE, OutboundTokens(["k" * 40]), has_room=lambda: self.room, **limits
        )
        self.dialers.append(dialer)
        task = asyncio.create_task(dialer.run())
        self.stack.push_async_callback(_cancelled, task)

    async def found(self, request_id: UUID) -> OutboundRequest:
        async with db_session(self.engine) as db:
            found = await find_request(db, request_id)
        assert found
        return found

    async def until(self, request_id: UUID, happened: Callable[[OutboundRequest], bool]) -> OutboundRequest:
        async with asyncio.timeout(10):
            while not happened(found := await self.found(request_id)):
                for dialer in self.dialers:
                    dialer.stir()
                await asyncio.sleep(0.01)
        return found

    @property
    def creations(self) -> int:
        return sum(each.method == "POST" and each.path.endswith("/Calls.json") for each in self.twilio.requests)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
async def house(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        conf = ConfStore(engine, KeyRing(["k" * 32]), known(), tmp_path)
        await conf.put("agent", "default", {}, by="test")
        await conf.put("number", OURS, {"agent": "default"}, by="test")
        await conf.put("twilio", "default", {"account_sid": ACCOUNT, "auth_tokens": [TOKEN]}, by="test")
        await conf.put("outbound", "default", RULES, by="test")
        twilio = await stack.enter_async_context(
            SandboxTwilio(account_sid=ACCOUNT, auth_token=TOKEN, voice_url=f"{NOWHERE}/voice", speed=20)
        )
        twilio.destinations[CALLEE] = Destination(ring_ms=600_000)
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        context = JobContext(
            engine=engine, conf=conf, storage=Storage(MemoryStore()), workroom=Workroom(tmp_path), http=http,
            transcription_url="", twilio_api_base_url=twilio.api_base_url, deadlines=Deadlines(carrier_s=0.5),
        )  # fmt: skip
        yield House(engine, conf, twilio, context, stack)


async def test_two_processes_dial_each_request_once_and_together_no_faster_than_one_may(
    house: House, database_url: str
):
    await house.rules(calls_per_second=20, calls_at_once=100)
    other = create_engine(database_url)
    house.stack.push_async_callback(other.dispose)
    await house.dialer()
    await house.dialer(JobContext(**{**_fields(house.context), "engine": other}))
    requests = [await house.ask() for _ in range(12)]
    rows = [await house.until(each, lambda row: row.call_sid is not None) for each in requests]

    assert house.creations == 12
    assert len({row.call_sid for row in rows}) == 12
    moments = [row.dialed_at for row in rows]
    assert moments == sorted(moments)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) >= timedelta(milliseconds=49)


async def test_no_more_calls_than_allowed_go_on_at_once(house: House):
    await house.rules(calls_at_once=2)
    await house.dialer(silent_s=0.05)
    first, second, third = [await house.ask() for _ in range(3)]
    row = await house.until(first, lambda row: row.call_sid is not None)
    await house.until(second, lambda row: row.call_sid is not None)
    assert (await house.found(third)).state == "queued"
    house.twilio.calls[row.call_sid or ""].put_down()
    await house.until(third, lambda row: row.call_sid is not None)


async def test_a_process_without_room_dials_nobody(house: House):
    house.room = False
    await house.dialer()
    waiting = await house.ask()
    for _ in range(3):
        house.dialers[0].stir()
        await asyncio.sleep(0.02)
    assert (await house.found(waiting)).state == "queued"
    house.room = True
    await house.until(waiting, lambda row: row.call_sid is not None)


async def test_who_opts_out_while_the_call_waits_is_not_called(house: House):
    waiting = await house.ask()
    async with db_session(house.engine) as db:
        await opt_out(db, CALLEE, Actor("test"))
    await house.dialer()
    row = await house.until(waiting, lambda row: row.state != "queued")
    assert (row.state, row.reason, house.creations) == ("refused", "on_do_not_call_list", 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda house: house.rules(allowed_prefixes=["+49"]), "prefix_not_allowed"),
        (lambda house: house.conf.delete("number", OURS, by="test"), "not_our_number"),
    ],
)
async def test_rules_hold_as_they_are_when_the_turn_comes(
    house: House, change: Callable[[House], Awaitable[None]], reason: str
):
    waiting = await house.ask()
    await change(house)
    await house.dialer()
    row = await house.until(waiting, lambda row: row.state != "queued")
    assert (row.state, row.reason, house.creations) == ("refused", reason, 0)


async def test_night_refuses_a_call_or_lets_it_wait_as_was_asked(house: House):
    now = datetime.now(UTC)
    closed = f"{(now + timedelta(hours=5)):%H}:00-{(now + timedelta(hours=6)):%H}:00"
    await house.rules(calling_hours=closed)
    impatient, patient = await house.ask(), await house.ask(wait_for_hours=True)
    await house.dialer()
    row = await house.until(impatient, lambda row: row.state != "queued")
    assert (row.state, row.reason) == ("refused", "outside_calling_hours")
    row = await house.until(patient, lambda row: row.not_before > now + timedelta(hours=1))
    assert row.not_before == next_allowed(["Europe/Zurich"], closed, now)
    assert house.creations == 0


async def test_a_call_whose_creation_was_not_answered_is_found_and_not_placed_twice(house: House):
    house.twilio.fail_rest(None, acts=True)
    earlier = await house.ask()
    await house.dialer(dialing_s=0.7)
    row = await house.until(earlier, lambda row: row.call_sid is not None)
    assert row.call_sid in house.twilio.calls
    assert (row.attempts, house.creations) == (1, 1)


async def test_a_call_that_was_not_created_is_placed_again_but_not_for_ever(house: House):
    house.twilio.fail_rest(503)
    await house.dialer(dialing_s=0.1)
    row = await house.until(await house.ask(), lambda row: row.call_sid is not None)
    assert (row.attempts, house.creations) == (2, 2)

    a_minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    lost = await house.ask(state="dialing", attempts=3, dialed_at=a_minute_ago, to="+41446681801")
    row = await house.until(lost, lambda row: row.state != "dialing")
    assert (row.state, row.reason) == ("failed", "twilio_unreachable")


async def test_a_process_that_died_while_it_dialled_leaves_nothing_behind(house: House):
    died = await house.ask(state="dialing", attempts=1, dialed_at=datetime.now(UTC) - timedelta(minutes=1))
    await house.dialer()
    row = await house.until(died, lambda row: row.call_sid is not None)
    assert (row.attempts, house.creations) == (2, 1)


async def test_twilio_that_asks_for_patience_gets_it_and_what_it_refuses_has_failed(house: House):
    house.twilio.fail_rest(429, code=20429)
    await house.dialer()
    busy = await house.ask()
    row = await house.until(busy, lambda _: house.creations == 1)
    row = await house.until(busy, lambda row: row.state == "queued")
    assert row.attempts == 0

    async with house.engine.begin() as connection:
        await connection.execute(text("update outbound_pace set next_at = now()"))
    house.twilio.fail_rest(400, code=21215)
    row = await house.until(busy, lambda row: row.state == "failed")
    assert row.reason == "refused_by_twilio"
    assert "21215" in (row.detail or "")


@pytest.mark.parametrize(("outcome", "end_reason"), [("busy", "busy"), ("no-answer", "no_answer"), ("failed", "error")])
async def test_a_call_that_nobody_tells_of_any_more_is_asked_after(house: House, outcome: Any, end_reason: str):
    house.twilio.destinations[CALLEE] = Destination(outcome=outcome, ring_ms=10)
    await house.dialer(silent_s=0.05)
    row = await house.until(await house.ask(), lambda row: row.state == "failed")
    async with db_session(house.engine) as db:
        [call] = await list_calls(db, CallFilter(), 10)
    assert (call.call_sid, call.direction, call.end_reason) == (row.call_sid, "outbound", end_reason)
    assert call.answered_at is None


async def test_callbacks_in_any_order_and_twice_end_in_one_state_and_one_row(house: House):
    asked = await house.ask(state="dialing", attempts=1, dialed_at=datetime.now(UTC))
    for status in ("ringing", "no-answer", "no-answer", "initiated", "ringing"):
        news = Progress(request_id=asked, attempt=1, call_sid="CA" + "1" * 32, call_status=status)
        await save_progress(house.engine, house.conf, news)
    row = await house.found(asked)
    async with db_session(house.engine) as db:
        ended = Counter(call.end_reason for call in await list_calls(db, CallFilter(), 10))
    assert (row.state, row.reason, ended) == ("failed", "no_answer", {"no_answer": 1})


async def test_news_of_a_call_takes_its_request_out_of_the_queue_again(house: House):
    again = await house.ask(attempts=1)  # its first try was believed lost
    news = Progress(request_id=again, attempt=1, call_sid="CA" + "2" * 32, call_status="ringing")
    await save_progress(house.engine, house.conf, news)
    await house.dialer()
    await asyncio.sleep(0.05)
    row = await house.found(again)
    assert (row.state, row.call_sid, house.creations) == ("ringing", "CA" + "2" * 32, 0)


def _fields(context: JobContext) -> dict[str, Any]:
    return {name: getattr(context, name) for name in JobContext.__dataclass_fields__}


async def test_a_dialer_stops_even_when_a_request_comes_at_that_very_moment(house: House):
    dialer = Dialer(house.context, NOWHERE, OutboundTokens(["k" * 40]), has_room=lambda: False)
    for _ in range(3):
        dialing = asyncio.create_task(dialer.run())
        await asyncio.sleep(0.1)  # it waits by now
        dialer.stir()
        dialing.cancel()
        done, _pending = await asyncio.wait([dialing], timeout=1)
        dialing.cancel()
        assert done
