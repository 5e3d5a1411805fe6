"""How loud each channel of a recording is, moment by moment, in the band in which people speak."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from app.recordings.audio import AudioInfo, frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.recordings.encodings import Samples

    Decibels: TypeAlias = NDArray[np.float32]

STEPS_PER_S = 50
BAND_HZ = (200, 3400)
"""Hum and rumble lie below."""
DIGITAL_SILENCE_DB = -100.0


@dataclass(frozen=True, slots=True)
class Levels:
    """Decibels below full scale: a row for each step, a column for each channel."""

    db: "Decibels"
    step_ms: float

    def of(self, channel: int) -> "Decibels":
        """Those of one channel."""
        return self.db[:, channel]

    def step(self, at_ms: float) -> int:
        """The step that holds this moment, within the recording."""
        return min(max(int(at_ms / self.step_ms), 0), len(self.db) - 1)


def measure(path: Path, info: AudioInfo) -> Levels:
    """The levels of the whole file; a last incomplete step counts as one."""
    step = max(info.rate_hz // STEPS_PER_S, 2)
    bands = [_loudness(block, info.rate_hz) for block in _steps(path, info, step)]
    return Levels(np.concatenate(bands), step * 1000 / info.rate_hz)


def _steps(path: Path, info: AudioInfo, step: int) -> "Iterator[NDArray[np.float32]]":
    """The samples as arrays of (steps, samples of a step, channels)."""
    rest: Samples = np.zeros((0, info.channels), np.int16)
    for block in frames(path, info):
        rest = np.concatenate([rest, block])
        whole = len(rest) // step * step
        yield rest[:whole].reshape(-1, step, info.channels).astype(np.float32)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, ((0, step - len(rest)), (0, 0))).reshape(1, step, info.channels).astype(np.float32)


def _loudness(steps: "NDArray[np.float32]", rate_hz: int) -> "Decibels":
    size = steps.shape[1]
    window = np.hanning(size).astype(np.float32)
    first, last = (int(hz * size / rate_hz) for hz in BAND_HZ)
    spectrum = np.fft.rfft(steps * window[None, :, None], axis=1)[:, max(first, 1) : last + 1]
    power = 2 * np.sum(np.abs(spectrum) ** 2, axis=1) / (size * np.sum(window**2))
    floor = 32768.0**2 * 10 ** (DIGITAL_SILENCE_DB / 10)
    decibels: Decibels = (10 * np.log10(np.maximum(power, floor) / 32768.0**2)).astype(np.float32)
    return decibels
