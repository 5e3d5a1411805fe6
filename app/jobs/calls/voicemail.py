"""Messages that callers leave where no agent can talk: each a call of its own, with Twilio's recording of it."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.call.events import Kind, NumberedEvent
from app.call.journal.voicemail import VoicemailLeft
from app.call.record import CallRecord
from app.conf.models import AgentConf, MessageKind
from app.conf.store import ConfStore
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.recordings import add_recording, change_recording, forget_words_after, retention
from app.db.tables import Recording
from app.db.twilio_recordings import ONLY_CALLER, VOICEMAIL, find_by_sid, hold_call, streams_of
from app.errors import ConfError
from app.jobs.disk_queue import DiskQueue
from app.jobs.job import JobKind
from app.jobs.queue import enqueue
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import call_ended, voicemail_received
from app.recordings.states import RecordingState

FOLDER = "voicemails"

_log = structlog.stdlib.get_logger(__name__)


class Voicemails(DiskQueue[VoicemailLeft]):
    """Messages on their way to the database."""

    def __init__(self, data_dir: Path, engine: AsyncEngine, conf: ConfStore, *, poll_after_s: float) -> None:
        async def save(left: VoicemailLeft) -> None:
            await save_voicemail(engine, _agent(conf, left.call.agent), left, poll_after_s=poll_after_s)

        super().__init__(data_dir / FOLDER, VoicemailLeft, save)


async def save_voicemail(engine: AsyncEngine, agent: AgentConf, left: VoicemailLeft, *, poll_after_s: float) -> None:
    """Write down the call and expect its recording, which Twilio tells of before or after; twice changes nothing."""
    async with db_session(engine) as db:
        call = await _placed(db, left.call)
        await record_call(db, call, _events(call))
        forgotten = retention(call.started_at, agent.recording.retention_days)
        if forgotten:
            await forget_words_after(db, call.id, forgotten)
        about = {"call_id": UUID(call.id), "agent": call.agent, "delete_after": forgotten}
        recording = await find_by_sid(db, left.recording_sid)
        if recording is None:
            recording = await _expect(db, call, left.recording_sid)
            await enqueue(db, JobKind.POLL_RECORDING, str(recording.id), after_s=poll_after_s)
        if recording.state != RecordingState.DELETED:
            await change_recording(db, recording.id, **about)
        await emit(db, MessageKind.CALL_ENDED, call.id, call_ended(call))
        await emit(db, MessageKind.VOICEMAIL_RECEIVED, call.id, voicemail_received(call, recording.id))
    _log.info("voicemail_received", call=call.id, recording=str(recording.id), agent=call.agent)


async def _placed(db: AsyncSession, call: CallRecord) -> CallRecord:
    """The call behind the streams that its phone call had, each of which is a row."""
    await hold_call(db, call.call_sid)
    others = [each.attempt for each in await streams_of(db, call.call_sid) if str(each.id) != call.id]
    taken = call.attempt in others
    return replace(call, attempt=max(others) + 1) if taken else call


async def _expect(db: AsyncSession, call: CallRecord, recording_sid: str) -> Recording:
    added = await add_recording(
        db,
        call_sid=call.call_sid,
        account_sid=call.account_sid,
        source=VOICEMAIL,
        twilio_sid=recording_sid,
        agent=call.agent,
        caller_channel=ONLY_CALLER,
        state=RecordingState.EXPECTED,
    )
    assert added is not None  # noqa: S101 - the phone call is held: nobody else adds its recordings
    return added


def _events(call: CallRecord) -> list[NumberedEvent]:
    lasted_ms = int((call.ended_at - call.started_at).total_seconds() * 1000) if call.ended_at else 0
    return [
        NumberedEvent(1, Kind.VOICEMAIL_LEFT, lasted_ms),
        NumberedEvent(2, Kind.CALL_ENDED, lasted_ms, {"reason": call.end_reason}),
    ]


def _agent(conf: ConfStore, name: str) -> AgentConf:
    """The agent; of one that is gone, what is wanted of any."""
    try:
        return conf.agent(name)
    except ConfError:
        return AgentConf()
