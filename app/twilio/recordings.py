"""Twilio's recordings on the wire: how one is asked for, and what a callback or a listing says of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.errors import Refused

RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")
CHANNELS = "dual"
TRIM = "do-not-trim"
"""Twilio's own default cuts silence away, and with it every time in the recording."""
EVENTS = "in-progress completed absent"
MESSAGE_EVENTS = "completed absent"
BY_VERB = "RecordVerb"
"""The source of messages that callers leave."""
CALLBACK_PATH = "/twilio/recording"

_NO_ERROR = frozenset({"", "0"})
_REASONS = {"16101": "the recording was too short", "16102": "the recording was silent"}


class Course(StrEnum):
    """Where a recording is at Twilio."""

    GOING_ON = "going_on"
    """It is being made, or got ready."""
    READY = "ready"
    ABSENT = "absent"
    """There is no sound, and never will be."""
    FAILED = "failed"
    GONE = "gone"
    """Somebody deleted it there."""


_COURSES = {
    "in-progress": Course.GOING_ON,
    "paused": Course.GOING_ON,
    "stopped": Course.GOING_ON,
    "processing": Course.GOING_ON,
    "completed": Course.READY,
    "absent": Course.ABSENT,
    "failed": Course.FAILED,
    "deleted": Course.GONE,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What Twilio says of one recording, by a callback or when it was asked."""

    account_sid: str
    call_sid: str
    recording_sid: str
    course: Course
    reason: str | None = None
    """Why there is no sound."""
    message: bool = False
    """Whether it is one that a caller has left, and no recording of a conversation."""
    agent: str = ""
    """Whose voicemail it is, where that is known."""


def read_callback(fields: Mapping[str, str], *, agent: str = "") -> Notice:
    """The news in a recording status callback; raises `Refused` where it is none.

    Its `RecordingUrl` is left where it is: nothing is ever fetched from an address that a request names.
    """
    return notice(
        account_sid=fields.get("AccountSid", ""),
        call_sid=fields.get("CallSid", ""),
        recording_sid=fields.get("RecordingSid", ""),
        status=fields.get("RecordingStatus", ""),
        error_code=fields.get("ErrorCode", ""),
        message=fields.get("RecordingSource") == BY_VERB,
        agent=agent,
    )


def notice(
    *,
    account_sid: str,
    call_sid: str,
    recording_sid: str,
    status: str,
    error_code: str,
    message: bool = False,
    agent: str = "",
) -> Notice:
    """The news in these words of Twilio's; raises `Refused` for a malformed SID or an unknown status."""
    if not RECORDING_SID.fullmatch(recording_sid):
        raise Refused("RecordingSid is missing or malformed.")
    course = _COURSES.get(status)
    if course is None:
        raise Refused("RecordingStatus is missing or unknown.")
    return Notice(account_sid, call_sid, recording_sid, course, _reason(course, error_code), message, agent)


def callback_url(public_url: str) -> str:
    """Where Twilio reports what becomes of a recording."""
    return f"{public_url}{CALLBACK_PATH}"


def creation_fields(public_url: str) -> dict[str, str]:
    """What makes Twilio record a call that we place, from its answer on: more fields for the call's creation."""
    return {
        "Record": "true",
        "RecordingChannels": CHANNELS,
        "Trim": TRIM,
        "RecordingStatusCallback": callback_url(public_url),
        "RecordingStatusCallbackEvent": EVENTS,
    }


def _reason(course: Course, error_code: str) -> str | None:
    if course not in {Course.ABSENT, Course.FAILED}:
        return None
    if error_code in _NO_ERROR:
        return f"Twilio calls the recording {course}, without a reason"
    return _REASONS.get(error_code, f"Twilio calls the recording {course} (code {error_code[:20]})")
