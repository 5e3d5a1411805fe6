"""Sound for tests: speech-like bursts, silence, hiss, and files of them."""

import struct
from pathlib import Path

import numpy as np

from app.openai.transcode import to_ulaw

RATE_HZ = 8000


def silence(ms: int, rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.zeros(ms * rate_hz // 1000, np.int16)


def hiss(ms: int, level_db: float, seed: int = 1) -> np.ndarray:
    """White noise of that level below full scale."""
    noise = np.random.default_rng(seed).standard_normal(ms * RATE_HZ // 1000)
    return (noise * 32767 * 10 ** (level_db / 20)).clip(-32768, 32767).astype(np.int16)


def speech(ms: int, level_db: float = -20, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Voiced sound with syllables: a harmonic tone whose loudness swings four times a second."""
    at = np.arange(ms * rate_hz // 1000) / rate_hz
    voice = sum(np.sin(2 * np.pi * 140 * n * at) / n for n in range(2, 12))
    swing = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * at - np.pi / 2)
    sound = voice * swing
    if len(sound):
        sound = sound / np.sqrt(np.mean(sound**2) or 1) * 32767 * 10 ** (level_db / 20)
    return sound.clip(-32768, 32767).astype(np.int16)


def stereo(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    longest = max(len(left), len(right))
    return np.stack([np.pad(side, (0, longest - len(side))) for side in (left, right)], axis=1)


def wav(
    path: Path,
    sound: np.ndarray,
    *,
    rate_hz: int = RATE_HZ,
    tag: int = 1,
    data_size: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
    extensible: bool = False,
) -> Path:
    """A file of that sound; its header may lie about the data's size and have chunks around it."""
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    pcm = sound.astype("<i2").tobytes()
    data = to_ulaw(pcm) if tag == 7 else pcm
    bits = 8 if tag == 7 else 16
    align = channels * bits // 8
    if extensible:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        form = struct.pack("<HHIIHHHHI", 0xFFFE, channels, rate_hz, rate_hz * align, align, bits, 22, bits, 0) + guid
    else:
        form = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * align, align, bits)
    size = len(data) if data_size is None else data_size
    chunks = before + struct.pack("<4sI", b"fmt ", len(form)) + form + struct.pack("<4sI", b"data", size) + data + after
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path
