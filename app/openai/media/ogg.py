"""How long an Ogg file plays: where its last page says that it ends."""

import struct

from app.errors import AudioError

OPUS_HZ = 48_000
"""Opus counts in this, whatever it was recorded at."""
_NOWHERE = -1
"""The position of a page on which no packet ends."""


def seconds(data: bytes) -> float:
    """The last page's position, less what Opus plays before the beginning."""
    start = data[27 + data[26] : 27 + data[26] + 40]  # the first packet, behind the page's header and its table
    rate_hz, skipped = _opus_or_vorbis(start)
    return max(0.0, (_last_position(data) - skipped) / rate_hz)


def _opus_or_vorbis(start: bytes) -> tuple[int, int]:
    if start.startswith(b"OpusHead"):
        return OPUS_HZ, struct.unpack_from("<H", start, 10)[0]
    if start.startswith(b"\x01vorbis"):
        return struct.unpack_from("<I", start, 12)[0], 0
    if start.startswith(b"\x7fFLAC"):
        return int.from_bytes(start[27:30], "big") >> 4, 0
    raise AudioError("the ogg file holds neither Opus nor Vorbis nor FLAC")


def _last_position(data: bytes) -> int:
    at = len(data)
    while (at := data.rfind(b"OggS", 0, at)) >= 0:
        if at + 14 <= len(data):
            position: int = struct.unpack_from("<q", data, at + 6)[0]
            if position != _NOWHERE:
                return position
    return 0
