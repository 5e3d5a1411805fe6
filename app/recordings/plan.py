"""How a recording is going to be written down: who speaks on which track, and in which pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.call.journal.transcript import Turn
from app.recordings.audio import AudioInfo, probe, wav_of
from app.recordings.cutting import Limits, Piece, cut
from app.recordings.levels import Levels, measure
from app.recordings.spans import Span
from app.recordings.turns import Speaker, channels_of, spoken

SAME_DB, SAME_SHARE = 0.5, 0.99


@dataclass(frozen=True, slots=True)
class Plan:
    """A recording, and what is sent of it."""

    path: Path
    info: AudioInfo
    speakers: tuple[Speaker, ...]
    pieces: tuple[Piece, ...]

    @property
    def silent(self) -> tuple[Speaker, ...]:
        """Those of whom nothing can be heard."""
        heard = {piece.channel for piece in self.pieces}
        return tuple(speaker for channel, speaker in enumerate(self.speakers) if channel not in heard)

    def wav(self, piece: Piece) -> bytes:
        """The sound of one piece, as it is sent."""
        return wav_of(self.path, self.info, piece.channel, piece.sent.from_ms, piece.sent.until_ms)


def plan(
    path: Path,
    *,
    caller_channel: str = "left",
    turns: Sequence[Turn] = (),
    limits: Limits = Limits(),  # noqa: B008 (a frozen value)
    whole: bool = False,
) -> Plan:
    """Cut the WAV file; the same file and turns always give the same pieces. Raises `AudioError`.

    `whole` keeps together what one channel has: a model that tells voices apart needs to hear them side by side.
    """
    info = probe(path)
    levels = measure(path, info)
    if info.channels > 1 and not turns and _all_the_same(levels):
        levels = Levels(levels.db[:, :1], levels.step_ms)
    speakers = channels_of(levels.db.shape[1], caller_channel)
    speech = spoken(levels, speakers, turns, info.duration_ms)
    if whole and len(speech) == 1 and speech[0]:
        speech = [[Span(speech[0][0].from_ms, speech[0][-1].until_ms)]]
    pieces = cut(speech, levels, duration_ms=info.duration_ms, rate_hz=info.rate_hz, limits=limits)
    return Plan(path, info, tuple(speakers), tuple(pieces))


def _all_the_same(levels: Levels) -> bool:
    """Whether every channel has the same sound: a file that is stereo in name only."""
    apart = np.abs(levels.db - levels.db[:, :1]).max(axis=1)
    return bool(np.mean(apart < SAME_DB) >= SAME_SHARE)
