"""The end of calls whose process died: their folders are finished with what it had written."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app.audio import ms_of
from app.call.events import CallEvent, Kind, NumberedEvent
from app.call.journal.folder import AGENT_TRACK, CALLER_TRACK, EVENTS, finish, forget_sound, read_events, read_record
from app.call.journal.transcript import Transcript
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason

_KINDS = frozenset(Kind)


def end_crashed(folder: Path) -> CallRecord:
    """Finish a folder that nobody writes any more; twice changes nothing. For a thread: it copies the sound.

    Raises `OSError` or `msgspec.DecodeError` when it does not even say whose call it was.
    """
    record = read_record(folder)
    if record.end_reason is not None:
        return record
    ended_s = _last_write_s(folder)
    events = _mend(folder)
    os.utime(folder / EVENTS, (ended_s, ended_s))  # whoever is interrupted here finds the same time again
    declined = record.recording == "declined" or any(event.kind == Kind.RECORDING_DECLINED for event in events)
    if declined:
        forget_sound(folder)
    record = replace(
        record,
        status=CallStatus.ENDED,
        ended_at=datetime.fromtimestamp(ended_s, UTC),
        end_reason=EndReason(events[-1].data["reason"]),
        recording="declined" if declined else record.recording,
    )
    told = (CallEvent(Kind(event.kind), event.at_ms, event.data) for event in events if event.kind in _KINDS)
    finish(folder, record, Transcript(told))
    return record


def _last_write_s(folder: Path) -> float:
    """When the process was last known to live."""
    files = [folder / name for name in (EVENTS, CALLER_TRACK, AGENT_TRACK)]
    return max((file.stat().st_mtime for file in files if file.exists()), default=folder.stat().st_mtime)


def _mend(folder: Path) -> list[NumberedEvent]:
    """The events, the last of which now tells of the end, and nothing half-written behind it."""
    path = folder / EVENTS
    path.touch()
    events = list(read_events(folder))
    with path.open("r+b") as file:
        whole = file.read().rfind(b"\n") + 1
        file.seek(whole)
        file.truncate()
        if not events or events[-1].kind != Kind.CALL_ENDED:  # it may have died while it finished the folder
            events.append(_end(folder, events))
            file.write(msgspec.json.encode(events[-1]) + b"\n")
    return events


def _end(folder: Path, events: list[NumberedEvent]) -> NumberedEvent:
    tracks = [folder / name for name in (CALLER_TRACK, AGENT_TRACK)]
    sound_ms = max((ms_of(track.stat().st_size) for track in tracks if track.exists()), default=0)
    last = events[-1] if events else NumberedEvent(0, "", 0)
    return NumberedEvent(last.seq + 1, Kind.CALL_ENDED, max(last.at_ms, sound_ms), {"reason": EndReason.SERVER_CRASH})
