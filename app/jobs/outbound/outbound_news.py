"""What Twilio says of the calls that we placed, brought to their requests."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.conf.store import ConfStore
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.ids import uuid7
from app.db.outbound import find_request
from app.db.tables import OutboundRequest
from app.errors import ConfError
from app.jobs.disk_queue import DiskQueue
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import call_ended
from app.outbound.answered import Picked
from app.outbound.states import OutboundState, Progress, after

FOLDER = "outbound_news"
_UNANSWERED = {
    "busy": EndReason.BUSY,
    "no_answer": EndReason.NO_ANSWER,
    "call_failed": EndReason.ERROR,
}
"""How a call ended that has no stream to tell of it."""

_log = structlog.stdlib.get_logger(__name__)


class OutboundNews(DiskQueue[Progress]):
    """Status callbacks on their way to the database."""

    def __init__(self, data_dir: Path, engine: AsyncEngine, conf: ConfStore, *, saved: Callable[[], None]) -> None:
        """`saved` hears of each when it is there: a call that is over makes room for the next."""

        async def save(news: Progress) -> None:
            await save_progress(engine, conf, news)
            saved()

        super().__init__(data_dir / FOLDER, Progress, save)


async def save_progress(engine: AsyncEngine, conf: ConfStore, news: Progress) -> None:
    """Write down where the request stands now; said twice, or too late, it changes nothing.

    A call that nobody answered gets a row among the calls too, for it has no stream that would bring one.
    """
    async with db_session(engine) as db:
        request = await find_request(db, news.request_id, lock=True)
        if request is None:
            return
        if request.call_sid not in {None, news.call_sid}:
            _log.error("outbound_called_twice", request=str(request.id), attempt=news.attempt, call_sid=news.call_sid)
            return
        if news.answered_by and request.answered_by is None:
            request.answered_by = Picked.of(news.answered_by)
        moved = after(request.state, news.call_status)
        if moved is None and request.state not in {OutboundState.QUEUED, OutboundState.DIALING}:
            return
        request.call_sid = news.call_sid  # also of a request that was queued again: its call is there after all
        if moved:
            await _move(db, request, *moved, version=_version(conf, request.agent), account_sid=_sid(conf, request))


async def _move(
    db: AsyncSession,
    request: OutboundRequest,
    state: OutboundState,
    reason: str | None,
    *,
    version: int,
    account_sid: str,
) -> None:
    now = datetime.now(UTC)
    request.state, request.reason = state, reason
    match state:
        case OutboundState.LIVE:
            request.answered_at = func.now()
        case OutboundState.ENDED | OutboundState.FAILED | OutboundState.CANCELED:
            request.ended_at = func.now()
            if reason in _UNANSWERED and request.answered_at is None:
                record = _record(request, _UNANSWERED[reason], now, version, account_sid)
                await record_call(db, record, [])
                await emit(db, "call.ended", record.id, call_ended(record))
    _log.info("outbound", request=str(request.id), state=state, reason=reason)


def _record(
    request: OutboundRequest, reason: EndReason, now: datetime, agent_version: int, account_sid: str
) -> CallRecord:
    return CallRecord(
        id=str(uuid7()),
        call_sid=request.call_sid or "",
        account_sid=account_sid,
        from_number=request.from_number,
        to_number=request.to_number,
        direction="outbound",
        agent=request.agent,
        agent_version=agent_version,
        started_at=request.dialed_at or now,
        status=CallStatus.ENDED,
        ended_at=now,
        end_reason=reason,
    )


def _version(conf: ConfStore, agent: str) -> int:
    try:
        return conf.agent_version(agent)
    except ConfError:  # it was deleted while the phone rang
        return 0


def _sid(conf: ConfStore, request: OutboundRequest) -> str:
    try:
        return conf.twilio(request.account).account_sid
    except ConfError:
        return ""
