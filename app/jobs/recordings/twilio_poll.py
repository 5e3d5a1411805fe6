"""Asking Twilio for a recording whose callback never came."""

from app.db.engine import db_session
from app.db.recordings import change_recording, find_recording
from app.errors import CarrierApiError
from app.jobs.context import JobContext
from app.jobs.job import Handler, Job, TryAgain
from app.jobs.recordings.twilio_recording import recordings_rest, take_notice
from app.recordings.states import RecordingState

MOST_POLLS = 8
"""The last one comes about two hours after the call's end."""
LONGEST_PAUSE = 15
"""In times of the first pause, which doubles from poll to poll."""

OPEN = frozenset({RecordingState.EXPECTED, RecordingState.FAILED})


def poll_handler(context: JobContext) -> Handler:
    """Finds out what became of a recording that is still expected."""

    async def poll(job: Job) -> None:
        async with db_session(context.engine) as db:
            recording = await find_recording(db, job.subject)
        if recording is None or recording.state not in OPEN or recording.at_twilio:
            return
        try:
            notices = await recordings_rest(context, recording.account_sid).of_call(recording.call_sid)
        except CarrierApiError as error:
            raise TryAgain(str(error)) from error
        async with db_session(context.engine) as db:
            for notice in notices:
                await take_notice(db, notice)
            now = await find_recording(db, job.subject, lock=True)
            if now is None or now.state not in OPEN or now.at_twilio:
                return
            if now.twilio_sid is None and job.attempt >= MOST_POLLS:
                reason = "Twilio has no recording of this call"
                await change_recording(db, now.id, state=RecordingState.ABSENT, reason=reason)
                return
        pause_s = context.deadlines.recording_poll_s * min(2 ** (job.attempt - 1), LONGEST_PAUSE)
        raise TryAgain("Twilio has no finished recording of this call yet", after_s=pause_s)

    return poll
