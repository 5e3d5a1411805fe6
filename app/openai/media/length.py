"""How long a sound file plays."""

import struct
from collections.abc import Callable

from app.errors import AudioError
from app.openai.media import kind, mp3, mp4, ogg, webm
from app.openai.media.kind import Kind
from app.openai.media.wav import wav_seconds

LONGEST_S = 7 * 24 * 3600
"""A file that says that it plays longer, or less than nothing, does not tell how long it plays."""


def seconds_of(data: bytes, of_kind: Kind) -> float | None:
    """Its length; None where the file does not tell. Raises `AudioError` where it holds no sound at all."""
    try:
        seconds = _MEASURES[of_kind](data)
    except (IndexError, ArithmeticError, struct.error) as error:  # it is broken where we looked
        raise AudioError(f"the {of_kind.extension} file is damaged") from error
    return seconds if seconds is not None and 0 <= seconds <= LONGEST_S else None


def _flac_seconds(data: bytes) -> float | None:
    """From STREAMINFO, always the first block; an encoder that wrote to a pipe leaves the count at 0."""
    if len(data) < 42 or data[4] & 0x7F:
        raise AudioError("the flac file has no header")
    packed = int.from_bytes(data[18:26], "big")
    rate, samples = packed >> 44, packed & (1 << 36) - 1
    return samples / rate if samples else None


def _mpeg_seconds(data: bytes) -> float | None:
    """From the clock in the first and last pack of an MPEG-1 or MPEG-2 program stream."""
    last = data.rfind(kind.MPEG_PACK)
    return (_pack_clock(data[last + 4 :]) - _pack_clock(data[4:])) / 90_000 or None


def _pack_clock(pack: bytes) -> int:
    bits = int.from_bytes(pack[:6], "big")
    if pack[0] >> 6 == 0b01:  # MPEG-2: marker bits after 3, 15 and 15 bits
        return (bits >> 43 & 0x7) << 30 | (bits >> 27 & 0x7FFF) << 15 | bits >> 11 & 0x7FFF
    return (bits >> 41 & 0x7) << 30 | (bits >> 25 & 0x7FFF) << 15 | bits >> 9 & 0x7FFF


_MEASURES: dict[Kind, Callable[[bytes], float | None]] = {
    kind.WAV: wav_seconds,
    kind.FLAC: _flac_seconds,
    kind.OGG: ogg.seconds,
    kind.WEBM: webm.seconds,
    kind.M4A: mp4.seconds,
    kind.MP3: mp3.seconds,
    kind.MPEG: _mpeg_seconds,
}
