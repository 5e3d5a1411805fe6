"""How long an mp3 file plays: the sum of its frames, as neither constant rates nor its tags can be trusted."""

import re
from functools import lru_cache

from app.errors import AudioError

_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the version's two bits: MPEG-1, 2 and 2.5."""
_KBITS_1 = {
    3: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
"""MPEG-1, by the layer's two bits: layer I, II and III."""
_KBITS_2 = {
    3: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    1: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HEADER = re.compile(
    rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][%s]"
    % b"".join(rb"\x%02x" % byte for byte in range(0x10, 0xF0) if byte >> 2 & 3 != 3)
)
"""Sync, a version, a layer, a bitrate and a rate that there are: what else is between frames is passed over at once."""
_TAGS = (b"Xing", b"Info", b"VBRI")
"""A first frame with one of these holds no sound."""


def seconds(data: bytes) -> float:
    """Its length, frame by frame."""
    at, total_s, frames = _after_id3(data), 0.0, 0
    while at + 4 <= len(data):
        frame = _frame(data[at : at + 4])
        if frame is None:
            at = _next_header(data, at + 1)
            continue
        size, length_s = frame
        if frames or not any(tag in data[at : at + 60] for tag in _TAGS):
            total_s += length_s
        frames += 1
        at += size
    if not frames:
        raise AudioError("the mp3 file holds no sound")
    return total_s


def _after_id3(data: bytes) -> int:
    """Where the sound begins; the tag's size has seven bits a byte."""
    if not data.startswith(b"ID3"):
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _next_header(data: bytes, at: int) -> int:
    found = _HEADER.search(data, at)
    return found.start() if found else len(data)


@lru_cache(maxsize=256)
def _frame(head: bytes) -> tuple[int, float] | None:
    """How many bytes a frame with this header has and how long it plays; None where it is no header."""
    if head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate == 3:
        return None
    rate_hz = _RATES_HZ[version][rate]
    bits_per_second = 1000 * (_KBITS_1 if version == 3 else _KBITS_2)[layer][bitrate - 1]
    padding = head[2] >> 1 & 1
    if layer == 3:
        return (12 * bits_per_second // rate_hz + padding) * 4, 384 / rate_hz
    samples = 576 if layer == 1 and version != 3 else 1152
    return samples // 8 * bits_per_second // rate_hz + padding, samples / rate_hz
