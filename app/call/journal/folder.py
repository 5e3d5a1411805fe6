"""What a call's folder holds, and how it is read and finished.

call.json      who, when, which agent, how it ended
events.jsonl   what happened, one event a line, numbered by `seq`
caller.ulaw    the caller's track; agent.ulaw the agent's, as heard, on the same clock
owner          which process writes it
call.wav       both tracks, caller left; transcript.json the turns (both at the end)
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.call.events import NumberedEvent
from app.call.journal.transcript import Transcript
from app.call.record import CallRecord
from app.call.sound import wav

CALL, EVENTS, CALLER_TRACK, AGENT_TRACK, OWNER = "call.json", "events.jsonl", "caller.ulaw", "agent.ulaw", "owner"
RECORDING, TRANSCRIPT = "call.wav", "transcript.json"
NUL, REPLACEMENT = rb"\u0000", rb"\ufffd"
"""The one character that PostgreSQL cannot keep, as JSON spells it; and what stands for it."""


def read_record(folder: Path) -> CallRecord:
    """The call of a folder; raises `OSError` or `msgspec.DecodeError`."""
    return msgspec.json.decode((folder / CALL).read_bytes().replace(NUL, REPLACEMENT), type=CallRecord)


def read_events(folder: Path) -> Iterator[NumberedEvent]:
    """The events of a folder, in order; a half-written last line is left out."""
    decoder = msgspec.json.Decoder(NumberedEvent)
    with (folder / EVENTS).open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield decoder.decode(line.replace(NUL, REPLACEMENT))


def write_record(folder: Path, record: CallRecord) -> None:
    """Write `call.json`, whole or not at all."""
    _write_json(folder / CALL, record)


def finish(folder: Path, record: CallRecord, transcript: Transcript) -> None:
    """Make the recording of the tracks, write the transcript, and last the record with its end."""
    tracks = folder / CALLER_TRACK, folder / AGENT_TRACK
    if any(track.exists() and track.stat().st_size for track in tracks):
        draft = folder / f"{RECORDING}.new"
        wav.write_stereo(draft, *tracks)
        draft.replace(folder / RECORDING)
    _write_json(folder / TRANSCRIPT, transcript.as_json())
    write_record(folder, record)


def forget_sound(folder: Path) -> None:
    """Delete everything that was recorded."""
    for name in (CALLER_TRACK, AGENT_TRACK, RECORDING, f"{RECORDING}.new"):
        (folder / name).unlink(missing_ok=True)


def _write_json(path: Path, value: Any) -> None:
    draft = path.with_name(f"{path.name}.new")
    with draft.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(value)))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
