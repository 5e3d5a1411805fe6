"""How long every kind of sound file plays, without decoding it."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import AudioError
from app.openai.media.kind import FLAC, M4A, MP3, MPEG, OGG, WAV, WEBM, kind_of
from app.openai.media.length import seconds_of
from tests.unit.openai import sound_files as files


@pytest.mark.parametrize(
    ("data", "kind", "seconds"),
    [
        (files.silent_wav(1.25), WAV, 1.25),
        (files.ulaw_wav(2), WAV, 2),
        (files.silent_wav(1)[:-8000], WAV, 0.5),
        (files.mp3(50), MP3, 1.8),
        (files.mp3(50, tagged=True, id3=300), MP3, 1.8),
        (files.mp3(20) + b"some junk" + files.mp3(30), MP3, 1.8),
        (files.flac(24_000), FLAC, 1.5),
        (files.flac(0), FLAC, None),
        (files.ogg(files.OPUS, 48_312), OGG, 1),
        (files.ogg(files.VORBIS, 88_200), OGG, 2),
        (files.m4a(length=1700), M4A, 1.7),
        (files.fragmented_m4a(), M4A, 2),
        (files.webm(duration_ms=2400), WEBM, 2.4),
        (files.webm(duration_ms=None), WEBM, 1.5),
        (files.webm(duration_ms=None)[:-20] + b"\xa3", WEBM, 1.5),
        (files.mpeg(12.5), MPEG, 12.5),
    ],
)
def test_every_kind_of_file_is_known_by_its_first_bytes_and_measured(data, kind, seconds):
    assert kind_of(data) == kind
    assert seconds_of(data, kind) == (None if seconds is None else pytest.approx(seconds, abs=0.001))


def test_a_wav_whose_header_was_never_finished_is_measured_by_its_size():
    data = bytearray(files.silent_wav(1))
    data[40:44] = b"\xff\xff\xff\xff"
    assert seconds_of(bytes(data), WAV) == 1


@pytest.mark.parametrize(
    "data", [b"", b"no sound", b"<!doctype html>", b"\xff\xf1" + bytes(9), b"RIFF1234AVI ", b"\0" * 99]
)
def test_what_is_no_sound_file_is_no_kind(data):
    assert kind_of(data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\x00\x00\x00\x00WAVE",
        b"RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd",
        files.silent_wav(1)[:30],
        files.flac(100)[:20],
        b"OggS" + bytes(60),
        b"OggS",
        files.m4a(length=1)[:40],
        b"\x1a\x45\xdf\xa3" + bytes(40),
        b"ID3\x04\x00\x00\x00\x00\x00\x00 nothing else",
        b"\x00\x00\x01\xba",
    ],
)
def test_a_damaged_file_is_told_and_breaks_nothing(data):
    kind = kind_of(data)
    assert kind is not None
    with pytest.raises(AudioError, match=kind.extension):
        seconds_of(data, kind)


def test_megabytes_of_junk_between_frames_are_passed_over_at_once():
    data = files.mp3(1) + b"\xff" * (8 << 20) + files.mp3(1)
    began = time.perf_counter()
    assert seconds_of(data, MP3) == pytest.approx(0.072)
    assert time.perf_counter() - began < 2  # byte by byte it took eight seconds


WHOLE = [
    files.ulaw_wav(0.1),
    files.mp3(3, tagged=True, id3=20),
    files.flac(100),
    files.ogg(files.OPUS, 1000),
    files.m4a(length=5),
    files.fragmented_m4a(),
    files.webm(duration_ms=None),
    files.mpeg(1),
]


@given(st.sampled_from(WHOLE), st.integers(4, 400), st.binary(max_size=40), st.booleans())
def test_no_bytes_break_the_measuring(data, at, changed, cut_off):
    damaged = data[:at] + changed + (b"" if cut_off else data[at + len(changed) :])
    kind = kind_of(damaged)
    if kind is None:
        return
    with contextlib.suppress(AudioError):
        seconds = seconds_of(damaged, kind)
        assert seconds is None or seconds >= 0
