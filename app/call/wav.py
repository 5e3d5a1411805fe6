"""µ-law WAV files: RIFF with format tag 7, as telephone recorders write them."""

import struct

from app.audio import BYTES_PER_MS, SILENCE

_MULAW = 7
_RATE = BYTES_PER_MS * 1000


def stereo(left: bytes, right: bytes) -> bytes:
    """Two µ-law tracks as one stereo file; the shorter one is filled up with silence."""
    frames = max(len(left), len(right))
    samples = bytearray(2 * frames)
    samples[0::2] = left.ljust(frames, SILENCE)
    samples[1::2] = right.ljust(frames, SILENCE)
    # fmt chunk of 18 bytes and a fact chunk: what the format asks of anything but PCM
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, _MULAW, 2, _RATE, 2 * _RATE, 2, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, frames)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    body = b"WAVE" + form + fact + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
