"""Twilio's recordings: expected at the end of a call, heard of by callback or poll, and deleted there."""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.record import CallRecord
from app.conf.models import AgentConf
from app.db.engine import db_session
from app.db.recordings import add_recording, change_recording, find_recording, retention
from app.db.tables import Call, Recording
from app.db.twilio_recordings import ONLY_CALLER, TWILIO, VOICEMAIL, find_by_sid, hold_call, of_twilio
from app.errors import CarrierApiError, ConfMissing
from app.jobs.context import JobContext
from app.jobs.job import GiveUp, Handler, Job, JobKind, TryAgain
from app.jobs.queue import enqueue
from app.recordings.states import RecordingState
from app.twilio.recordings import Course, Notice
from app.twilio.rest import account_rest
from app.twilio.rest_recordings import RecordingsRest

POLL_AFTER_S = 120.0
"""A callback that has not come so long after its call's end may never come."""
UNKNOWN = ""
"""The agent of a recording whose call is not known yet."""

_log = structlog.stdlib.get_logger(__name__)


async def expect_twilio_recording(
    db: AsyncSession, call: CallRecord, agent: AgentConf, *, poll_after_s: float = POLL_AFTER_S
) -> None:
    """A call that Twilio recorded is over: its recording will be known, even where no callback ever comes.

    Doing it again, or for each stream of a phone call, changes nothing.
    """
    await hold_call(db, call.call_sid)
    known = await of_twilio(db, call.call_sid)
    policy = policy_values(call, agent)
    for recording in known:
        if recording.call_id is None or call.attempt == 0:
            await change_recording(db, recording.id, **policy)
        if call.recording == "declined" and recording.state != RecordingState.DELETED:
            await enqueue(db, JobKind.FETCH_RECORDING, str(recording.id))  # which deletes what was declined
    waiting = [recording.id for recording in known if recording.state == RecordingState.EXPECTED]
    if not known:
        added = await _add(db, call.call_sid, call.account_sid, **policy)
        waiting = [added.id]
    for recording_id in waiting:
        await enqueue(db, JobKind.POLL_RECORDING, str(recording_id), after_s=poll_after_s)


def policy_values(call: CallRecord | Call, agent: AgentConf) -> dict[str, Any]:
    """What a recording's row owes to its call and its agent."""
    return {
        "call_id": UUID(str(call.id)),
        "agent": call.agent,
        "caller_channel": agent.recording.caller_channel,
        "delete_after": retention(call.started_at, agent.recording.retention_days),
    }


async def take_notice(db: AsyncSession, notice: Notice) -> None:
    """Write down what Twilio says of a recording; one that is ready will be fetched. Said twice, it changes nothing."""
    await hold_call(db, notice.call_sid)
    recording = await _row_of(db, notice)
    values: dict[str, Any] = {"twilio_sid": notice.recording_sid}
    match notice.course, RecordingState(recording.state):
        case Course.READY, RecordingState.EXPECTED | RecordingState.ABSENT | RecordingState.FAILED:
            values |= {"state": RecordingState.EXPECTED, "reason": None, "at_twilio": True}
            await enqueue(db, JobKind.FETCH_RECORDING, str(recording.id))
        case Course.READY, RecordingState.DELETED if recording.sha256 is None:
            values |= {"at_twilio": True, "deleted_at": None}  # it was deleted before Twilio had it ready
            await enqueue(db, JobKind.DELETE_RECORDING, str(recording.id))
        case Course.ABSENT, RecordingState.EXPECTED:
            values |= {"state": RecordingState.ABSENT, "reason": notice.reason, "at_twilio": False}
        case Course.FAILED, RecordingState.EXPECTED:
            values |= {"state": RecordingState.FAILED, "reason": notice.reason, "at_twilio": False}
        case Course.GONE, RecordingState.EXPECTED:
            reason = "it was deleted at Twilio before we had it"
            values |= {"state": RecordingState.FAILED, "reason": reason, "at_twilio": False}
    await change_recording(db, recording.id, **values)
    _log.info("twilio_recording", call_sid=notice.call_sid, recording=str(recording.id), course=notice.course)


async def delete_at_twilio(context: JobContext, recording: Recording) -> None:
    """Delete Twilio's copy, if it has one; raises `TryAgain`, or `GiveUp` where we have no access to its account."""
    if recording.twilio_sid is None:
        return
    try:
        await recordings_rest(context, recording.account_sid).delete(recording.twilio_sid)
    except CarrierApiError as error:
        raise TryAgain(str(error)) from error


def delete_at_twilio_handler(context: JobContext) -> Handler:
    """Deletes Twilio's copy of a recording as soon as ours is safe, and never before."""

    async def delete(job: Job) -> None:
        async with db_session(context.engine) as db:
            recording = await find_recording(db, job.subject)
        if recording is None or not recording.at_twilio:
            return
        if recording.sha256 is None or recording.state != RecordingState.STORED:
            raise GiveUp("we have no copy of our own")
        await delete_at_twilio(context, recording)
        async with db_session(context.engine) as db:
            await change_recording(db, recording.id, at_twilio=False)

    return delete


def recordings_rest(context: JobContext, account_sid: str) -> RecordingsRest:
    """The recordings of that account; raises `GiveUp` where it is no longer configured."""
    try:
        rest = account_rest(
            context.conf.twilio_accounts(),
            account_sid,
            context.http,
            base_url=context.twilio_api_base_url,
            carrier_s=context.deadlines.carrier_s,
        )
    except ConfMissing as error:
        raise GiveUp(str(error)) from error
    return RecordingsRest(rest)


async def _row_of(db: AsyncSession, notice: Notice) -> Recording:
    """The recording's own row, else that of one that is expected for its call, else a new one."""
    if found := await find_by_sid(db, notice.recording_sid):
        return found
    if notice.message:
        about = {"source": VOICEMAIL, "caller_channel": ONLY_CALLER, "agent": notice.agent}
        return await _add(db, notice.call_sid, notice.account_sid, **about)
    for recording in await of_twilio(db, notice.call_sid):
        if recording.twilio_sid is None:
            return recording
    return await _add(db, notice.call_sid, notice.account_sid, agent=UNKNOWN)


async def _add(db: AsyncSession, call_sid: str, account_sid: str, **values: Any) -> Recording:
    about = {"call_sid": call_sid, "account_sid": account_sid, "source": TWILIO, "state": RecordingState.EXPECTED}
    added = await add_recording(db, **(about | values))
    assert added is not None  # noqa: S101 - its id is new, and it has no Twilio sid yet
    return added
