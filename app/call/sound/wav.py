"""µ-law WAV files: RIFF with format tag 7, as telephone recorders write them."""

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from app.audio import BYTES_PER_MS, SILENCE

BLOCK_BYTES = 1 << 17
"""So much of each track is in memory at once."""
_MULAW = 7
_RATE = BYTES_PER_MS * 1000


def write_stereo(path: Path, left: Path, right: Path) -> None:
    """Two µ-law tracks as one stereo file; the shorter one is filled up with silence, a missing one is silent."""
    frames = 0
    with path.open("wb") as file:
        file.write(_header(frames))
        for samples in _interleaved(left, right):
            file.write(samples)
            frames += len(samples) // 2
        file.seek(0)
        file.write(_header(frames))


def _interleaved(left: Path, right: Path) -> Iterator[bytearray]:
    with ExitStack() as stack:
        files = [stack.enter_context(track.open("rb")) for track in (left, right) if track.exists()]
        sides = [(left, right).index(track) for track in (left, right) if track.exists()]
        while longest := max(blocks := [file.read(BLOCK_BYTES) for file in files], key=len, default=b""):
            samples = bytearray(SILENCE) * (2 * len(longest))
            for side, block in zip(sides, blocks, strict=True):
                samples[side : side + 2 * len(block) : 2] = block
            yield samples


def _header(frames: int) -> bytes:
    # a fmt chunk of 18 bytes and a fact chunk: what the format asks of anything but PCM
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, _MULAW, 2, _RATE, 2 * _RATE, 2, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, frames)
    data = struct.pack("<4sI", b"data", 2 * frames)
    body = b"WAVE" + form + fact + data
    return struct.pack("<4sI", b"RIFF", len(body) + 2 * frames) + body
