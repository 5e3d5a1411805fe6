"""Whole 20 ms frames out of audio deltas of any length."""

from app.audio import FRAME_BYTES, SILENCE, base64_size, from_base64, to_base64


class Framer:
    """Passes deltas of whole frames through unopened and keeps what is left of the others for the next one."""

    def __init__(self) -> None:
        self._rest = b""

    def push(self, delta: str) -> str:
        """The whole frames now at hand as base64, perhaps none. Raises `ValueError` when the delta is no base64."""
        if not self._rest and base64_size(delta) % FRAME_BYTES == 0:
            return delta
        audio = self._rest + from_base64(delta)
        whole = len(audio) - len(audio) % FRAME_BYTES
        self._rest = audio[whole:]
        return to_base64(audio[:whole])

    def flush(self) -> tuple[str, int]:
        """What is left, filled up with silence to one whole frame, and how many of its bytes are real."""
        rest, self._rest = self._rest, b""
        return (to_base64(rest.ljust(FRAME_BYTES, SILENCE)) if rest else ""), len(rest)

    def drop(self) -> None:
        """Forget what is left: its item was cut."""
        self._rest = b""
