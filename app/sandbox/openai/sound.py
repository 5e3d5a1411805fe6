"""The formats of the session's audio, to and from 16-bit samples at 8 kHz."""

from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.int16]

Format = Literal["audio/pcmu", "audio/pcma", "audio/pcm"]
BYTES_PER_MS: dict[Format, int] = {"audio/pcmu": 8, "audio/pcma": 8, "audio/pcm": 48}
SAMPLES_PER_MS = 8
SAMPLE_BYTES: dict[Format, int] = {form: size // SAMPLES_PER_MS for form, size in BYTES_PER_MS.items()}
"""How many bytes of each format become one sample at 8 kHz."""


def from_pcmu(audio: bytes) -> "Samples":
    """G.711 µ-law as samples."""
    return np.take(_pcmu(), np.frombuffer(audio, dtype=np.uint8))


def decode(audio: bytes, form: Format) -> "Samples":
    """What the caller sent, as samples; 24 kHz PCM is thinned out to 8 kHz."""
    if form == "audio/pcmu":
        return from_pcmu(audio)
    if form == "audio/pcma":
        return np.take(_pcma(), np.frombuffer(audio, dtype=np.uint8))
    wide = np.frombuffer(audio[: len(audio) // 6 * 6], dtype="<i2")
    thinned: Samples = wide.reshape(-1, 3).mean(axis=1).astype(np.int16)
    return thinned


def encode(pcmu: bytes, form: Format) -> bytes:
    """A µ-law clip in the format that the session speaks."""
    if form == "audio/pcmu":
        return pcmu
    samples = from_pcmu(pcmu)
    if form == "audio/pcma":
        return _nearest(_pcma())[samples.astype(np.int32) + 32768].tobytes()
    at = np.arange(len(samples) * 3) / 3
    return np.interp(at, np.arange(len(samples)), samples).astype("<i2").tobytes()


def synthetic(ms: int) -> bytes:
    """A voice-like hum of that length in µ-law, for words that no clip has."""
    at = np.arange(ms * SAMPLES_PER_MS) / 8000
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * at)
    hum = sum(np.sin(2 * np.pi * 140 * harmonic * at) / harmonic for harmonic in range(1, 8))
    return _nearest(_pcmu())[(3000 * syllables * hum).astype(np.int32) + 32768].tobytes()


@cache
def _pcmu() -> "Samples":
    code = np.arange(256) ^ 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


@cache
def _pcma() -> "Samples":
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_nearest_codes: dict[int, "NDArray[np.uint8]"] = {}


def _nearest(table: "Samples") -> "NDArray[np.uint8]":
    """For each sample value (plus 32768), the code whose value is nearest."""
    if id(table) not in _nearest_codes:
        order = np.argsort(table, kind="stable")
        middles = (table[order][1:].astype(np.int32) + table[order][:-1]) / 2
        _nearest_codes[id(table)] = order[np.searchsorted(middles, np.arange(-32768, 32768))].astype(np.uint8)
    return _nearest_codes[id(table)]
