"""WAV files: what they hold, and their sound track by track, without ever having a whole file in memory."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.errors import AudioError
from app.recordings.encodings import EXTENSIBLE, Encoding, encoding_of

if TYPE_CHECKING:
    from app.recordings.encodings import Samples

BLOCK_FRAMES = 1 << 16
"""As much is in memory at once."""
UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""What writers leave in a header that they had no chance to finish."""
TRAILERS = (b"LIST", b"id3 ", b"ID3 ", b"fact", b"cue ", b"bext", b"JUNK")
MOST_CHUNKS = 1000
MOST_CHANNELS = 32
RATES_HZ = (1000, 768_000)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file holds; one frame is one sample of each channel."""

    duration_ms: int
    channels: int
    rate_hz: int
    frames: int
    data_at: int
    """Where in the file the first frame is."""
    form: Encoding

    @property
    def encoding(self) -> str:
        """`pcm16`, `ulaw`, …"""
        return self.form.name

    @property
    def frame_bytes(self) -> int:
        """The size of one frame."""
        return self.form.sample_bytes * self.channels


def probe(path: Path) -> AudioInfo:
    """What the WAV file holds; raises `AudioError` for anything that is none, or has no sound in it.

    A header that was never finished is measured by the file's size.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _probe(file, size)
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror or error}") from error


def frames(path: Path, info: AudioInfo, from_frame: int = 0, until_frame: int | None = None) -> "Iterator[Samples]":
    """That part of the file, block by block: arrays of 16-bit samples with a row for each frame."""
    last = info.frames if until_frame is None else min(until_frame, info.frames)
    with path.open("rb") as file:
        file.seek(info.data_at + from_frame * info.frame_bytes)
        for at in range(from_frame, last, BLOCK_FRAMES):
            data = file.read(min(BLOCK_FRAMES, last - at) * info.frame_bytes)
            whole = len(data) // info.frame_bytes * info.frame_bytes
            if not whole:
                return  # the file has become shorter
            yield info.form.decode(data[:whole]).reshape(-1, info.channels)


def track(
    path: Path, info: AudioInfo, channel: int, from_ms: int = 0, until_ms: int | None = None
) -> "Iterator[Samples]":
    """One channel of that part, block by block, as 16-bit mono."""
    last = None if until_ms is None else until_ms * info.rate_hz // 1000
    for block in frames(path, info, from_ms * info.rate_hz // 1000, last):
        yield block[:, channel]


def wav_bytes(pcm: bytes, rate_hz: int) -> bytes:
    """16-bit mono PCM as a WAV file."""
    header = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16
    )
    return header + struct.pack("<4sI", b"data", len(pcm)) + pcm


def wav_of(path: Path, info: AudioInfo, channel: int, from_ms: int = 0, until_ms: int | None = None) -> bytes:
    """One channel of that part as a WAV file of 16-bit mono PCM; all of it is in memory."""
    pcm = b"".join(block.astype("<i2").tobytes() for block in track(path, info, channel, from_ms, until_ms))
    return wav_bytes(pcm, info.rate_hz)


def _probe(file: BinaryIO, size: int) -> AudioInfo:
    if not size:
        raise AudioError("is empty")
    riff = file.read(12)
    if riff[:4] not in {b"RIFF", b"RF64"} or (len(riff) == 12 and riff[8:] != b"WAVE"):
        raise AudioError("is not a WAV file")
    form: tuple[int, int, int, Encoding] | None = None
    for _ in range(MOST_CHUNKS):
        name, length = _chunk(file)
        at = file.tell()
        if name == b"data":
            if form is None:
                raise AudioError("is a broken WAV file: its data comes before its format")
            return _info(form, at, _data_bytes(file, at, length, size))
        if name == b"fmt ":
            form = _format(file.read(min(length, 40)))
        file.seek(at + length + length % 2)
    raise AudioError("is a broken WAV file: it has no end of chunks, and no sound")


def _chunk(file: BinaryIO) -> tuple[bytes, int]:
    head = file.read(8)
    if len(head) < 8:
        raise AudioError("is a broken WAV file: it ends before its sound begins")
    name, length = struct.unpack("<4sI", head)
    return name, length


def _format(chunk: bytes) -> tuple[int, int, int, Encoding]:
    """Channels, rate, bytes of a frame and encoding."""
    if len(chunk) < 16:
        raise AudioError("is a broken WAV file: its format is cut off")
    tag, channels, rate_hz, _, align, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)  # the first bytes of the subformat's GUID
    encoding = encoding_of(tag, bits)
    if encoding is None:
        raise AudioError(f"is a WAV file of an encoding that we cannot read (format {tag}, {bits} bits)")
    if not (1 <= channels <= MOST_CHANNELS and RATES_HZ[0] <= rate_hz <= RATES_HZ[1]):
        raise AudioError(f"is a broken WAV file: {channels} channels at {rate_hz} Hz")
    if align != channels * encoding.sample_bytes:
        raise AudioError(f"is a broken WAV file: its frames cannot have {align} bytes")
    return channels, rate_hz, align, encoding


def _data_bytes(file: BinaryIO, at: int, length: int, size: int) -> int:
    """How many bytes of sound there are: never more than the file has."""
    there = size - at
    if length == 0 and file.read(4) in TRAILERS:
        return 0
    return there if length in UNKNOWN_SIZES else min(length, there)


def _info(form: tuple[int, int, int, Encoding], at: int, data_bytes: int) -> AudioInfo:
    channels, rate_hz, frame_bytes, encoding = form
    count = data_bytes // frame_bytes
    if not count:
        raise AudioError("has no sound in it")
    return AudioInfo(count * 1000 // rate_hz, channels, rate_hz, count, at, encoding)
