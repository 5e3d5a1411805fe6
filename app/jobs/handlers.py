"""Which function does which kind of job."""

from app.jobs.calls.delete import delete_handler
from app.jobs.context import JobContext
from app.jobs.job import Handlers, JobKind
from app.jobs.recordings.transcribe import transcribe_handler
from app.jobs.recordings.twilio_fetch import fetch_handler
from app.jobs.recordings.twilio_poll import poll_handler
from app.jobs.recordings.twilio_recording import delete_at_twilio_handler
from app.jobs.webhooks.deliver import deliver_handler


def handlers(context: JobContext) -> Handlers:
    """The handlers of every kind; a kind without one stays waiting."""
    return {
        JobKind.DELIVER: deliver_handler(context),
        JobKind.TRANSCRIBE: transcribe_handler(context),
        JobKind.POLL_RECORDING: poll_handler(context),
        JobKind.FETCH_RECORDING: fetch_handler(context),
        JobKind.DELETE_RECORDING: delete_handler(context),
        JobKind.DELETE_AT_TWILIO: delete_at_twilio_handler(context),
    }
