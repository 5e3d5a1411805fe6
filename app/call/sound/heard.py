"""What the caller heard of the agent, and when: placed by the marks that come back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.audio import FRAME_MS, base64_size, ms_of
from app.call.sound.pieces import Piece

STEP_MS = FRAME_MS // 2
"""The media clock goes in steps of a frame; on average a mark comes back in the middle of one."""
SLACK_MS = 15
"""Less than this is the clock's coarseness, and no gap and no cut."""
PATIENCE_MS = 10_000
"""A mark that is so late never comes."""
NEARLY_DRY_MS = 500
"""With less than this queued, the queue may run dry before more of it arrives."""
AHEAD = "s-"
"""How a mark begins that goes ahead of audio: it comes back when that audio begins to play."""


@dataclass(slots=True)
class _Sent:
    """Audio at the carrier that was not heard to its end, as far as we know."""

    audio: str
    ms: int
    sent_ms: int
    begins: bool
    """Whether nothing was queued before it."""
    began_ms: int | None = None
    """Where it began to play, once the mark ahead of it has said so."""
    cleared: bool = False


@dataclass(slots=True)
class HeardAudio:
    """The agent's audio in the order it was sent, until the carrier says when it was heard.

    Chunks that play on without a gap lie end to end, for the clock's coarseness must not tear them apart. Where
    the queue ran dry, and where the caller interrupted, the marks say when. Times are those of the media clock.
    """

    _waiting: dict[str, _Sent] = field(default_factory=dict)  # by mark, in the order they play
    _end_ms: int = 0  # where the last placed piece ends
    _queued_until_ms: int = 0  # when the queue runs dry, at the soonest
    _clear_ms: int = 0
    _round_ms: int = 0  # from sending to playing, at its shortest so far

    @property
    def pending(self) -> bool:
        """Whether anything waits for its mark."""
        return bool(self._waiting)

    def send(self, mark: str, audio: str, at_ms: int) -> str | None:
        """Audio goes to the carrier, and this mark behind it; where one has to go ahead of it, that is returned."""
        last = next(reversed(self._waiting.values()), None)
        sent = _Sent(audio, ms_of(base64_size(audio)), at_ms, begins=last is None or last.cleared)
        self._waiting[mark] = sent
        nearly_dry = sent.begins or self._queued_until_ms < at_ms + NEARLY_DRY_MS
        self._queued_until_ms = max(self._queued_until_ms, at_ms) + sent.ms
        return AHEAD + mark if nearly_dry else None

    def clear(self, at_ms: int) -> None:
        """Everything queued is dropped as soon as the carrier learns of it; all its marks come back then."""
        for sent in self._waiting.values():
            sent.cleared = True
        self._clear_ms = self._queued_until_ms = at_ms

    def mark(self, name: str, at_ms: int) -> Iterator[Piece]:
        """A mark came back: what was heard until now, at its place."""
        mark = name.removeprefix(AHEAD)
        if mark not in self._waiting:
            return
        while next(iter(self._waiting)) != mark:  # marks come in order: those before it are lost
            yield from self._by_reckoning(at_ms + STEP_MS)
        if mark == name:
            yield from self._heard(self._waiting.pop(mark), at_ms + STEP_MS)
        else:
            self._began(self._waiting[mark], at_ms)

    def give_up(self, at_ms: int) -> Iterator[Piece]:
        """What waits for marks that never come, at its place by our own reckoning."""
        while self._waiting:
            first = next(iter(self._waiting.values()))
            if self._start_ms(first) + first.ms + PATIENCE_MS > at_ms:
                return
            yield from self._by_reckoning(at_ms)

    def end(self, at_ms: int) -> Iterator[Piece]:
        """The stream is over: what was heard until then."""
        while self._waiting:
            yield from self._by_reckoning(at_ms + STEP_MS)

    def _began(self, sent: _Sent, at_ms: int) -> None:
        sent.began_ms = at_ms + STEP_MS
        if sent.begins:
            round_ms = max(at_ms - sent.sent_ms, 0)
            self._round_ms = min(self._round_ms or round_ms, round_ms)

    def _heard(self, sent: _Sent, until_ms: int) -> Iterator[Piece]:
        """It ended then; if a clear was on its way and that was sooner than it could end, it was cut."""
        start_ms = self._start_ms(sent)
        early_ms = start_ms + sent.ms - until_ms
        if sent.cleared and early_ms > SLACK_MS:  # and what was queued behind it has no time left at all
            yield from self._place(sent, start_ms, until_ms)
            return
        if sent.begins or abs(early_ms) > SLACK_MS:  # its end is known best
            start_ms = max(until_ms - sent.ms, self._end_ms)
        yield from self._place(sent, start_ms, start_ms + sent.ms)

    def _by_reckoning(self, at_ms: int) -> Iterator[Piece]:
        """The first that waits, as if its mark had come when it should have."""
        sent = self._waiting.pop(next(iter(self._waiting)))
        heard_until_ms = min(at_ms, self._clear_ms + self._round_ms) if sent.cleared else at_ms
        yield from self._place(sent, self._start_ms(sent), heard_until_ms)

    def _start_ms(self, sent: _Sent) -> int:
        """Where it began, as far as is known: where the last one ended, unless there was a gap."""
        if sent.began_ms is None:
            return max(sent.sent_ms + (self._round_ms if sent.begins else 0), self._end_ms)
        return sent.began_ms if sent.began_ms - self._end_ms > SLACK_MS else self._end_ms

    def _place(self, sent: _Sent, start_ms: int, until_ms: int) -> Sequence[Piece]:
        piece = Piece(start_ms, sent.audio, sent.ms).part(start_ms, until_ms)
        if piece.ms:
            self._end_ms = piece.end_ms
        return [piece] if piece.ms else []
