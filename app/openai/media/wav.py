"""How long a WAV file plays, in whatever encoding: that takes only its header and its size."""

import struct

from app.errors import AudioError

UNFINISHED = (0, 0xFFFFFFFF)
"""The size in a header that its writer never completed."""


def wav_seconds(data: bytes) -> float:
    """By the bytes that are there, as a cut-off file plays no longer than that."""
    bytes_per_second, at = 0, 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data":
            return _data_bytes(size, len(data) - at) / bytes_per_second
        if name == b"fmt ":
            bytes_per_second = int.from_bytes(data[at + 8 : at + 12], "little")
        at += size + size % 2
    raise AudioError("the wav file ends before its sound begins")


def _data_bytes(size: int, there: int) -> int:
    return there if size in UNFINISHED else min(size, there)
