"""Calls over REST, followed while they go on."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from app.call.events import Kind
from app.call.status import CallStatus, EndReason
from app.db.engine import db_session
from app.db.live_calls import add_events, record_live
from app.sandbox.openai.brain import ScriptedBrain
from tests.db.test_calls import a_call
from tests.e2e.calls_api import SHARED, Api, client, event, following, listed, over, told
from tests.e2e.rig import open_rig


async def test_a_call_is_followed_from_another_server_while_it_goes_on(api: Api, database_url: str, tmp_path: Path):
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(open_rig(database_url, tmp_path / "other", ScriptedBrain([]), **SHARED))
        elsewhere = await stack.enter_async_context(client(other.url))
        call = await api.house.ring()
        await call.wait_heard(300)
        live = await listed(api)
        assert (live["status"], live["ended_at"], live["end_reason"]) == ("live", None, None)
        async with asyncio.timeout(10), following(elsewhere, live["id"]) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            seen, hung_up = [], False
            async for number, kind, data in told(stream.aiter_lines()):
                seen.append((int(number), kind))
                assert data["seq"] == int(number)
                if kind == Kind.AGENT_TRANSCRIPT and not hung_up:
                    hung_up = True
                    assert (await elsewhere.get(f"/api/v1/calls/{live['id']}")).json()["status"] == "live"
                    await call.hang_up()
        assert hung_up
        _, events = await api.house.settled(call)
        assert seen == [(each.seq, each.kind) for each in events]  # each once, in order, to the end

        half = events[len(events) // 2].seq
        async with following(elsewhere, live["id"], **{"Last-Event-ID": str(half)}) as stream:
            rest = [int(number) async for number, _, _ in told(stream.aiter_lines())]
        assert rest == [each.seq for each in events if each.seq > half]
        ended = await elsewhere.get(
            f"/api/v1/calls/{live['id']}/events",
            headers={"Accept": "text/event-stream", "Last-Event-ID": str(events[-1].seq)},
        )
        assert ended.status_code == 204


async def test_a_stream_goes_on_with_what_is_written_later_and_ends_with_a_call_that_lost_its_end(api: Api):
    call = a_call()
    async with db_session(api.house.engine) as db:
        await record_live(db, call)
        await add_events(db, [(call.id, event(1))])
    async with asyncio.timeout(10), following(api.http, call.id) as stream:
        lines = told(stream.aiter_lines())
        assert (await anext(lines))[0] == "1"
        async with db_session(api.house.engine) as db:
            await add_events(db, [(call.id, event(2)), (call.id, event(4))])
        assert [(await anext(lines))[0], (await anext(lines))[0]] == ["2", "4"]
        await api.keep(replace(call, status=CallStatus.ENDED, end_reason=EndReason.SERVER_CRASH))
        async with db_session(api.house.engine) as db:
            await add_events(db, [(call.id, event(5))])  # wakes the stream
        assert [number async for number, _, _ in lines] == ["5"]


async def test_events_come_in_pages_as_well(api: Api):
    call = over()
    await api.keep(call, *(event(seq) for seq in range(1, 6)))
    first = (await api.get(f"/calls/{call.id}/events", params={"limit": "3"})).json()
    rest = (await api.get(f"/calls/{call.id}/events", params={"cursor": first["next_cursor"]})).json()
    assert [each["seq"] for each in first["data"] + rest["data"]] == [1, 2, 3, 4, 5]
    assert rest["has_more"] is False
    refused = await api.get(f"/calls/{call.id}/events", headers={"Last-Event-ID": "one"})
    assert refused.status_code == 422
