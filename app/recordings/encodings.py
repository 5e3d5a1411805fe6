"""How the samples of a WAV file are written, and the way from each of these to 16-bit PCM.

Imports numpy, which no call needs: everything here belongs off the event loop.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from app.audio import ulaw_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.int16]

PCM, FLOAT, ULAW, EXTENSIBLE = 1, 3, 7, 0xFFFE
"""Format tags as RIFF has them."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One way to write a sample."""

    name: str
    sample_bytes: int
    decode: "Callable[[bytes], Samples]"


def encoding_of(tag: int, bits: int) -> Encoding | None:
    """The encoding of a format tag and its bits per sample; None for one that we cannot read."""
    return _ENCODINGS.get((tag, bits))


def _from_ulaw(data: bytes) -> "Samples":
    samples: Samples = np.take(_ulaw_table(), np.frombuffer(data, np.uint8))
    return samples


def _from_pcm8(data: bytes) -> "Samples":
    return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8


def _from_pcm16(data: bytes) -> "Samples":
    return np.frombuffer(data, "<i2").astype(np.int16)


def _from_pcm24(data: bytes) -> "Samples":
    high = np.frombuffer(data, np.uint8).reshape(-1, 3)[:, 1:]
    return np.ascontiguousarray(high).view("<i2").reshape(-1).astype(np.int16)


def _from_pcm32(data: bytes) -> "Samples":
    return (np.frombuffer(data, "<i4") >> 16).astype(np.int16)


def _from_float32(data: bytes) -> "Samples":
    sound = np.nan_to_num(np.frombuffer(data, "<f4"), posinf=1.0, neginf=-1.0)
    samples: Samples = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return samples


@cache
def _ulaw_table() -> "Samples":
    return np.array(ulaw_samples(), np.int16)


_ENCODINGS: Mapping[tuple[int, int], Encoding] = {
    (PCM, 8): Encoding("pcm8", 1, _from_pcm8),
    (PCM, 16): Encoding("pcm16", 2, _from_pcm16),
    (PCM, 24): Encoding("pcm24", 3, _from_pcm24),
    (PCM, 32): Encoding("pcm32", 4, _from_pcm32),
    (FLOAT, 32): Encoding("float32", 4, _from_float32),
    (ULAW, 8): Encoding("ulaw", 1, _from_ulaw),
}
