"""Which function does which kind of job."""

from app.jobs.context import JobContext
from app.jobs.deliver import deliver_handler
from app.jobs.job import Handlers, JobKind
from app.jobs.transcribe import transcribe_handler


def handlers(context: JobContext) -> Handlers:
    """The handlers of every kind; a kind without one stays waiting."""
    return {
        JobKind.DELIVER: deliver_handler(context),
        JobKind.TRANSCRIBE: transcribe_handler(context),
    }
