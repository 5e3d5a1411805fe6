"""Our own recording of a call: from the call's folder into the storage, once, or a clear word why there is none."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.call.journal.folder import RECORDING
from app.call.record import CallRecord
from app.conf.models import AgentConf
from app.conf.models import RecordingPolicy as Policy
from app.conf.store import ConfStore
from app.db.engine import db_session
from app.db.recordings import add_recording, find_recording, recordings_of, retention
from app.db.tables import Call
from app.db.transcripts import mark_transcript
from app.db.twilio_recordings import hold_call, is_declined
from app.errors import AudioError, ConfError
from app.jobs.calls.delete import DECLINED, request_deletion
from app.jobs.recordings.transcripts import want_transcript
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import recording_ready
from app.recordings.audio import AudioInfo, probe
from app.recordings.states import RecordingState, TranscriptState
from app.recordings.storage import Storage, Stored

LEAST_MS = 300

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnRecordings:
    """Keeps the recordings that calls leave in their folders. A recording has its call's id."""

    engine: AsyncEngine
    conf: ConfStore
    storage: Storage

    async def keep(self, call: CallRecord, folder: Path) -> bool:
        """Bring what there is to where it belongs; whether the folder's sound may go. Twice changes nothing.

        The call's row must be there. Raises `StorageError` and `DatabaseError`.
        """
        async with db_session(self.engine) as db:
            known = await find_recording(db, call.id)
            declined = await is_declined(db, call.call_sid)
        if known:
            return known.state != RecordingState.FAILED
        policy = self._policy(call)
        if declined:
            await self._forget(call)
            if policy.own:
                now = datetime.now(UTC)
                await self._note(call, policy, state=RecordingState.DELETED, reason=DECLINED, deleted_at=now)
            return True
        if call.recording == "off":
            return False
        return await self._bring(call, policy, folder / RECORDING)

    def retention_days(self, call: CallRecord) -> int | None:
        """For how long the agent's calls may be heard and read."""
        return self._policy(call).retention_days

    async def _bring(self, call: CallRecord, policy: Policy, file: Path) -> bool:
        if not await asyncio.to_thread(file.exists):
            if policy.own:  # else it was Twilio that recorded
                await self._note(call, policy, state=RecordingState.ABSENT, reason="there was no sound")
            return False
        try:
            info = await asyncio.to_thread(probe, file)
        except AudioError as error:
            await self._note(call, policy, state=RecordingState.FAILED, reason=f"the recording {error}")
            return False
        if info.duration_ms < LEAST_MS:
            reason = f"it lasts {info.duration_ms} ms only"
            await self._note(call, policy, state=RecordingState.ABSENT, reason=reason)
            return True
        stored = await self.storage.put(sound_key(call), file)
        if not await self._write_down(call, policy, info, stored):
            await self.storage.delete(stored.key)
        return True

    async def _forget(self, call: CallRecord) -> None:
        """What the phone call's other streams left goes as well: its caller meant all of it.

        Twilio's goes when Twilio has it ready: it is still looked for until then.
        """
        async with db_session(self.engine) as db:
            await hold_call(db, call.call_sid)
            for recording in await recordings_of(db, call.call_sid):
                if recording.source == "own":
                    await request_deletion(db, recording.id, DECLINED)

    async def _write_down(self, call: CallRecord, policy: Policy, info: AudioInfo, stored: Stored) -> bool:
        """False where a person deleted the call meanwhile, or its caller declined in another stream."""
        async with db_session(self.engine) as db:
            if not await _still_there(db, call):
                return False
            await hold_call(db, call.call_sid)
            if await is_declined(db, call.call_sid):
                return False
            values = {"bytes": stored.bytes, "duration_ms": info.duration_ms, "channels": info.channels}
            recording = await add_recording(
                db,
                **_row(call, policy),
                **values,
                state=RecordingState.STORED,
                key=stored.key,
                sha256=stored.sha256,
                stored_at=datetime.now(UTC),
            )
            if recording is None:  # another process was faster
                return True
            await emit(db, "recording.ready", str(recording.id), recording_ready(recording))
            if policy.transcription:
                await want_transcript(db, recording)
        _log.info("recording_stored", recording=call.id, bytes=stored.bytes, duration_ms=info.duration_ms)
        return True

    async def _note(self, call: CallRecord, policy: Policy, *, state: RecordingState, reason: str, **more: Any) -> None:
        """There is nothing to store, and why."""
        async with db_session(self.engine) as db:
            if not await _still_there(db, call):
                return
            added = await add_recording(db, **_row(call, policy), **more, state=state, reason=reason)
            if added and policy.transcription and state != RecordingState.DELETED:
                await mark_transcript(db, added.id, TranscriptState.SKIPPED, reason, call_id=added.call_id)
        _log.info("recording_not_stored", recording=call.id, state=state, reason=reason)

    def _policy(self, call: CallRecord) -> Policy:
        """What the agent wants now; of one that is gone, what is wanted of any."""
        try:
            return self.conf.agent(call.agent).recording
        except ConfError:
            return AgentConf().recording


def sound_key(call: CallRecord) -> str:
    """The name in the storage of our recording of a call."""
    return f"{call.started_at:%Y/%m}/{call.id}.wav"


async def _still_there(db: AsyncSession, call: CallRecord) -> bool:
    return await db.get(Call, UUID(call.id), with_for_update={"read": True}) is not None


def _row(call: CallRecord, policy: Policy) -> dict[str, Any]:
    return {
        "id": UUID(call.id),
        "call_id": UUID(call.id),
        "call_sid": call.call_sid,
        "account_sid": call.account_sid,
        "source": "own",
        "agent": call.agent,
        "created_at": call.started_at,
        "delete_after": retention(call.started_at, policy.retention_days),
    }
