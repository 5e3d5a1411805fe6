"""The sound in an uploaded file. Only WAV can be opened here: with 16-bit samples, or with the phone's codes."""

import base64
import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.sound import SAMPLES_PER_MS, decode

if TYPE_CHECKING:
    from app.sandbox.openai.sound import Samples

LEAST_MS = 100
RATE_HZ = SAMPLES_PER_MS * 1000
CORRUPT = "Audio file might be corrupted or unsupported"


def samples_of(file: bytes) -> "Samples":
    """The file's sound, its channels mixed, at 8 kHz; raises `Refusal`."""
    try:
        wide, rate_hz = _wide(dict(_chunks(file)))
    except (KeyError, ValueError, ZeroDivisionError, struct.error) as error:
        raise Refusal("invalid_value", CORRUPT, "file") from error
    at = np.arange(0, len(wide), rate_hz / RATE_HZ)
    if len(at) < LEAST_MS * SAMPLES_PER_MS:
        raise Refusal("audio_too_short", "Audio file is too short. Minimum audio length is 0.1 seconds.", "file")
    samples: Samples = np.interp(at, np.arange(len(wide)), wide).astype(np.int16)
    return samples


def of_data_url(url: str) -> "Samples":
    """The sound in a `data:` URL; raises `Refusal`."""
    found = re.match(r"data:audio/[\w.+-]+;base64,(.+)", url)
    try:
        return samples_of(base64.b64decode(found[1] if found else "", validate=True))
    except (ValueError, Refusal):
        text = "A reference must be a data URL of a sound file."
        raise Refusal("invalid_value", text, "known_speaker_references") from None


def _wide(chunks: dict[bytes, bytes]) -> tuple["Samples", int]:
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    data = chunks[b"data"]
    match tag, bits:
        case (1, 16):
            flat = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")
        case (6, 8):
            flat = decode(data, "audio/pcma")
        case (7, 8):
            flat = decode(data, "audio/pcmu")
        case _:
            raise ValueError(f"format {tag} with {bits} bits")
    mixed: Samples = flat[: len(flat) // channels * channels].reshape(-1, channels).mean(axis=1).astype(np.int16)
    return mixed, rate_hz


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise ValueError("no WAV file")
    at = 12
    while at + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, at)
        yield name, file[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
