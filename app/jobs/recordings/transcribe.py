"""A stored recording to its transcript: piece by piece, each kept at once, and then the whole."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.journal.digest import Digest, digest
from app.call.journal.transcript import Turn
from app.conf.models import DEFAULT, RecordingTranscription
from app.db.calls import find_events
from app.db.engine import db_session
from app.db.recordings import find_recording, find_transcript
from app.db.tables import Recording
from app.db.transcripts import drop_refused, kept_pieces, mark_transcript
from app.errors import (
    AudioError,
    ConfError,
    NotStored,
    StorageError,
    TranscriptionKeyRejected,
    TranscriptionRefused,
    TranscriptionUnavailable,
)
from app.jobs.context import JobContext
from app.jobs.job import GiveUp, Handler, Job, PauseKind, TryAgain
from app.jobs.recordings.key_trouble import kind_of, tell_of_key
from app.jobs.recordings.pieces import Answer, tells_voices_apart, write_down
from app.jobs.recordings.redactors import redactor_of
from app.jobs.recordings.transcripts import Gone, Made, end_without, finish, keep, kept_answer
from app.openai.transcriber import Transcriber
from app.recordings.compare import differences
from app.recordings.cutting import Limits
from app.recordings.plan import Plan, plan
from app.recordings.redacted import redacted_segments, redacted_words
from app.recordings.segments import stitch
from app.recordings.states import RecordingState, TranscriptState
from app.redaction import Redactor

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    """A recording that is to be written down, and how."""

    recording: Recording
    turns: Sequence[Turn]
    """What its call's journal says; of a recording that somebody else made, on another clock, nothing."""
    asked: RecordingTranscription
    account: str
    redactor: Redactor


def transcribe_handler(context: JobContext, *, limits: Limits = Limits()) -> Handler:  # noqa: B008 (a frozen value)
    """Writes a recording down. Run again, it repeats at most the one request that it was killed in."""

    async def transcribe(job: Job) -> None:
        task = await _task(context, job)
        if task is None:
            return
        try:
            async with context.workroom.folder() as folder:
                planned = await _planned(context, task, folder / "recording.wav", limits)
                if planned is not None:
                    await _write_down(context, job, task, planned)
        except Gone:
            return
        except OSError as error:
            raise TryAgain(f"the recording cannot be read: {error}") from error

    return transcribe


async def _task(context: JobContext, job: Job) -> _Task | None:
    """What is to be done; None where there is nothing (more) to do."""
    async with db_session(context.engine) as db:
        recording = await find_recording(db, job.subject, lock=True)
        if recording is None or recording.state == RecordingState.DELETED:
            return None
        there = await find_transcript(db, recording.id)
        if there and there.state in {TranscriptState.DONE, TranscriptState.SKIPPED}:
            return None
        await mark_transcript(db, recording.id, TranscriptState.WAITING, None, call_id=recording.call_id)
        if job.attempt == 1:  # new, or sent round again by a person, who wants more than the old answer
            await drop_refused(db, recording.id)
        told = await _told(db, recording)
    if recording.state == RecordingState.ABSENT:
        await end_without(
            context.engine, recording.id, TranscriptState.SKIPPED, recording.reason or "there is no sound"
        )
        return None
    if recording.state != RecordingState.STORED:
        raise TryAgain(f"the recording is {recording.state}, not stored")
    turns = told.turns if recording.source == "own" else ()
    redactor = redactor_of({recording.agent} | {each.agent for each in told.agents}, context.conf.agent)
    try:
        agent = context.conf.agent(recording.agent)
    except ConfError:  # the agent is gone; its recordings are not
        return _Task(recording, turns, RecordingTranscription(), DEFAULT, redactor)
    return _Task(recording, turns, agent.recording.transcription or RecordingTranscription(), agent.account, redactor)


async def _told(db: AsyncSession, recording: Recording) -> Digest:
    return digest(await find_events(db, str(recording.call_id)) if recording.call_id else ())


async def _planned(context: JobContext, task: _Task, file: Path, limits: Limits) -> Plan | None:
    """The recording in a file of ours, cut; None for one that has nothing to write down."""
    recording = task.recording
    try:
        await context.storage.fetch(recording.key or "", file)
        planned = await asyncio.to_thread(
            plan,
            file,
            caller_channel=recording.caller_channel,
            turns=task.turns,
            limits=limits,
            whole=tells_voices_apart(task.asked.model),
        )
    except AudioError as error:
        raise await _failed(context, recording.id, f"the recording {error}") from error
    except NotStored as error:
        raise await _failed(context, recording.id, str(error)) from error
    except StorageError as error:
        raise TryAgain(str(error)) from error
    if planned.pieces:
        return planned
    lasts_ms = planned.info.duration_ms
    reason = f"it lasts {lasts_ms} ms only" if lasts_ms < limits.least_ms else "nobody speaks in it"
    await end_without(context.engine, recording.id, TranscriptState.SKIPPED, reason, duration_ms=lasts_ms)
    return None


async def _write_down(context: JobContext, job: Job, task: _Task, planned: Plan) -> None:
    answers = await _answers(context, task, planned)
    recording_id = task.recording.id
    refused = [answer.reason for answer in answers.values() if answer.reason]
    if len(refused) == len(answers):
        raise await _failed(context, recording_id, refused[0])
    words = {seq: answer.words for seq, answer in answers.items()}
    segments = redacted_segments(stitch(planned.pieces, words, planned.speakers), task.redactor)
    differ = await asyncio.to_thread(differences, task.turns, segments) if task.turns else []
    await finish(context.engine, job.id, recording_id, Made(planned, answers, segments, differ))
    _log.info("transcript_ready", recording=str(recording_id), pieces=len(answers), refused=len(refused))


async def _answers(context: JobContext, task: _Task, planned: Plan) -> dict[int, Answer]:
    """The answer to every piece, asking only for those that are not kept already."""
    recording_id = task.recording.id
    async with db_session(context.engine) as db:
        kept = await kept_pieces(db, recording_id)
    transcriber = Transcriber(
        context.http,
        lambda: context.conf.openai(task.account),
        context.transcription_url,
        prices=context.conf.prices,
    )
    answers: dict[int, Answer] = {}
    model = task.asked.model
    for seq, piece in enumerate(planned.pieces):
        answer = kept_answer(kept.get(seq), piece)
        if answer is None:
            answering = write_down(transcriber, planned, piece, task.asked, model=model)
            answer = await _settled(context, task, answering)
            answer = replace(answer, words=redacted_words(answer.words, task.redactor))
            model = answer.model  # where the first had to be done by the fallback, the others need not try
            await keep(context.engine, recording_id, seq, piece, answer)
        answers[seq] = answer
    return answers


async def _settled(context: JobContext, task: _Task, answering: Awaitable[Answer]) -> Answer:
    """The answer, or what its failure means for the job."""
    try:
        return await answering
    except TranscriptionKeyRejected as error:
        await _tell_operator(context, task.account, error)
        raise PauseKind(str(error)) from error
    except TranscriptionUnavailable as error:
        raise TryAgain(str(error), after_s=error.after_s) from error
    except TranscriptionRefused as error:
        raise await _failed(context, task.recording.id, str(error)) from error


async def _failed(context: JobContext, recording_id: UUID, reason: str) -> GiveUp:
    await end_without(context.engine, recording_id, TranscriptState.FAILED, reason)
    return GiveUp(reason)


async def _tell_operator(context: JobContext, account: str, error: TranscriptionKeyRejected) -> None:
    """Every recording waits until a person has mended it."""
    async with db_session(context.engine) as db:
        await tell_of_key(db, kind_of(error.code), f"openai/{account}", str(error), datetime.now(UTC).date())
