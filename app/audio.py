"""Arithmetic on G.711 µ-law at 8 kHz, the phone's audio: one byte a sample, eight bytes a millisecond."""

import base64
from functools import cache

BYTES_PER_MS = 8
FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
SILENCE = b"\xff"


def ms_of(byte_count: int) -> int:
    """Whole milliseconds in that many bytes, rounded down."""
    return byte_count // BYTES_PER_MS


def silence(ms: int) -> bytes:
    """That many milliseconds of µ-law silence."""
    return SILENCE * (ms * BYTES_PER_MS)


def base64_size(text: str) -> int:
    """How many bytes a padded base64 text holds, without decoding it."""
    return len(text) // 4 * 3 - text.count("=", -2)


def silent_like(audio: str) -> str:
    """Silence in base64, as long as that audio is."""
    return to_base64(SILENCE * base64_size(audio))


def to_base64(audio: bytes) -> str:
    """Raw audio as base64 text."""
    return base64.b64encode(audio).decode("ascii")


def from_base64(text: str) -> bytes:
    """Raw audio from base64 text; raises `ValueError` when it is none."""
    return base64.b64decode(text, validate=True)


@cache
def ulaw_samples() -> tuple[int, ...]:
    """The 16-bit sample of each of the 256 codes."""
    samples = []
    for code in range(256):
        low, segment = ~code & 0x0F, (~code >> 4) & 0x07
        magnitude = (((low << 3) + 0x84) << segment) - 0x84
        samples.append(magnitude if code & 0x80 else -magnitude)
    return tuple(samples)
