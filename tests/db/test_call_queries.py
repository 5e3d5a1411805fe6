"""Asking for calls, and deleting them."""

from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import Kind, NumberedEvent
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.db.audit import Actor
from app.db.call_queries import CallFilter, calls_of, events_after, list_calls, recordings_with_words
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.recordings import add_recording, save_transcript
from app.db.tables import AuditEntry, Call, CallEvent, Job, Recording, Transcript, WebhookMessage
from app.errors import CallIsLive
from app.jobs.calls.archive import Archive, Deleted
from app.jobs.webhooks.emit import emit
from app.recordings.states import RecordingState, TranscriptState
from tests.db.test_calls import NOON, a_call

ALICE, BOB, OURS = "+15550000001", "+15550000003", "+15550000002"
ME = Actor("me")


def over(minutes: float = 0, **changes) -> CallRecord:
    started = NOON + timedelta(minutes=minutes)
    ended = {"status": CallStatus.ENDED, "end_reason": EndReason.CALLER_HANGUP, "ended_at": started}
    return replace(a_call(), **({"started_at": started} | ended | changes))


async def keep(engine: AsyncEngine, *calls: CallRecord, said: str = "") -> None:
    events = [NumberedEvent(1, Kind.CALLER_TRANSCRIPT, 5, {"text": said, "item_id": "u"})] if said else []
    async with db_session(engine) as db:
        for call in calls:
            await record_call(db, call, events)


async def keep_recording(engine: AsyncEngine, call: CallRecord, words: str, **changes) -> Recording:
    values = {
        "id": UUID(call.id), "call_sid": call.call_sid, "account_sid": call.account_sid, "call_id": UUID(call.id),
        "source": "own", "agent": call.agent, "state": RecordingState.STORED, "key": f"{call.id}.wav",
    }  # fmt: skip
    async with db_session(engine) as db:
        recording = await add_recording(db, **(values | changes))
        assert recording
        done = {"state": TranscriptState.DONE, "call_id": recording.call_id, "text": words}
        await save_transcript(db, recording.id, **done)
    return recording


async def found(engine: AsyncEngine, limit: int = 100, **wanted) -> list[str]:
    async with db_session(engine) as db:
        return [str(call.id) for call in await list_calls(db, CallFilter(**wanted), limit)]


async def test_calls_come_newest_first(engine: AsyncEngine):
    calls = [over(minutes) for minutes in (5, 1, 9)]
    await keep(engine, *calls)
    assert await found(engine) == [calls[2].id, calls[0].id, calls[1].id]


async def test_pages_are_stable_while_calls_come_in_and_at_the_same_moment(engine: AsyncEngine):
    calls = [over(0) for _ in range(5)] + [over(1)]  # five that started together
    await keep(engine, *calls)
    everything, seen, after = await found(engine), [], None
    while True:
        async with db_session(engine) as db:
            page = await list_calls(db, CallFilter(), 2, after=after)
        if not page:
            break
        seen += [str(call.id) for call in page]
        after = page[-1].started_at, page[-1].id
        await keep(engine, over(2))  # newer ones arrive between the pages

    assert seen == everything


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"agent": "sales"}, "b"),
        ({"number": ALICE}, "ac"),
        ({"number": BOB}, "b"),
        ({"number": OURS}, "abc"),
        ({"status": CallStatus.LIVE}, "c"),
        ({"status": CallStatus.ENDED}, "ab"),
        ({"end_reason": EndReason.MODEL_LOST}, "b"),
        ({"since": NOON + timedelta(minutes=1)}, "bc"),
        ({"until": NOON + timedelta(minutes=1)}, "a"),
        ({"since": NOON, "until": NOON}, ""),
        ({"agent": "default", "status": CallStatus.ENDED}, "a"),
        ({"agent": "nobody"}, ""),
    ],
)
async def test_each_filter_narrows_the_list(engine: AsyncEngine, wanted, expected):
    calls = {
        "a": over(0, from_number=ALICE, to_number=OURS),
        "b": over(1, from_number=OURS, to_number=BOB, direction="outbound", agent="sales",
                  end_reason=EndReason.MODEL_LOST),
        "c": over(2, from_number=ALICE, to_number=OURS, status=CallStatus.LIVE, end_reason=None, ended_at=None),
    }  # fmt: skip
    await keep(engine, *calls.values())
    assert set(await found(engine, **wanted)) == {calls[name].id for name in expected}


async def test_words_are_found_in_recordings_and_in_what_was_understood_live(engine: AsyncEngine):
    live, recorded, silent = over(0), over(1), over(2)
    await keep(engine, live, said="I would like a Refund, please")
    await keep(engine, recorded, silent)
    await keep_recording(engine, recorded, "The refund comes next week")

    assert set(await found(engine, words="refund")) == {live.id, recorded.id}
    assert await found(engine, words='refund "next week"') == [recorded.id]
    assert await found(engine, words="refund -please") == [recorded.id]
    assert await found(engine, words="invoice") == []
    assert await found(engine, words="'; drop table calls; --") == []
    assert await found(engine, words="!!!") == []


async def test_a_search_over_many_calls_uses_its_indexes_and_is_quick(engine: AsyncEngine):
    calls = [over(minutes) for minutes in range(200)]
    for at, call in enumerate(calls):
        async with db_session(engine) as db:
            turns = [
                NumberedEvent(seq, Kind.CALLER_TRANSCRIPT, seq, {"text": f"Word{at} word{seq} and so on"})
                for seq in range(1, 31)
            ]
            await record_call(db, call, turns)
    await keep_recording(engine, calls[7], "a needle in a haystack")
    async with db_session(engine) as db:
        await db.execute(text("analyze"))
    began = perf_counter()
    assert await found(engine, words="needle") == [calls[7].id]
    assert await found(engine, words="word42 word7") == [calls[42].id]
    assert perf_counter() - began < 0.5

    async with db_session(engine) as db:
        await db.execute(text("set local enable_seqscan = off"))
        query = "select call_id from call_events where kind in ('caller.transcript', 'agent.transcript') and "
        query += "to_tsvector('simple', call_events.data ->> 'text') @@ websearch_to_tsquery('simple', 'word42')"
        plan = "\n".join(await db.scalars(text(f"explain {query}")))
    assert "call_events_words" in plan


async def test_events_are_read_from_a_number_on(engine: AsyncEngine):
    call = over()
    async with db_session(engine) as db:
        await record_call(db, call, [NumberedEvent(seq, "x", seq) for seq in range(1, 6)])
        assert [event.seq for event in await events_after(db, UUID(call.id), 2)] == [3, 4, 5]
        assert [event.seq for event in await events_after(db, UUID(call.id), 0, 2)] == [1, 2]


async def test_a_call_has_its_own_recordings_and_those_nobody_has_placed_yet(engine: AsyncEngine):
    call, again = over(), over()
    again = replace(again, call_sid=call.call_sid, attempt=1)
    await keep(engine, call, again)
    await keep_recording(engine, call, "own")
    await keep_recording(engine, call, "unplaced", id=UUID(int=5), call_id=None, source="twilio", twilio_sid="RE5")
    await keep_recording(engine, again, "of the second stream")

    async with db_session(engine) as db:
        row = await db.get(Call, UUID(call.id))
        assert row
        assert {words.text for _, words in await recordings_with_words(db, row) if words} == {"own", "unplaced"}


async def rows(engine: AsyncEngine) -> list[int]:
    async with db_session(engine) as db:
        tables = (Call, CallEvent, Transcript, WebhookMessage)
        return [await db.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


async def test_a_deleted_call_is_gone_with_its_words_its_folder_and_its_recording(engine: AsyncEngine, tmp_path):
    call, other = over(), over()
    await keep(engine, call, other, said="Hello")
    await keep_recording(engine, call, "Hello")
    async with db_session(engine) as db:
        await emit(db, "call.started", call.id, {"from_number": ALICE})
    folder = tmp_path / call.id
    folder.mkdir()
    (folder / "call.wav").touch()

    assert await Archive(engine, tmp_path).delete_call(UUID(call.id), ME) == Deleted(calls=1, recordings=1)

    assert await rows(engine) == [1, 1, 0, 0]
    assert not folder.exists()
    async with db_session(engine) as db:
        [recording] = (await db.scalars(select(Recording))).all()
        [job] = (await db.scalars(select(Job))).all()
        [audit] = (await db.scalars(select(AuditEntry))).all()
    assert (recording.state, recording.call_id) == (RecordingState.DELETED, None)
    assert (job.kind, job.subject) == ("delete_recording", call.id)
    assert (audit.actor, audit.action, audit.subject) == ("me", "delete", f"call/{call.id}")
    assert await Archive(engine, tmp_path).delete_call(UUID(call.id), ME) is None


async def test_a_live_call_is_not_deleted_but_one_whose_server_is_long_gone_is(engine: AsyncEngine, tmp_path):
    live = {"status": CallStatus.LIVE, "end_reason": None, "ended_at": None}
    async with db_session(engine) as db:
        now = await db.scalar(select(func.now()))
    going_on, lost = over(**live, started_at=now), over(**live)  # the other began at noon, years ago
    await keep(engine, going_on, lost)

    with pytest.raises(CallIsLive):
        await Archive(engine, tmp_path).delete_call(UUID(going_on.id), ME)
    assert await Archive(engine, tmp_path).delete_call(UUID(lost.id), ME) == Deleted(calls=1)
    assert await found(engine) == [going_on.id]


async def test_all_calls_of_a_caller_go_and_nobody_elses(engine: AsyncEngine, tmp_path):
    async with db_session(engine) as db:
        now = await db.scalar(select(func.now()))
    calls = {
        "called us": over(0, from_number=ALICE, to_number=OURS),
        "was called": over(1, from_number=OURS, to_number=ALICE, direction="outbound"),
        "somebody else": over(2, from_number=BOB, to_number=OURS),
        "going on": over(3, from_number=ALICE, to_number=OURS, status=CallStatus.LIVE, started_at=now),
    }
    await keep(engine, *calls.values())
    await keep_recording(engine, calls["was called"], "Hello")

    assert await Archive(engine, tmp_path).delete_calls_with(OURS, ME) == Deleted()  # our own number is no caller
    assert await Archive(engine, tmp_path).delete_calls_with(ALICE, ME) == Deleted(calls=2, recordings=1, live=1)
    assert set(await found(engine)) == {calls["somebody else"].id, calls["going on"].id}


async def test_the_calls_of_a_party_are_read_oldest_first_page_by_page(engine: AsyncEngine):
    calls = [over(minutes, from_number=ALICE) for minutes in (3, 1, 2)]
    await keep(engine, *calls, over(0, from_number=BOB))
    async with db_session(engine) as db:
        first = await calls_of(db, ALICE, 2)
        rest = await calls_of(db, ALICE, 2, after=first[-1])
    assert [str(call_id) for _, call_id in [*first, *rest]] == [calls[1].id, calls[2].id, calls[0].id]
