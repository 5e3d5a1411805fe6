"""Twilio's recording into our storage: once, whole, and only where the caller did not decline it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.status import CallStatus
from app.conf.models import AgentConf
from app.db.engine import db_session
from app.db.recordings import change_recording, find_recording, recordings_of, retention
from app.db.tables import Call, Recording
from app.db.twilio_recordings import VOICEMAIL, streams_of
from app.errors import AudioError, CarrierApiError, ConfError, StorageError
from app.jobs.calls.delete import DECLINED, request_deletion
from app.jobs.context import JobContext
from app.jobs.job import GiveUp, Handler, Job, JobKind, TryAgain
from app.jobs.queue import enqueue
from app.jobs.recordings.transcripts import want_transcript
from app.jobs.recordings.twilio_recording import UNKNOWN, policy_values, recordings_rest
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import recording_ready
from app.recordings.audio import AudioInfo, probe
from app.recordings.states import RecordingState
from app.recordings.storage import Stored

CHANNELS = 2
"""The caller's and the agent's."""
CALL_AGAIN_S = 5.0
NO_CALL_AFTER = timedelta(minutes=10)
"""A call of which the database knows nothing by then had no stream."""
LONGEST_CALL = timedelta(hours=6)
MISSING_AGAIN_S = 5.0
MISSING_TRIES, MISSING_FOR = 10, timedelta(minutes=10)
"""So patient we are with a recording that Twilio calls ready and does not have."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A recording that is to be fetched."""

    id: UUID
    account_sid: str
    twilio_sid: str
    key: str
    ready_since: datetime
    """The sound was not there before."""


def fetch_handler(context: JobContext) -> Handler:
    """Brings Twilio's recording into our storage, and says so in one transaction; run again, it changes nothing."""

    async def fetch(job: Job) -> None:
        wanted = await _wanted(context, job)
        if wanted is None:
            return
        try:
            async with context.workroom.folder() as folder:
                file = folder / "recording.wav"
                info = await _bring(context, job, wanted, file)
                stored = await context.storage.put(wanted.key, file)
            if not await _keep(context, wanted, info, stored):
                await context.storage.delete(wanted.key)
        except (StorageError, OSError) as error:
            raise TryAgain(f"the recording cannot be kept: {error}") from error

    return fetch


async def _wanted(context: JobContext, job: Job) -> _Wanted | None:
    """The recording, where it is still to be fetched; one that the caller declined is deleted instead."""
    async with db_session(context.engine) as db:
        recording = await find_recording(db, job.subject, lock=True)
        if recording is None or recording.twilio_sid is None:
            return None
        if recording.source == VOICEMAIL:
            return await _message(context, db, job, recording)
        streams = await streams_of(db, recording.call_sid)
        if any(stream.recording == "declined" for stream in streams):
            await request_deletion(db, recording.id, DECLINED)
            return None
        if recording.state not in {RecordingState.EXPECTED, RecordingState.FAILED}:
            return None
        now = datetime.now(UTC)
        if _call_goes_on(streams, now - recording.created_at):
            raise TryAgain("the call is not over", after_s=_pause_s(job, CALL_AGAIN_S, longest_s=60))
        values = {"key": _key(recording)}
        if recording.agent == UNKNOWN and streams:
            values |= policy_values(streams[0], _agent(context, streams[0].agent))
        await change_recording(db, recording.id, **values)
        since = max([recording.created_at, *(stream.ended_at for stream in streams if stream.ended_at)])
        return _Wanted(recording.id, recording.account_sid, recording.twilio_sid, values["key"], since)


async def _message(context: JobContext, db: AsyncSession, job: Job, recording: Recording) -> _Wanted | None:
    """What a caller has left is wanted in any case, whatever was declined before."""
    if recording.state not in {RecordingState.EXPECTED, RecordingState.FAILED}:
        return None
    if recording.call_id is None and datetime.now(UTC) - recording.created_at < NO_CALL_AFTER:
        raise TryAgain("its call is not known yet", after_s=_pause_s(job, CALL_AGAIN_S, longest_s=60))
    days = _agent(context, recording.agent).recording.retention_days
    kept = {"delete_after": retention(recording.created_at, days)} if recording.call_id is None else {}
    await change_recording(db, recording.id, key=_key(recording), **kept)
    sid = recording.twilio_sid or ""
    return _Wanted(recording.id, recording.account_sid, sid, _key(recording), recording.created_at)


def _key(recording: Recording) -> str:
    return recording.key or f"{recording.created_at:%Y/%m}/{recording.id}.wav"


def _call_goes_on(streams: Sequence[Call], known_for: timedelta) -> bool:
    """Whether the caller may still decline; a call of which nothing comes is not waited for for ever."""
    if not streams:
        return known_for < NO_CALL_AFTER
    return known_for < LONGEST_CALL and any(stream.status != CallStatus.ENDED for stream in streams)


async def _bring(context: JobContext, job: Job, wanted: _Wanted, file: Path) -> AudioInfo:
    """Fetch the sound into that file, and see that it is some."""
    try:
        await recordings_rest(context, wanted.account_sid).fetch(wanted.twilio_sid, file)
        return await asyncio.to_thread(probe, file)
    except AudioError as error:
        raise _missing(job, wanted, f"what Twilio gives as the recording {error}") from error
    except CarrierApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise _missing(job, wanted, str(error)) from error
        raise TryAgain(str(error)) from error


def _missing(job: Job, wanted: _Wanted, reason: str) -> TryAgain | GiveUp:
    """Twilio may not have the sound at once; after so many tries, and so long, it never will."""
    if job.attempt >= MISSING_TRIES and datetime.now(UTC) - wanted.ready_since >= MISSING_FOR:
        return GiveUp(reason)
    return TryAgain(reason, after_s=_pause_s(job, MISSING_AGAIN_S, longest_s=120))


async def _keep(context: JobContext, wanted: _Wanted, info: AudioInfo, stored: Stored) -> bool:
    """Write down that it is stored, and let follow what follows; False where it was deleted meanwhile."""
    async with db_session(context.engine) as db:
        recording = await find_recording(db, wanted.id, lock=True)
        if recording is None or recording.state == RecordingState.DELETED:
            return False
        if recording.state == RecordingState.STORED:
            return True
        await change_recording(
            db,
            recording.id,
            state=RecordingState.STORED,
            reason=None
            if info.channels == CHANNELS or recording.source == VOICEMAIL
            else f"Twilio gave {info.channels} channel(s) instead of {CHANNELS}",
            key=stored.key,
            sha256=stored.sha256,
            bytes=stored.bytes,
            duration_ms=info.duration_ms,
            channels=info.channels,
            stored_at=datetime.now(UTC),
        )
        await _follow(db, recording, _agent(context, recording.agent))
    _log.info("recording_stored", recording=str(wanted.id), bytes=stored.bytes, duration_ms=info.duration_ms)
    return True


async def _follow(db: AsyncSession, recording: Recording, agent: AgentConf) -> None:
    """Tell of it, and let it be written down and deleted at Twilio where its agent wants that."""
    await emit(db, "recording.ready", str(recording.id), recording_ready(recording))
    policy = agent.recording
    alone = recording.source == VOICEMAIL or policy.source == "twilio"
    if policy.transcription and (alone or await _is_only(db, recording.call_sid)):
        await want_transcript(db, recording)
    if policy.delete_at_twilio:
        await enqueue(db, JobKind.DELETE_AT_TWILIO, str(recording.id))


async def _is_only(db: AsyncSession, call_sid: str) -> bool:
    """Whether we wanted a recording of our own and have none: it could not be kept, or its machine is gone."""
    ours = [each.state for each in await recordings_of(db, call_sid) if each.source == "own"]
    if ours:
        return all(state in {RecordingState.ABSENT, RecordingState.FAILED} for state in ours)
    return any(stream.status != CallStatus.ENDED for stream in await streams_of(db, call_sid))


def _agent(context: JobContext, name: str) -> AgentConf:
    """The agent; where it is gone or not known, one that asks for nothing more than to keep the recording."""
    try:
        return context.conf.agent(name)
    except ConfError:
        return AgentConf()


def _pause_s(job: Job, first_s: float, *, longest_s: float) -> float:
    return min(first_s * 2.0 ** min(job.attempt - 1, 20), longest_s)
