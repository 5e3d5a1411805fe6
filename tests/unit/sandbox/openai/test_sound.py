import numpy as np
import pytest

from app.sandbox.openai.sound import BYTES_PER_MS, decode, encode, from_pcmu
from app.sandbox.voices.clips import clip


def test_known_codes_of_g711_have_their_values():
    assert list(from_pcmu(bytes([0x00, 0x7F, 0x80, 0xFF, 0xF0, 0x8F]))) == [-32124, 0, 32124, 0, 120, 16764]
    assert list(decode(bytes([0xD5, 0x55, 0xAA, 0x2A]), "audio/pcma")) == [8, -8, 32256, -32256]


@pytest.mark.parametrize("form", ["audio/pcmu", "audio/pcma", "audio/pcm"])
def test_a_clip_sounds_the_same_in_every_format(form):
    audio = clip("greeting")
    wire = encode(audio, form)
    there, here = decode(wire, form).astype(float), from_pcmu(audio).astype(float)

    assert len(wire) == len(audio) * BYTES_PER_MS[form] // 8
    assert np.corrcoef(there, here)[0, 1] > 0.97
