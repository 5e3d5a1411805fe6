"""Looks, once a minute, for what an operator must hear of before callers do: `system.*` messages."""

import asyncio
import contextlib
from datetime import UTC, date, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.call.events import CallEvent, Kind
from app.call.record import CallRecord
from app.conf.models import Known, MessageKind
from app.conf.store import ConfStore
from app.db import job_health, webhooks
from app.db.engine import db_session
from app.errors import ConfMissing, DatabaseError
from app.jobs.recordings.key_trouble import NO_MONEY, tell_of_key
from app.jobs.webhooks.emit import emit

LOOK_EVERY_S = 60.0
GATHER_S = 1.0
"""So long after the first refusal: where every call is refused, one look tells of many."""
OVERDUE = timedelta(minutes=15)
"""A job that should have run so long ago is stuck."""
MESSAGES_KEPT = timedelta(days=30)
MOST_TROUBLES = 100

_REFUSALS = {"invalid_api_key": MessageKind.KEY_REJECTED} | dict.fromkeys(NO_MONEY, MessageKind.QUOTA)
"""What a provider calls it, and what we do."""
_CODES = {Kind.SESSION_ERROR: "code", Kind.RESPONSE_DONE: "reason"}
"""Where events say so."""

Trouble = tuple[MessageKind, str]
"""Which kind, and at which account: `openai/default`."""

_log = structlog.get_logger(__name__)


class Watch:
    """Tells of stuck jobs, of models that end, and of keys that providers refuse."""

    def __init__(self, engine: AsyncEngine, conf: ConfStore, known: Known) -> None:
        self._engine = engine
        self._conf = conf
        self._known = known
        self._troubles: dict[Trouble, str] = {}
        """Heard from live calls, which touch no database; the next look writes them."""
        self._heard = asyncio.Event()

    def listen(self, record: CallRecord, event: CallEvent) -> None:
        """A listener of calls: keep in mind what a provider said of our key."""
        code = str(event.data.get(_CODES[event.kind])) if event.kind in _CODES else ""
        kind = _REFUSALS.get(code)
        if kind and len(self._troubles) < MOST_TROUBLES:
            text = str(event.data.get("message") or code)
            self._troubles.setdefault((kind, self._account(record.agent)), text)
            self._heard.set()

    async def run(self) -> None:
        """Look until cancelled; at once when a call has told of trouble."""
        while True:
            self._heard.clear()
            try:
                await self.look(datetime.now(UTC))
            except DatabaseError as error:
                _log.debug("watch_waits", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._heard.wait()
            await asyncio.sleep(GATHER_S)

    async def look(self, now: datetime) -> None:
        """Look once; telling of the same again changes nothing."""
        heard = dict(self._troubles)
        async with db_session(self._engine) as db:
            for (kind, account), text in heard.items():
                await tell_of_key(db, kind, account, text, now.date())
            await self._stuck(db, now)
            await self._failed(db, now)
            await self._retiring(db, now.date())
            await webhooks.purge_messages(db, MESSAGES_KEPT)
        for trouble in heard:
            del self._troubles[trouble]

    async def _stuck(self, db: AsyncSession, now: datetime) -> None:
        late = await job_health.overdue(db, OVERDUE)
        if late is None:
            return
        data = {"jobs": late.jobs, "oldest_since": late.oldest_since, "kinds": late.kinds, "paused": late.paused}
        await emit(db, MessageKind.JOBS_STUCK, f"overdue {now:%Y-%m-%dT%H}", {"reason": "overdue"} | data)

    async def _failed(self, db: AsyncSession, now: datetime) -> None:
        for each in await job_health.failures(db, now - timedelta(days=1)):
            data = {"reason": "failed", "kind": each.kind, "last_reason": each.last_reason}
            await emit(db, MessageKind.JOBS_STUCK, f"failed {each.kind} {each.day}", data)

    async def _retiring(self, db: AsyncSession, today: date) -> None:
        week = "{}-W{}".format(*today.isocalendar())
        for risk in self._known.risks(self._conf.agents(), today):
            finding = risk.finding
            if finding.last_day is None:
                continue
            data = {"agent": risk.agent, "field": finding.path, "last_day": finding.last_day, "text": finding.text}
            subject = f"{risk.agent} {finding.path} {finding.last_day} {week}"
            await emit(db, MessageKind.MODEL_RETIRING, subject, data)

    def _account(self, agent: str) -> str:
        try:
            conf = self._conf.agent(agent)
        except ConfMissing:  # deleted while it talked
            return f"agent/{agent}"
        return f"{conf.provider}/{conf.account}"
