"""What can become of a recording and of its words."""

from enum import StrEnum


class RecordingState(StrEnum):
    """Where a recording is on its way; it is lost in none of these."""

    EXPECTED = "expected"
    """Somebody records; the sound is not in our storage yet."""
    STORED = "stored"
    FAILED = "failed"
    """Could not be brought into the storage; `reason` says why, and a person may try again."""
    ABSENT = "absent"
    """There never was any sound: too short, or silent."""
    DELETED = "deleted"
    """By its retention, its caller's refusal or a person: `reason` says which."""


class TranscriptState(StrEnum):
    """Where a recording's words are on their way."""

    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    """There is nothing to write down: empty, too short, silent; `reason` says which."""
    FAILED = "failed"
    """`reason` says why; the recording is kept, and a person may try again."""
