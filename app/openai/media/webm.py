"""How long a webm file plays: as it says, or, where a browser recorded it live, up to its last block."""

import struct
from collections.abc import Iterator

from app.errors import AudioError

_SEGMENT, _INFO, _CLUSTER, _BLOCK_GROUP = 0x18538067, 0x1549A966, 0x1F43B675, 0xA0
_OPENED = {_SEGMENT, _INFO, _CLUSTER, _BLOCK_GROUP}
_LONGEST_HEAD = 12
DEFAULT_TIMESCALE_NS = 1_000_000


def seconds(data: bytes) -> float | None:
    """From the duration; without one, from the time of the last block."""
    timescale_ns, cluster, last = DEFAULT_TIMESCALE_NS, 0, 0
    seen = set()
    for name, start, end in _elements(data):
        seen.add(name)
        match name:
            case 0x2AD7B1:  # TimestampScale
                timescale_ns = int.from_bytes(data[start:end], "big")
            case 0x4489:  # Duration
                return float(struct.unpack(">d" if end - start == 8 else ">f", data[start:end])[0] * timescale_ns / 1e9)
            case 0xE7:  # Timestamp
                cluster = int.from_bytes(data[start:end], "big")
            case 0xA3 | 0xA1:  # SimpleBlock, Block
                _, at = _number(data, start, marker=False)
                last = max(last, cluster + int.from_bytes(data[at : at + 2], "big", signed=True))
    if _SEGMENT not in seen:
        raise AudioError("the webm file holds no sound")
    return last * timescale_ns / 1e9 or None


def _elements(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Every element, with where its content is; those that hold others are opened, all in one row."""
    at = 0
    while at + _LONGEST_HEAD <= len(data):  # a shorter rest is no element: live recordings are cut off anywhere
        name, at = _number(data, at, marker=True)
        size, at = _number(data, at, marker=False)
        end = len(data) if size is None else min(at + size, len(data))
        yield name or 0, at, end
        at = at if name in _OPENED else end


def _number(data: bytes, at: int, *, marker: bool) -> tuple[int | None, int]:
    """A number of one to eight bytes, as its first bits say; None where all bits are set: of unknown size."""
    first = data[at]
    length = 9 - first.bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    if marker:
        return value, at + length
    value &= (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else value, at + length
