"""The input audio buffer, and the turns that voice activity finds in it."""

from app.sandbox.openai.session_config import Config, input_format, vad_settings
from app.sandbox.openai.sound import BYTES_PER_MS, SAMPLE_BYTES, decode
from app.sandbox.openai.vad import Noticed, ServerVad

KEEP_MS = 5000
"""While nobody speaks, older audio than this is forgotten: no turn reaches back so far."""


class InputAudio:
    """Audio that no item has yet; milliseconds count from the session's first byte."""

    def __init__(self, config: Config) -> None:
        self._buffer = bytearray()
        self._from_ms = 0
        self._settings = vad_settings(config)
        self.form = input_format(config)
        self._vad = self._detector()
        self._unheard = b""

    @property
    def now_ms(self) -> int:
        """How much audio the session has been given."""
        return self._from_ms + len(self._buffer) // BYTES_PER_MS[self.form]

    @property
    def from_ms(self) -> int:
        """Where the uncommitted audio begins."""
        return self._from_ms

    def configure(self, config: Config) -> None:
        """Take up a changed configuration; detection starts anew only where its own settings changed."""
        settings = vad_settings(config)
        if self.form != input_format(config):
            self.clear()
            self.form = input_format(config)
        if settings != self._settings:
            self._settings = settings
            self._vad = self._detector()

    def append(self, sound: bytes) -> list[Noticed]:
        """More audio; returns what voice activity makes of it."""
        self._buffer += sound
        if self._vad is None:
            return []
        noticed = self._vad.feed(decode(self._whole_samples(sound), self.form))
        if not self._vad.speaking and not noticed and self.now_ms - self._from_ms > 2 * KEEP_MS:
            self._forget(self.now_ms - KEEP_MS)
        return noticed

    def take(self, start_ms: int, end_ms: int) -> bytes:
        """Cut this stretch out; everything before its end is gone with it."""
        size = BYTES_PER_MS[self.form]
        first = max(start_ms - self._from_ms, 0) * size
        taken = bytes(self._buffer[first : (end_ms - self._from_ms) * size])
        self._forget(end_ms)
        return taken

    def clear(self) -> None:
        """Drop what is not committed, a turn that has begun with it."""
        self._forget(self.now_ms)
        self._buffer.clear()
        self._unheard = b""
        self._vad = self._detector()

    def wait_from(self, at_ms: int | None) -> None:
        """Let the idle timer start there, unless the caller speaks; None stops it."""
        if self._vad is not None and not self._vad.speaking:
            self._vad.wait_from(at_ms)

    def _whole_samples(self, sound: bytes) -> bytes:
        """The sound from where the last one broke off; what is less than a sample waits for the next."""
        sound = self._unheard + sound
        whole = len(sound) // SAMPLE_BYTES[self.form] * SAMPLE_BYTES[self.form]
        self._unheard = sound[whole:]
        return sound[:whole]

    def _forget(self, before_ms: int) -> None:
        del self._buffer[: (before_ms - self._from_ms) * BYTES_PER_MS[self.form]]
        self._from_ms = before_ms

    def _detector(self) -> ServerVad | None:
        return ServerVad(self._settings, from_ms=self.now_ms) if self._settings else None
