"""The ears of the sandbox's agent: which known phrase was that?

It compares the sound with the caller clips that ship with the sandbox; it knows those phrases and nothing else.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.sandbox.openai.sound import from_pcmu
from app.sandbox.voices.clips import clip, phrases, voices

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import TypeAlias

    from numpy.typing import NDArray

    from app.sandbox.openai.sound import Samples

    Matrix: TypeAlias = NDArray[np.floating[Any]]

WINDOW = 200
HOP = 80
FFT = 256
BANDS = 24
COEFFICIENTS = 8
SMOOTH = np.ones(5) / 5
FRAMES = 80
"""Every phrase is stretched to this many frames, so that fast and slow speakers compare."""
STRAY_FRAMES = 12
"""How far two speakers' timing may drift apart inside a phrase, in those frames."""
FAR: Final = 3.1
"""A sound further than this from every phrase is none of them."""
CLOSE_RIVAL: Final = 0.04
"""Nor is one that is nearly as close to a second phrase: this part of the distance must lie between them."""

SHORTEST: Final = 0.68
LONGEST: Final = 1.6
"""Nor is one that took so much less or more time than the phrase: half of it, or more than it."""
SHORTEST_SOUND = 800


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a sound is like one phrase: the distance to its nearest speaker, and how much longer it took."""

    phrase_id: str
    distance: float
    times_as_long: float


def hear(samples: "Samples", *, without_voices: "Collection[str]" = ()) -> str | None:
    """The id of the caller phrase in this sound, or None when it is none of them."""
    ranked = likenesses(samples, without_voices=without_voices)
    if not ranked:
        return None
    best, rival = ranked[:2]
    near = best.distance < FAR and best.distance < rival.distance * (1 - CLOSE_RIVAL)
    return best.phrase_id if near and SHORTEST < best.times_as_long < LONGEST else None


def likenesses(samples: "Samples", *, without_voices: "Collection[str]" = ()) -> list[Likeness]:
    """How much the sound is like each phrase, the nearest first; empty when nothing is heard in it."""
    heard = _shape(samples)
    if heard is None:
        return []
    references = _references(tuple(voice for voice in voices() if voice not in without_voices))
    distances = _warped_distances(heard.frames, np.stack([reference.frames for _, reference in references]))
    nearest: dict[str, Likeness] = {}
    for (phrase_id, reference), distance in zip(references, distances.tolist(), strict=True):
        if phrase_id not in nearest or distance < nearest[phrase_id].distance:
            nearest[phrase_id] = Likeness(phrase_id, distance, heard.length / reference.length)
    return sorted(nearest.values(), key=lambda likeness: likeness.distance)


def warm_up() -> None:
    """Do now what the first comparison would otherwise wait for."""
    hear(from_pcmu(clip("one_moment")))


@dataclass(frozen=True, slots=True)
class _Shape:
    """A sound as the comparison sees it: `FRAMES` frames of cepstra and their slopes, and how long it took."""

    frames: "Matrix"
    length: int


def _shape(samples: "Samples") -> _Shape | None:
    if len(samples) < SHORTEST_SOUND:
        return None
    sharp = samples.astype(np.float32)
    sharp[1:] -= 0.95 * sharp[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(sharp, WINDOW)[::HOP] * _window()
    power = np.abs(np.fft.rfft(windows, FFT)) ** 2
    spoken = _spoken(power.sum(axis=1))
    if spoken is None:
        return None
    bands = power @ _filters()
    bands = np.maximum(bands - 2 * np.percentile(bands, 8, axis=0), 0)[spoken]  # less the line's own noise
    if not bands.any():
        return None
    levels = _smooth(np.log(bands + bands.max() * 1e-3))
    cepstra = levels @ _cosines()
    cepstra -= cepstra.mean(axis=0)
    slopes = np.gradient(cepstra, axis=0)
    frames = np.concatenate([cepstra / cepstra.std(), slopes / slopes.std() / 2], axis=1)
    return _Shape(_stretched(frames).astype(np.float32), len(frames))


def _smooth(levels: "Matrix") -> "Matrix":
    padded = np.pad(levels, ((len(SMOOTH) // 2, len(SMOOTH) // 2), (0, 0)), mode="edge")
    smooth: Matrix = np.lib.stride_tricks.sliding_window_view(padded, len(SMOOTH), axis=0) @ SMOOTH
    return smooth


def _stretched(frames: "Matrix") -> "Matrix":
    at = np.linspace(0, len(frames) - 1, FRAMES)
    before = at.astype(int)
    after = np.minimum(before + 1, len(frames) - 1)
    part = (at - before)[:, None]
    stretched: Matrix = frames[before] * (1 - part) + frames[after] * part
    return stretched


def _spoken(energy: "Matrix") -> slice | None:
    """The frames from the first to the last loud one; None when nothing stands out."""
    decibel = 10 * np.log10(energy + 1.0)
    peak = np.percentile(decibel, 98)
    threshold = max(peak - 28, min(np.percentile(decibel, 5) + 8, peak - 10))
    loud = np.flatnonzero(decibel > threshold)
    if peak < 45 or len(loud) < 20:
        return None
    return slice(int(loud[0]), int(loud[-1]) + 1)


def _warped_distances(heard: "Matrix", shapes: "Matrix") -> "Matrix":
    """Dynamic time warping of one sound against all references at once, one anti-diagonal after the other."""
    product = np.einsum("if,rjf->rij", heard, shapes, optimize=True)
    squares = (heard**2).sum(axis=1)[None, :, None] + (shapes**2).sum(axis=2)[:, None, :] - 2 * product
    cost = np.sqrt(np.maximum(squares, 0))
    count = len(shapes)
    total = np.full((3, count, FRAMES + 1), np.inf, dtype=np.float32)
    total[0, :, 0] = 0  # diagonal 0 of the table of sums, whose row and column 0 lie outside of the sounds
    for diagonal in range(2, 2 * FRAMES + 1):
        now, before, earlier = total[diagonal % 3], total[(diagonal - 1) % 3], total[(diagonal - 2) % 3]
        first = max(1, diagonal - FRAMES, (diagonal - STRAY_FRAMES + 1) // 2)
        last = min(FRAMES, diagonal - 1, (diagonal + STRAY_FRAMES) // 2)
        rows = np.arange(first, last + 1)
        now[:] = np.inf
        step = np.minimum(before[:, first - 1 : last], before[:, first : last + 1])
        step = np.minimum(step, earlier[:, first - 1 : last])
        now[:, first : last + 1] = step + cost[:, rows - 1, diagonal - rows - 1]
    return total[(2 * FRAMES) % 3, :, FRAMES] / FRAMES


@cache
def _references(of_voices: tuple[str, ...]) -> list[tuple[str, _Shape]]:
    """The caller phrases in those voices."""
    callers = [phrase_id for phrase_id, phrase in phrases().items() if phrase.role == "caller"]
    return [(phrase_id, _reference(phrase_id, voice)) for phrase_id in callers for voice in of_voices]


@cache
def _reference(phrase_id: str, voice: str) -> _Shape:
    shape = _shape(from_pcmu(clip(phrase_id, voice)))
    if shape is None:
        raise ValueError(f"the clip {voice}/{phrase_id} is silent")
    return shape


@cache
def _window() -> "Matrix":
    return np.hamming(WINDOW).astype(np.float32)


@cache
def _filters() -> "Matrix":
    """Triangular mel filters over the phone's band, as a matrix from FFT bins to bands."""
    mel = np.linspace(2595 * np.log10(1 + 200 / 700), 2595 * np.log10(1 + 3600 / 700), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / 8000)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


@cache
def _cosines() -> "Matrix":
    """The discrete cosine transform that turns band levels into cepstra, without the loudness."""
    band = np.arange(BANDS)[:, None]
    cosines: Matrix = np.cos(np.pi / BANDS * (band + 0.5) * np.arange(1, COEFFICIENTS + 1)).astype(np.float32)
    return cosines
