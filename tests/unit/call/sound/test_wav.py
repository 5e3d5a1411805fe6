"""Two tracks as one stereo file."""

import struct

import pytest

from app.call.sound import wav
from app.recordings.audio import frames, probe


@pytest.mark.parametrize(
    ("left", "right", "samples"),
    [
        (b"\x01\x02", b"\x03", b"\x01\x03\x02\xff"),
        (b"\x01", b"\x03\x04", b"\x01\x03\xff\x04"),
        (None, b"\x03", b"\xff\x03"),
        (b"", None, b""),
    ],
)
def test_the_caller_is_left_and_the_shorter_track_ends_in_silence(tmp_path, left, right, samples):
    for name, track in (("left", left), ("right", right)):
        if track is not None:
            (tmp_path / name).write_bytes(track)
    wav.write_stereo(tmp_path / "call.wav", tmp_path / "left", tmp_path / "right")
    data = (tmp_path / "call.wav").read_bytes()

    assert data.endswith(struct.pack("<4sI", b"data", len(samples)) + samples)
    assert data[:4] == b"RIFF"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert data[20:24] == bytes([7, 0, 2, 0])


def test_tracks_of_many_blocks_come_out_whole(tmp_path):
    left, right = bytes(range(256)) * 3000, bytes(range(255, -1, -1)) * 2000
    (tmp_path / "left").write_bytes(left)
    (tmp_path / "right").write_bytes(right)
    wav.write_stereo(tmp_path / "call.wav", tmp_path / "left", tmp_path / "right")

    data = (tmp_path / "call.wav").read_bytes()[-2 * len(left) :]
    assert data[0::2] == left
    assert data[1::2] == right.ljust(len(left), b"\xff")
    info = probe(tmp_path / "call.wav")
    assert (info.channels, info.rate_hz, info.frames) == (2, 8000, len(left))
    assert sum(len(block) for block in frames(tmp_path / "call.wav", info)) == len(left)
