"""Arithmetic on the phone's audio."""

import base64

import pytest

from app import audio


@pytest.mark.parametrize("size", [0, 1, 2, 3, 159, 160, 2400])
def test_the_size_of_base64_is_known_without_decoding_it(size):
    assert audio.base64_size(base64.b64encode(bytes(size)).decode()) == size


def test_a_frame_is_twenty_milliseconds():
    assert audio.ms_of(audio.FRAME_BYTES) == audio.FRAME_MS
    assert audio.silence(ms=20) == b"\xff" * 160


def test_broken_base64_is_a_value_error():
    with pytest.raises(ValueError, match="base64"):
        audio.from_base64("no base64!")
