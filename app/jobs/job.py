"""What a job is, and the three ways in which one fails."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.errors import ParleyError


class JobKind(StrEnum):
    """Every kind of work; its subject is in brackets."""

    POLL_RECORDING = "poll_recording"
    """Ask Twilio for a recording whose callback never came (recording id)."""
    FETCH_RECORDING = "fetch_recording"
    """Bring Twilio's recording into our storage (recording id)."""
    TRANSCRIBE = "transcribe"
    """Write a stored recording down (recording id)."""
    DELETE_RECORDING = "delete_recording"
    """Delete a recording everywhere (recording id)."""
    DELETE_AT_TWILIO = "delete_at_twilio"
    """Delete Twilio's copy only: ours is safe (recording id)."""
    DELIVER = "deliver"
    """Send a message to an operator's server (delivery id)."""


class JobState(StrEnum):
    """Where a job is; a person may send a failed one round again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a job."""

    id: str
    kind: JobKind
    subject: str
    attempt: int
    """Counts from 1."""


class TryAgain(ParleyError):
    """It did not work, and may work later; `after_s` where somebody said when, else we back off."""

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class GiveUp(ParleyError):
    """It did not work, and never will; the job ends as failed with this message."""


class PauseKind(ParleyError):
    """No job of this kind can work until a person mends something: they all wait, and the message says for what."""


Handler = Callable[[Job], Awaitable[None]]
"""Does a job of one kind. It may run twice, also at once in two processes, and must then change nothing.

It raises one of the three above; anything else it raises counts as `TryAgain`.
"""

Handlers = Mapping[JobKind, Handler]
