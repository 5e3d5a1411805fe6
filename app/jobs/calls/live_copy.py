"""Copies what happens in live calls into the database, so that every process can read along."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import CallEvent, Kind, NumberedEvent
from app.call.record import CallRecord
from app.call.status import CallStatus
from app.db.engine import db_session
from app.db.live_calls import add_events, record_live
from app.errors import DatabaseError
from app.jobs.calls.taken import tell_taken
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import call_started

PERIOD_S = 0.25
MOST_WAITING = 10_000
"""Beyond this, copies are dropped: the journal has everything, and the end of the call brings it."""
MOST_AT_ONCE = 200
LONGEST_PAUSE_S = 15.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """What is new: calls as they stand now, and what happened in calls, by their ids."""

    calls: Sequence[CallRecord]
    events: Sequence[tuple[str, NumberedEvent]]
    messages: Sequence[tuple[CallRecord, NumberedEvent]] = ()
    """Those events of them that are messages for the team, with their calls."""


SaveLive = Callable[[LiveBatch], Awaitable[None]]
"""Writes a batch in one transaction; doing it twice changes nothing. Raises `DatabaseError`."""


class LiveCopy:
    """A listener that remembers events, and a task that brings them to the database. No call ever waits for it."""

    def __init__(self, save: SaveLive, *, period_s: float = PERIOD_S, most_waiting: int = MOST_WAITING) -> None:
        self._save = save
        self._period_s = period_s
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[CallRecord, CallEvent]] = deque()
        self._stirred = asyncio.Event()
        self._dropped = 0
        self._saved: dict[str, CallRecord] = {}  # of calls that go on: how their rows stand

    def __call__(self, record: CallRecord, event: CallEvent) -> None:
        """Take note of what happened; the journal's `Listener`."""
        if event.fleeting:
            return
        if len(self._waiting) >= self._most_waiting:
            self._drop(record, event)
            return
        self._waiting.append((record, event))
        self._stirred.set()

    async def run(self) -> None:
        """Copy until cancelled, however often the database goes and comes back."""
        pause_s = self._period_s
        while True:
            await self._stirred.wait()
            await asyncio.sleep(pause_s)
            try:
                await self._copy()
                pause_s = self._period_s
            except DatabaseError as error:
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                _log.warning("live_copy_waits", waiting=len(self._waiting), reason=str(error), again_in_s=pause_s)

    async def _copy(self) -> None:
        """Bring over all that waits; what is not brought over still waits."""
        while self._waiting:
            news = [self._waiting[i] for i in range(min(len(self._waiting), MOST_AT_ONCE))]
            try:
                await self._save(_batch(news, self._saved))
            except DatabaseError:
                raise
            except Exception:  # a job run: one call's event that the database refuses holds up no other call
                _log.exception("live_copy_refused")
                await self._copy_each(news)
            for record, event in news:
                self._waiting.popleft()
                self._remember(record, event)
        self._stirred.clear()
        if self._dropped:
            _log.warning("live_copies_dropped", events=self._dropped)
            self._dropped = 0

    async def _copy_each(self, news: Sequence[tuple[CallRecord, CallEvent]]) -> None:
        for call_id in {record.id: None for record, _ in news}:
            try:
                await self._save(_batch([each for each in news if each[0].id == call_id], self._saved))
            except DatabaseError:
                raise
            except Exception as error:  # as above
                _log.error("live_copy_dropped", call=call_id, error=type(error).__name__)

    def _remember(self, record: CallRecord, event: CallEvent) -> None:
        if event.kind is Kind.CALL_ENDED:
            self._saved.pop(record.id, None)
        else:
            self._saved[record.id] = record

    def _drop(self, record: CallRecord, event: CallEvent) -> None:
        self._dropped += 1
        if event.kind is Kind.CALL_ENDED:
            self._saved.pop(record.id, None)


async def save_live(engine: AsyncEngine, batch: LiveBatch) -> None:
    """A `SaveLive` on PostgreSQL; the operator's servers hear of a call with its first write."""
    async with db_session(engine) as db:
        for call in batch.calls:
            if await record_live(db, call):
                await emit(db, "call.started", call.id, call_started(call))
        await add_events(db, batch.events)
        for call, event in batch.messages:
            await tell_taken(db, call, [event])


def _batch(news: Sequence[tuple[CallRecord, CallEvent]], saved: Mapping[str, CallRecord]) -> LiveBatch:
    """The calls that stand differently than they were saved, and all events."""
    newest = {record.id: _without_end(record) for record, _ in news}
    calls = [record for record in newest.values() if record != saved.get(record.id)]
    told = [(record, NumberedEvent(event.seq, event.kind, event.at_ms, event.data)) for record, event in news]
    messages = [each for each in told if each[1].kind == Kind.MESSAGE_TAKEN]
    return LiveBatch(calls, [(record.id, event) for record, event in told], messages)


def _without_end(record: CallRecord) -> CallRecord:
    """The call as it stood before its end, of which only the finished folder tells all."""
    if record.status is not CallStatus.ENDED:
        return record
    return replace(record, status=CallStatus.LIVE if record.answered_at else CallStatus.CONNECTING)
