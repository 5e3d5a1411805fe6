"""How long an mp4 or m4a file plays: as its index says, or, in fragments, as the fragments do."""

import struct
from collections.abc import Iterator

from app.errors import AudioError


def seconds(data: bytes) -> float | None:
    """From `mvhd`, from `mehd`, or from the last fragment's start where a recorder wrote neither."""
    moov = _find(data, b"moov")
    if moov is None:
        raise AudioError("the m4a file has no index: it was not finished")
    mvhd = _find(moov, b"mvhd")
    if mvhd is None:
        raise AudioError("the m4a file's index is empty")
    rate, length = _rate_and_length(mvhd)
    if not length and (mehd := _find(moov, b"mvex", b"mehd")):
        length = struct.unpack_from(">Q" if mehd[0] else ">I", mehd, 4)[0]
    return length / rate if length else _last_fragment_s(data, moov)


def _rate_and_length(header: bytes) -> tuple[int, int]:
    """Of `mvhd` or `mdhd`: units in a second, and how many of them."""
    layout, at = (">IQ", 20) if header[0] else (">II", 12)
    rate, length = struct.unpack_from(layout, header, at)
    return rate, 0 if length in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else length


def _last_fragment_s(data: bytes, moov: bytes) -> float | None:
    mdhd = _find(moov, b"trak", b"mdia", b"mdhd")
    tfdts = [tfdt for name, body in _boxes(data) if name == b"moof" and (tfdt := _find(body, b"traf", b"tfdt"))]
    if mdhd is None or not tfdts:
        return None
    rate, _ = _rate_and_length(mdhd)
    last: int = struct.unpack_from(">Q" if tfdts[-1][0] else ">I", tfdts[-1], 4)[0]
    return last / rate or None


def _find(data: bytes, *path: bytes) -> bytes | None:
    """The first box at that path."""
    for name in path:
        data = next((body for found, body in _boxes(data) if found == name), b"")
    return data or None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        end = at + size if size else len(data)  # 0: up to the end
        if end < at + head:
            return
        yield name, data[at + head : end]
        at = end
