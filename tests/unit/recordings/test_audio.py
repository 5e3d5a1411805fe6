"""What a WAV file holds, however it was written, and its sound piece by piece."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import AudioError
from app.recordings.audio import BLOCK_FRAMES, probe, track, wav_bytes, wav_of
from tests.unit.recordings.sounds import RATE_HZ, silence, speech, stereo, wav

LIST = struct.pack("<4sI", b"LIST", 5) + b"INFOx\x00"  # an odd size, and the byte that fills it up


def whole(path: Path, channel: int, *span: int) -> np.ndarray:
    return np.concatenate(list(track(path, probe(path), channel, *span)))


def test_our_own_recording_is_read_track_by_track(tmp_path: Path):
    path = tmp_path / "own.wav"
    left, right = b"\x80" * 8000, b"\x00" * 4000 + b"\xff" * 4000
    frames = bytes(sample for frame in zip(left, right, strict=True) for sample in frame)
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 2, 8000, 16_000, 2, 8, 0)
    body = b"WAVE" + form + struct.pack("<4sII", b"fact", 4, 8000) + struct.pack("<4sI", b"data", 16_000) + frames
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    info = probe(path)
    assert (info.duration_ms, info.channels, info.rate_hz, info.encoding, info.frames) == (1000, 2, 8000, "ulaw", 8000)
    assert set(whole(path, 0)) == {32124}
    assert [*whole(path, 1, 400, 600)] == [-32124] * 800 + [0] * 800


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"before": LIST},
        {"after": LIST},
        {"data_size": 0},
        {"data_size": 0xFFFFFFFF},
        {"data_size": 10**6},
        {"extensible": True},
        {"rate_hz": 24_000},
        {"tag": 7},
        {"tag": 7, "extensible": True, "before": LIST, "data_size": 0},
    ],
    ids=str,
)
def test_sound_is_the_same_however_its_file_was_written(tmp_path: Path, options):
    sound = np.array([[0, 4], [-8, 1000], [-20860, 30076]], np.int16).repeat(8000, axis=0)
    path = wav(tmp_path / "a.wav", sound, **options)
    info = probe(path)
    assert (info.channels, info.frames) == (2, 24_000)
    assert info.duration_ms == 24_000 * 1000 // options.get("rate_hz", RATE_HZ)
    for channel in (0, 1):
        off = np.abs(whole(path, channel).astype(int) - sound[:, channel])
        assert off.max() <= (512 if "tag" in options else 0)  # the steps of µ-law


@pytest.mark.parametrize(
    ("tag", "bits", "data"),
    [
        (1, 8, bytes([0, 128, 192])),
        (1, 24, bytes.fromhex("000080 ffff00 ff0040".replace("ffff00", "ff0000"))),
        (1, 32, struct.pack("<3i", -(2**31), 255, 2**30)),
        (3, 32, struct.pack("<3f", -1.5, 0.0, 0.5)),
    ],
)
def test_wider_and_narrower_samples_become_16_bits(tmp_path: Path, tag, bits, data):
    form = struct.pack("<HHIIHH", tag, 1, 8000, 8000 * bits // 8, bits // 8, bits)
    chunks = struct.pack("<4sI", b"fmt ", 16) + form + struct.pack("<4sI", b"data", len(data)) + data
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    assert whole(tmp_path / "a.wav", 0) == pytest.approx([-32768, 0, 16384], abs=1)


def test_a_long_file_comes_in_blocks_of_bounded_size(tmp_path: Path):
    path = wav(tmp_path / "a.wav", stereo(speech(20_000), silence(0)))
    blocks = list(track(path, probe(path), 0))
    assert len(blocks) == 3
    assert max(map(len, blocks)) == BLOCK_FRAMES
    assert np.array_equal(np.concatenate(blocks), speech(20_000))


@given(st.binary(max_size=200), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0"]))
def test_any_bytes_are_sound_or_an_audio_error(tmp_path_factory, content, start):
    path = tmp_path_factory.getbasetemp() / "any.wav"
    path.write_bytes(start + content)
    try:
        info = probe(path)
    except AudioError:
        return
    assert info.frames > 0
    assert sum(map(len, track(path, info, 0))) == info.frames


def header(tag: int = 1, channels: int = 1, rate_hz: int = 8000, align: int = 2, bits: int = 16) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate_hz, rate_hz * align, align, bits)
    return b"RIFF\x00\x00\x00\x00WAVE" + form


DATA = struct.pack("<4sI", b"data", 4) + bytes(4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"RI", "is not a WAV file"),
        (b"<html>502 Bad Gateway</html>", "is not a WAV file"),
        (b"ID3\x04" + bytes(100), "is not a WAV file"),
        (b"RIFF\x00\x00\x00\x00AVI " + bytes(100), "is not a WAV file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "ends before its sound begins"),
        (b"RIFF\x00\x00\x00\x00WAVE" + DATA, "its data comes before its format"),
        (header()[:30], "its format is cut off"),
        (header(), "ends before its sound begins"),
        (header() + DATA[:8], "has no sound in it"),
        (header() + struct.pack("<4sI", b"data", 0) + LIST, "has no sound in it"),
        (header() + struct.pack("<4sI", b"junk", 0xFFFFFFF0), "ends before its sound begins"),
        (b"RIFF\x00\x00\x00\x00WAVE" + bytes(100_000), "no end of chunks"),
        (header(tag=0x55) + DATA, "format 85, 16 bits"),
        (header(channels=0) + DATA, "0 channels"),
        (header(rate_hz=0) + DATA, "0 Hz"),
        (header(align=3) + DATA, "3 bytes"),
    ],
)
def test_what_cannot_be_heard_says_why(tmp_path: Path, content, reason):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match=reason):
        probe(tmp_path / "a.wav")


def test_a_file_that_is_not_there_is_an_audio_error_too(tmp_path: Path):
    with pytest.raises(AudioError, match="No such file"):
        probe(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="directory"):
        probe(tmp_path)


def test_a_piece_becomes_a_file_that_every_player_reads(tmp_path: Path):
    path = wav(tmp_path / "a.wav", stereo(silence(1000), speech(1000)), tag=7)
    with wave.open(io.BytesIO(wav_of(path, probe(path), 1, 250, 750))) as piece:
        assert (piece.getnchannels(), piece.getsampwidth(), piece.getframerate(), piece.getnframes()) == (
            1,
            2,
            8000,
            4000,
        )
    assert wav_bytes(b"", 8000)[-8:] == struct.pack("<4sI", b"data", 0)
