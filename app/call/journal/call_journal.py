"""What happens in a call, on its way into the call's folder, off the audio path."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import structlog

from app.call.events import CallEvent, Kind, NumberedEvent
from app.call.journal import folder as folders
from app.call.journal.folder import AGENT_TRACK, CALLER_TRACK, EVENTS, OWNER
from app.call.journal.transcript import Transcript
from app.call.record import CallRecord
from app.call.sound.pieces import render
from app.call.sound.recorder import Recorder, Take

_log = structlog.get_logger(__name__)

Listener = Callable[[CallRecord, CallEvent], None]
"""The hook: told of every event of every call as it happens, in the event loop, so it must not block."""


@dataclass(frozen=True, slots=True)
class _Batch:
    record: CallRecord
    lines: list[NumberedEvent]
    take: Take


class Journal:
    """One call's folder. `add`, `collect` and `recorder` are cheap and belong to the event loop, the rest to a thread.

    While the disk refuses, one batch waits for it; what comes meanwhile waits as events here and as sound in the
    recorder, which gives up the oldest of it.
    """

    def __init__(
        self,
        folder: Path,
        record: CallRecord,
        *,
        now_ms: Callable[[], float],
        listeners: Sequence[Listener] = (),
        records: bool = True,
        redacted: Callable[[CallEvent], CallEvent] = lambda event: event,
    ) -> None:
        """`redacted` is what may be written down and told of an event."""
        self.folder = folder
        self.record = record
        self.recorder = Recorder(on=records)
        self.transcript = Transcript()
        self.refused = False
        """Whether the last try to write failed."""
        self._now_ms = now_ms
        self._new: list[NumberedEvent] = []
        self._seq = 0
        self._told_lost_ms = 0
        self._batch: _Batch | None = None
        self._written: CallRecord | None = None
        self._sizes = {EVENTS: 0, CALLER_TRACK: 0, AGENT_TRACK: 0}
        self._soundless = False
        self._listeners = tuple(listeners)
        self._redacted = redacted

    def add(self, event: CallEvent) -> None:
        """Note what happened, and tell the listeners."""
        event = self._redacted(event)
        if not event.fleeting:
            self._seq += 1
            self._new.append(NumberedEvent(self._seq, event.kind, event.at_ms, event.data))
            event = CallEvent(event.kind, event.at_ms, event.data, seq=self._seq)
            self.transcript.add(event)
        for listener in self._listeners:
            try:
                listener(self.record, event)
            except Exception:  # somebody else's code: its failure is not the call's
                _log.exception("listener_failed", kind=event.kind)

    def collect(self) -> None:
        """Set aside what is ready to be written, unless something else still waits for the disk."""
        if self._batch is None:
            self.note_gap()
            self._gather()

    def note_gap(self) -> None:
        """Write down how much sound was given up since the last time, if any was."""
        lost_ms = self.recorder.lost_ms - self._told_lost_ms
        if lost_ms:
            self._told_lost_ms += lost_ms
            self.add(CallEvent(Kind.RECORDING_GAP, int(self._now_ms()), {"lost_ms": lost_ms}))

    def declined(self) -> None:
        """The caller does not want to be recorded: what there is of it is deleted with the next write."""
        self.record = replace(self.record, recording="declined")
        self.recorder.stop()
        self._soundless = True

    def write(self, owner: str = "") -> None:
        """Write what was collected, at its own place in each file, so that a failed try can be repeated."""
        self._make_folder(owner)
        if self._soundless:
            folders.forget_sound(self.folder)
        if (batch := self._batch) is None:
            return
        parts: dict[str, Iterable[bytes]] = {EVENTS: map(_line, batch.lines)}
        if not self._soundless:
            parts[CALLER_TRACK] = render(batch.take.caller, self._sizes[CALLER_TRACK])
            parts[AGENT_TRACK] = render(batch.take.agent, self._sizes[AGENT_TRACK])
        sizes = {name: self._put(name, blocks) for name, blocks in parts.items()}
        if batch.record != self._written:
            folders.write_record(self.folder, batch.record)
            self._written = batch.record
        self._sizes |= sizes
        self._batch = None

    def finish(self, record: CallRecord, owner: str = "") -> None:
        """Write all that is left, and finish the folder. Nobody adds any more; a failed try can be repeated."""
        self.write(owner)
        self._gather()
        self.write(owner)
        folders.finish(self.folder, record, self.transcript)

    def _gather(self) -> None:
        self._batch = _Batch(self.record, self._new, self.recorder.take(self._now_ms()))
        self._new = []

    def _make_folder(self, owner: str) -> None:
        """A folder appears with its owner and its record in it, or not at all."""
        if self.folder.is_dir():
            return
        draft = self.folder.with_name(f".{self.folder.name}.new")
        draft.mkdir(parents=True, exist_ok=True)
        (draft / OWNER).write_text(owner)
        folders.write_record(draft, self.record)
        draft.rename(self.folder)

    def _put(self, name: str, blocks: Iterable[bytes]) -> int:
        """Write behind what is known to be there; the file's size afterwards."""
        path = self.folder / name
        size = self._sizes[name]
        first = next(blocks := iter(blocks), None)
        if first is None:
            return size
        path.touch()
        with path.open("r+b") as file:
            file.seek(size)
            file.write(first)
            file.writelines(blocks)
            file.truncate()
            return file.tell()


def _line(event: NumberedEvent) -> bytes:
    try:
        return msgspec.json.encode(event) + b"\n"
    except (TypeError, ValueError) as error:  # one event of somebody's making must not hold up all others
        _log.error("event_unwritable", kind=event.kind, error=str(error))
        return msgspec.json.encode(NumberedEvent(event.seq, event.kind, event.at_ms)) + b"\n"
