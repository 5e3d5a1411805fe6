"""Server VAD: when the caller starts and stops speaking, counted in appended audio and never in wall time."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import webrtcvad

from app.sandbox.openai.sound import SAMPLES_PER_MS

if TYPE_CHECKING:
    from app.sandbox.openai.sound import Samples

FRAME_MS = 20
FRAME_SAMPLES = FRAME_MS * SAMPLES_PER_MS
AGGRESSIVENESS = 2
ONSET_FRAMES = 6
"""Speech has started when all but one of this many frames are voiced: a click is shorter."""
QUIET = 40
"""Mean amplitude below which a frame cannot be speech."""


@dataclass(frozen=True, slots=True)
class VadSettings:
    """The part of `turn_detection` that is obeyed; `threshold` has no equal in this detector."""

    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the detector noticed, and where in the appended audio; `since_ms` is where that stretch began."""

    kind: Literal["started", "stopped", "idle"]
    at_ms: int
    since_ms: int


class ServerVad:
    """Turns appended samples into starts and stops of speech."""

    def __init__(self, settings: VadSettings, *, from_ms: int = 0) -> None:
        self._settings = settings
        self._detector = webrtcvad.Vad(AGGRESSIVENESS)
        self._rest = np.zeros(0, dtype=np.int16)
        self._now_ms = from_ms
        self._free_from_ms = from_ms
        self._recent: deque[bool] = deque(maxlen=ONSET_FRAMES)
        self._speech_from_ms: int | None = None
        self._silent_ms = 0
        self._idle_from_ms: int | None = None

    @property
    def speaking(self) -> bool:
        """The caller is in the middle of a turn."""
        return self._speech_from_ms is not None

    def wait_from(self, at_ms: int | None) -> None:
        """Let the idle timer start there; None stops it."""
        self._idle_from_ms = at_ms

    def feed(self, samples: "Samples") -> list[Noticed]:
        """What these samples, after all earlier ones, let us notice."""
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[whole:]
        frames = samples[:whole].reshape(-1, FRAME_SAMPLES)
        return [noticed for frame in frames if (noticed := self._frame(frame)) is not None]

    def _frame(self, frame: "Samples") -> Noticed | None:
        voiced = bool(np.abs(frame).mean() > QUIET) and self._detector.is_speech(frame.tobytes(), 8000)
        self._now_ms += FRAME_MS
        return self._in_speech(voiced) if self.speaking else self._in_silence(voiced)

    def _in_silence(self, voiced: bool) -> Noticed | None:
        self._recent.append(voiced)
        if sum(self._recent) >= ONSET_FRAMES - 1:
            onset_ms = self._now_ms - FRAME_MS * (len(self._recent) - self._recent.index(True))
            since_ms = max(onset_ms - self._settings.prefix_padding_ms, self._free_from_ms)
            self._speech_from_ms, self._silent_ms, self._idle_from_ms = since_ms, 0, None
            return Noticed("started", self._now_ms, since_ms)
        limit_ms, from_ms = self._settings.idle_timeout_ms, self._idle_from_ms
        if limit_ms is not None and from_ms is not None and self._now_ms >= from_ms + limit_ms:
            self._idle_from_ms, self._free_from_ms = None, self._now_ms
            return Noticed("idle", self._now_ms, from_ms)
        return None

    def _in_speech(self, voiced: bool) -> Noticed | None:
        self._silent_ms = 0 if voiced else self._silent_ms + FRAME_MS
        if self._silent_ms < self._settings.silence_duration_ms or self._speech_from_ms is None:
            return None
        since_ms, self._speech_from_ms = self._speech_from_ms, None
        self._free_from_ms = self._now_ms
        self._recent.clear()
        return Noticed("stopped", self._now_ms, since_ms)
