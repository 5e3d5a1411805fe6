"""Who says what, and when, in a recording: the caller's phrases by their likeness, the agent's by its own clips."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from app.sandbox.openai.hearing import hear
from app.sandbox.openai.sound import SAMPLES_PER_MS, from_pcmu
from app.sandbox.openai.vad import FRAME_SAMPLES, QUIET, ServerVad, VadSettings
from app.sandbox.voices.clips import clip, phrases, text_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.sandbox.openai.sound import Samples

SILENCE_MS = 500
BEFORE_MS = 300
PROBE = 4000
"""Half a second of sound is compared with the agent's clips."""
LEAST_PROBE = 1200
SAME = 0.7
"""From this correlation on, it is the clip itself; other words of the same voice stay below 0.6."""
DRIFT_MS = 60
"""Pieces whose clip would have begun this near to each other are one playing of it."""
EDGE_MS = 300
"""A clip that is heard but for so much of its voice is heard whole."""


@dataclass(frozen=True, slots=True)
class Said:
    """Words, and where in the recording."""

    who: Literal["agent", "caller"]
    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class _Playing:
    """One playing of an agent's clip: where in the recording the clip begins, and which part of it can be heard."""

    phrase_id: str
    begins_ms: int
    start_ms: int
    end_ms: int


def listen(samples: "Samples") -> list[Said]:
    """What is said in that recording, in order; what nobody's clip says is passed over."""
    said: list[Said | _Playing] = []
    for start_ms, end_ms, sound_from_ms, sound in _turns(samples):
        playing = _playing(sound, sound_from_ms)
        if playing is None:
            phrase_id = hear(sound)
            said += [Said("caller", text_of(phrase_id), start_ms, end_ms)] if phrase_id else []
            continue
        playing = replace(playing, start_ms=start_ms, end_ms=end_ms)
        before = said[-1] if said else None
        if isinstance(before, _Playing) and _goes_on(before, playing):
            said[-1] = replace(before, end_ms=end_ms)
        else:
            said.append(playing)
    return [each for each in map(_told, said) if each.text]


def _turns(samples: "Samples") -> Iterator[tuple[int, int, int, "Samples"]]:
    """Each stretch of speech: its start, its end, and its sound with what is around it."""
    quiet = np.zeros(SAMPLES_PER_MS * 1000, dtype=np.int16)  # so that a file that ends in speech ends its turn
    whole = np.concatenate([samples, quiet])
    settings = VadSettings(prefix_padding_ms=BEFORE_MS, silence_duration_ms=SILENCE_MS)
    for each in ServerVad(settings).feed(whole):
        if each.kind == "stopped":
            sound = whole[each.since_ms * SAMPLES_PER_MS : each.at_ms * SAMPLES_PER_MS]
            loud = _loud(sound)
            if loud is not None:
                yield each.since_ms + loud[0], each.since_ms + loud[1], each.since_ms, sound


def _loud(sound: "Samples") -> tuple[int, int] | None:
    """From which to which millisecond there is more than noise."""
    frames = np.abs(sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)).mean(axis=1)
    loud = np.flatnonzero(frames > max(QUIET, frames.max(initial=0) / 20))
    frame_ms = FRAME_SAMPLES // SAMPLES_PER_MS
    return (int(loud[0]) * frame_ms, (int(loud[-1]) + 1) * frame_ms) if len(loud) else None


def _playing(sound: "Samples", from_ms: int) -> _Playing | None:
    """Which clip of the agent this is a part of, and which part: the loudest half second of it is looked for."""
    length = min(PROBE, len(sound))
    if length < LEAST_PROBE:
        return None
    power = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    energy = power[length:] - power[:-length]
    at = int(energy.argmax())
    clips = _clips()
    spectrum = np.fft.rfft(sound[at : at + length].astype(np.float64), clips.size)
    products = np.fft.irfft(clips.spectrum * spectrum.conj(), clips.size)[: clips.length - length]
    norms = np.sqrt((clips.power[length : clips.length] - clips.power[: clips.length - length]) * energy[at])
    alike = products / np.maximum(norms, 1.0)
    found = int(alike.argmax())
    if alike[found] < SAME:
        return None
    number = int(np.searchsorted(clips.starts, found, side="right")) - 1
    begins_ms = from_ms + (at - (found - clips.starts[number])) // SAMPLES_PER_MS
    return _Playing(clips.names[number], int(begins_ms), 0, 0)


def _goes_on(before: _Playing, playing: _Playing) -> bool:
    return before.phrase_id == playing.phrase_id and abs(before.begins_ms - playing.begins_ms) < DRIFT_MS


def _told(each: Said | _Playing) -> Said:
    if isinstance(each, Said):
        return each
    words = _words(each.phrase_id, each.start_ms - each.begins_ms, each.end_ms - each.begins_ms)
    return Said("agent", words, each.start_ms, each.end_ms)


def _words(phrase_id: str, from_ms: int, until_ms: int) -> str:
    """The words of a clip that lie in that part of it; the text is taken as evenly spoken."""
    first_ms, last_ms = _loud(from_pcmu(clip(phrase_id))) or (0, 1)
    first = 0.0 if from_ms < first_ms + EDGE_MS else (from_ms - first_ms) / (last_ms - first_ms)
    last = 1.0 if until_ms > last_ms - EDGE_MS else (until_ms - first_ms) / (last_ms - first_ms)
    text = text_of(phrase_id)
    words, at, kept = text.split(), 0, []
    for word in words:
        if first <= (at + len(word) / 2) / len(text) <= last:
            kept.append(word)
        at += len(word) + 1
    return " ".join(kept)


@dataclass(frozen=True, slots=True)
class _Clips:
    """The agent's clips in one row, and what comparing with them needs."""

    names: list[str]
    starts: "NDArray[np.int64]"
    length: int
    size: int
    spectrum: "NDArray[np.complex128]"
    power: "NDArray[np.float64]"


@cache
def _clips() -> _Clips:
    names = [name for name, phrase in phrases().items() if phrase.role == "agent"]
    sounds = [np.concatenate([from_pcmu(clip(name)), np.zeros(PROBE, np.int16)]) for name in names]
    row = np.concatenate(sounds).astype(np.float64)
    starts = np.cumsum([0, *(len(sound) for sound in sounds)])[:-1]
    size = 1 << (len(row) + PROBE).bit_length()
    power = np.concatenate([[0.0], np.cumsum(row**2)])
    return _Clips(names, starts, len(row), size, np.fft.rfft(row, size), power)
