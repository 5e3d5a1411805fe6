"""Calls that we place, from the request to the row."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.status import EndReason
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.twilio import Destination, SandboxCall
from tests.e2e.calls_api import SHARED, client
from tests.e2e.rig import CALLED, CALLER, Rig, open_rig

HELLO = Reply.of(Say.words("Hello there.", 400))
ANY_TIME = {"allowed_prefixes": ["+1555"], "calling_hours": "00:00-24:00", "calls_per_second": 50}


class Desk:
    """A server whose operator may call, and a client that asks for calls."""

    def __init__(self, rig: Rig, http: httpx.AsyncClient) -> None:
        self.rig = rig
        self.http = http

    async def ask(self, *, key: str | None = None, **changes: Any) -> httpx.Response:
        wish = {"to": CALLER, "agent": "default"} | changes
        headers = {"Idempotency-Key": key} if key else {}
        return await self.http.post("/api/v1/calls", json=wish, headers=headers)

    async def placed(self, **changes: Any) -> str:
        answer = await self.ask(**changes)
        assert answer.status_code == 202, answer.text
        found: str = answer.json()["id"]
        return found

    async def shown(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"/api/v1/outbound/{request_id}")).json()
        return found

    async def until(self, request_id: str, state: str) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while (found := await self.shown(request_id))["state"] != state:  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0.01)
        return found

    async def rings(self) -> SandboxCall:
        async with asyncio.timeout(5):
            return await self.rig.twilio.outbound_call()


Open = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def opened(database_url: str, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_(
            name: str = "one", *, agent: dict[str, Any] | None = None, outbound: dict[str, Any] | None = None,
            replies: tuple[Reply, ...] = (HELLO, HELLO, HELLO), **options: Any,
        ) -> Desk:  # fmt: skip
            (tmp_path / name).mkdir()
            given = SHARED | options
            rig = await stack.enter_async_context(
                open_rig(database_url, tmp_path / name, ScriptedBrain(list(replies)), agent=agent or {}, **given)
            )
            await rig.put("number", CALLED, {"agent": "default"})
            await rig.put("outbound", "default", ANY_TIME | (outbound or {}))
            rig.twilio.destinations[CALLER] = Destination(ring_ms=100, talk_ms=None)
            return Desk(rig, await stack.enter_async_context(client(rig.url)))

        yield open_


@pytest.fixture
async def desk(opened: Open) -> Desk:
    return await opened()


async def test_a_call_is_asked_for_rings_is_answered_and_ends_as_a_row_that_says_outbound(desk: Desk):
    await desk.rig.put("agent", "reminders", {"instructions": "Remind {{name}}.", "max_call_seconds": 120})
    request_id = await desk.placed(agent="reminders", variables={"name": "Ada"})
    call = await desk.rings()
    assert (call.to, call.from_) == (CALLER, CALLED)
    await call.wait_heard(300)
    live = await desk.until(request_id, "live")
    await call.hang_up()
    record, _ = await desk.rig.settled(call)

    assert (record.direction, record.from_number, record.to_number) == ("outbound", CALLED, CALLER)
    assert (record.agent, record.end_reason) == ("reminders", EndReason.CALLER_HANGUP)
    assert record.session["instructions"].startswith("Remind")
    [session] = desk.rig.openai.sessions
    assert any("Remind Ada." in str(event) for event in session.received)
    ended = await desk.until(request_id, "ended")
    assert (ended["call_sid"], ended["call_id"]) == (call.call_sid, record.id)
    assert live["answered_at"]
    assert ended["ended_at"]
    form = next(each.form for each in desk.rig.twilio.requests if each.path.endswith("/Calls.json"))
    assert form["TimeLimit"] == "150"
    assert call.warnings == []


async def test_a_callee_who_is_busy_is_told_to_the_request(desk: Desk):
    desk.rig.twilio.destinations[CALLER] = Destination(outcome="busy", ring_ms=100)
    request_id = await desk.placed()
    call = await desk.rings()
    shown = await desk.until(request_id, "failed")
    assert (shown["reason"], shown["call_sid"]) == ("busy", call.call_sid)
    row = (await desk.http.get(f"/api/v1/calls/{shown['call_id']}")).json()
    assert (row["direction"], row["end_reason"], row["answered_at"]) == ("outbound", "busy", None)
    assert desk.rig.openai.sessions == []


async def test_a_stream_that_is_lost_comes_back_to_the_agent_that_was_asked_for_and_is_recorded_once(desk: Desk):
    await desk.rig.put("agent", "reminders", {"recording": {"source": "twilio"}})
    await desk.placed(agent="reminders", variables={"long": "x" * 900, "more": "y" * 900})
    call = await desk.rings()
    await call.wait_heard(200)
    await call.drop()
    await call.wait_for(lambda call: len(call.streams) == 2)
    await call.wait_heard(500)
    assert len(desk.rig.twilio.recordings.of(call)) == 1
    await call.hang_up()
    record, _ = await desk.rig.settled(call)
    assert (record.agent, record.attempt, record.direction) == ("reminders", 1, "outbound")


async def test_who_opts_out_while_the_call_waits_is_not_called(opened: Open):
    desk = await opened(outbound={"calls_at_once": 1})
    await desk.placed()
    first = await desk.rings()
    second = await desk.placed()
    assert (await desk.shown(second))["position"] == 1
    listed = await desk.http.post("/api/v1/do-not-call", json={"number": CALLER, "note": "by letter"})
    assert listed.status_code == 201
    await first.hang_up()
    shown = await desk.until(second, "refused")
    assert shown["reason"] == "on_do_not_call_list"
    refused = await desk.ask()
    assert (refused.status_code, refused.json()["code"]) == (409, "on_do_not_call_list")
    assert len(desk.rig.twilio.calls) == 1


async def test_an_agent_puts_its_caller_on_the_do_not_call_list(opened: Open):
    told = Reply((CallTool("opt_out", {}),))
    desk = await opened(agent={"tools": [{"type": "opt_out"}]}, replies=(told, HELLO, HELLO))
    call = await desk.rig.ring()
    await call.wait_heard(200)
    listed = f"/api/v1/do-not-call/{CALLER}"
    async with asyncio.timeout(5):
        while (found := await desk.http.get(listed)).status_code == 404:  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.01)
    await call.hang_up()
    record, _ = await desk.rig.settled(call)
    assert (found.json()["call_id"], found.json()["added_by"]) == (record.id, "default (agent)")
