"""The call's folder: its truth while people talk, written off the audio path.

call.json      who, when, which agent, how it ended
events.jsonl   what happened, one event a line, numbered by `seq`
caller.ulaw    the caller's track; agent.ulaw the agent's, as heard, on the same clock
call.wav       both tracks, caller left; transcript.json the turns (both at the end)
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from app.call import wav
from app.call.events import CallEvent, NumberedEvent
from app.call.record import CallRecord
from app.call.recorder import Recorder, Take, render
from app.call.transcript import Transcript

_log = structlog.get_logger(__name__)

CALL, EVENTS, CALLER_TRACK, AGENT_TRACK = "call.json", "events.jsonl", "caller.ulaw", "agent.ulaw"
NUL, REPLACEMENT = rb"\u0000", rb"\ufffd"
"""The one character that PostgreSQL cannot keep, as JSON spells it; and what stands for it."""
RECORDING, TRANSCRIPT = "call.wav", "transcript.json"


Listener = Callable[[CallRecord, CallEvent], None]
"""The hook: told of every event of every call as it happens, in the event loop, so it must not block."""


@dataclass(frozen=True, slots=True)
class _Batch:
    lines: list[NumberedEvent]
    take: Take


class Journal:
    """One call's folder. `add` and `recorder` are cheap and belong to the event loop; `write` belongs to a thread."""

    def __init__(
        self, folder: Path, record: CallRecord, *, now_ms: Callable[[], float], listeners: Sequence[Listener] = ()
    ) -> None:
        self.folder = folder
        self.record = record
        self.recorder = Recorder()
        self.transcript = Transcript()
        self._now_ms = now_ms
        self._new: list[NumberedEvent] = []
        self._seq = 0
        self._unwritten: list[_Batch] = []
        self._sizes = {EVENTS: 0, CALLER_TRACK: 0, AGENT_TRACK: 0}
        self._listeners = tuple(listeners)

    def add(self, event: CallEvent) -> None:
        """Note what happened, and tell the listeners."""
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

    def collect(self, *, everything: bool = False) -> None:
        """Set aside what is ready to be written; with `everything`, what is still being heard as well."""
        take = self.recorder.take(float("inf") if everything else self._now_ms())
        self._unwritten.append(_Batch(self._new, take))
        self._new = []

    def write(self) -> None:
        """Write what was collected, at its own place in each file, so that a failed try can be repeated."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / CALL).exists():
            self._write_record()
        while self._unwritten:
            batch = self._unwritten[0]
            self._append(EVENTS, b"".join(msgspec.json.encode(line) + b"\n" for line in batch.lines))
            self._append(CALLER_TRACK, render(batch.take.caller, self._sizes[CALLER_TRACK]))
            self._append(AGENT_TRACK, render(batch.take.agent, self._sizes[AGENT_TRACK]))
            del self._unwritten[0]

    def finish(self, record: CallRecord) -> None:
        """Write all that is left, the stereo recording, the transcript and last the record with its end."""
        self.record = record
        self.write()
        caller, agent = ((self.folder / name).read_bytes() for name in (CALLER_TRACK, AGENT_TRACK))
        (self.folder / RECORDING).write_bytes(wav.stereo(caller, agent))
        (self.folder / TRANSCRIPT).write_bytes(msgspec.json.format(msgspec.json.encode(self.transcript.as_json())))
        self._write_record()

    def _append(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.touch()
        if data:
            with path.open("r+b") as file:
                file.seek(self._sizes[name])
                file.write(data)
                file.truncate()
            self._sizes[name] += len(data)

    def _write_record(self) -> None:
        draft = self.folder / f"{CALL}.new"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self.record)))
        draft.replace(self.folder / CALL)


class JournalWriter:
    """Writes all live calls' journals to disk, a second's worth at a time, in one thread."""

    def __init__(self, root: Path, *, period_s: float, listeners: Sequence[Listener] = ()) -> None:
        self.root = root
        self._listeners = listeners
        self._period_s = period_s
        self._open: dict[str, Journal] = {}
        self._writing = asyncio.Lock()  # a journal is written by one thread at a time

    def open(self, record: CallRecord, *, now_ms: Callable[[], float]) -> Journal:
        """A new call's journal; its folder appears with the next round."""
        journal = Journal(self.root / record.id, record, now_ms=now_ms, listeners=self._listeners)
        self._open[record.id] = journal
        return journal

    async def close(self, journal: Journal, record: CallRecord) -> None:
        """The call is over: write the rest. What cannot be written is reported; the call is over all the same."""
        self._open.pop(record.id, None)
        journal.collect(everything=True)
        async with self._writing:
            try:
                await asyncio.to_thread(journal.finish, record)
            except OSError as error:
                _log.error("journal_not_finished", folder=str(journal.folder), error=str(error))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(self._period_s)
            for journal in self._open.values():
                journal.collect()
            async with self._writing:
                await asyncio.to_thread(_write_all, list(self._open.values()))


def _write_all(journals: list[Journal]) -> None:
    for journal in journals:
        try:
            journal.write()
        except OSError as error:
            _log.error("journal_not_written", folder=str(journal.folder), error=str(error))


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
