"""Where somebody speaks, told from levels alone: no model, no dependency, the same answer every time.

It would rather take noise for speech than speech for noise: what it leaves out is never written down.
"""

from typing import TYPE_CHECKING

import numpy as np

from app.recordings.levels import Levels
from app.recordings.spans import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.recordings.levels import Decibels

NOISE_WINDOW_S = 6
NOISE_SHARE = 10
"""Even a quick speaker leaves this share (in per cent) of a few seconds to the line's own noise."""
NOISE_DB = (-65.0, -38.0)
BEGINS_DB, GOES_ON_DB = 9.0, 5.0
"""Speech begins so far above the noise, and goes on while it is this far above."""
LEAST_DB = -52.0
HANGOVER_MS = 300
LEAST_SPEECH_MS = 200
LEAST_LOUD_MS = 100
ECHO_DB, ECHO_MS = 25.0, 300
"""What is so much fainter than the other side was just now is that side's echo."""


def speech(levels: Levels, channel: int) -> list[Span]:
    """The stretches of a channel in which somebody speaks."""
    db = levels.of(channel)
    noise = _noise(db, levels.step_ms)
    begins = (db >= np.maximum(noise + BEGINS_DB, LEAST_DB)) & ~_echo(levels, channel)
    goes_on = (db >= np.maximum(noise + GOES_ON_DB, LEAST_DB)) & ~_echo(levels, channel)
    return _spans(begins, goes_on, levels.step_ms)


def loud(levels: Levels, channel: int, span: Span, least_db: float = NOISE_DB[0]) -> Span | None:
    """The span without the silence at its ends; None where there is nothing but silence."""
    first, last = levels.step(span.from_ms), levels.step(max(span.until_ms - 1, span.from_ms))
    sounding = np.flatnonzero(levels.of(channel)[first : last + 1] >= least_db)
    if not len(sounding):
        return None
    begins_ms = max(int((first + sounding[0]) * levels.step_ms), span.from_ms)
    ends_ms = min(int((first + sounding[-1] + 1) * levels.step_ms), span.until_ms)
    return Span(begins_ms, max(begins_ms, ends_ms))


def _noise(db: "Decibels", step_ms: float) -> "Decibels":
    """The line's own noise around each step."""
    second = max(round(1000 / step_ms), 1)
    blocks = -(-len(db) // second)
    # what a last incomplete second lacks is filled with that second itself
    filled = np.pad(db, (0, blocks * second - len(db)), mode="wrap" if len(db) < second else "reflect")
    wide = np.pad(filled.reshape(blocks, second), ((NOISE_WINDOW_S // 2,) * 2, (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, NOISE_WINDOW_S + 1, axis=0)
    floor = np.percentile(windows, NOISE_SHARE, axis=(1, 2)).astype(np.float32)
    around: Decibels = np.clip(np.repeat(floor, second)[: len(db)], *NOISE_DB)
    return around


def _echo(levels: Levels, channel: int) -> "NDArray[np.bool_]":
    db = levels.db
    if db.shape[1] != 2:
        return np.zeros(len(db), np.bool_)
    reach = int(ECHO_MS / levels.step_ms)
    before = np.pad(levels.of(1 - channel), (reach, 0), constant_values=db.min())
    loudest = np.lib.stride_tricks.sliding_window_view(before, reach + 1).max(axis=1)
    fainter: NDArray[np.bool_] = loudest > levels.of(channel) + ECHO_DB
    return fainter


def _spans(begins: "NDArray[np.bool_]", goes_on: "NDArray[np.bool_]", step_ms: float) -> list[Span]:
    """Runs of loud steps, pauses up to the hangover included, that are long enough to be speech."""
    loud_steps = np.flatnonzero(goes_on)
    if not len(loud_steps):
        return []
    runs = np.split(loud_steps, np.flatnonzero(np.diff(loud_steps) > HANGOVER_MS / step_ms) + 1)
    spans = []
    for run in runs:
        span = Span(int(run[0] * step_ms), int((run[-1] + 1) * step_ms))
        if span.ms >= LEAST_SPEECH_MS and len(run) * step_ms >= LEAST_LOUD_MS and begins[run].any():
            spans.append(span)
    return spans
