"""A message that a caller has left."""

import msgspec

from app.call.record import CallRecord


class VoicemailLeft(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of it when the caller has spoken."""

    call: CallRecord
    """The row that it gets among the calls: no stream tells of it."""
    recording_sid: str
