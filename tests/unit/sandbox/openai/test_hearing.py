"""No human voice was tried: these are the synthetic voices that ship, each heard by what was learnt from the others."""

import time

import numpy as np
import pytest

from app.sandbox.openai.hearing import hear
from app.sandbox.openai.sound import from_pcmu, synthetic
from app.sandbox.voices.clips import clip, phrases, voices

CALLERS = [name for name, phrase in phrases().items() if phrase.role == "caller"]
AGENTS = [name for name, phrase in phrases().items() if phrase.role == "agent"]


def spoken(audio, noise_db=None, seed=1):
    """A clip as it comes out of the phone: padded with quiet, perhaps with noise of the line."""
    samples = from_pcmu(audio).astype(float)
    level = (samples**2).mean() ** 0.5
    samples = np.concatenate([np.zeros(2400), samples, np.zeros(4000)])
    if noise_db is not None:
        samples += np.random.default_rng(seed).normal(0, level * 10 ** (-noise_db / 20), len(samples))
    return samples.clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("noise_db", [None, 30, 20])
@pytest.mark.parametrize("voice", voices())
def test_a_phrase_is_heard_from_a_voice_that_was_never_heard_before(voice, noise_db):
    heard = {name: hear(spoken(clip(name, voice), noise_db), without_voices={voice}) for name in CALLERS}

    assert heard == {name: name for name in CALLERS}


@pytest.mark.parametrize("voice", voices())
def test_a_phrase_of_a_known_voice_is_heard_through_loud_noise(voice):
    heard = {name: hear(spoken(clip(name, voice), noise_db=15)) for name in CALLERS}

    assert heard == {name: name for name in CALLERS}


@pytest.mark.parametrize("name", AGENTS)
def test_words_that_no_caller_says_are_not_understood(name):
    assert hear(spoken(clip(name))) is None


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(16000, dtype=np.int16),
        np.zeros(0, dtype=np.int16),
        np.random.default_rng(7).normal(0, 2000, 16000).astype(np.int16),
        from_pcmu(synthetic(2000)),
    ],
    ids=["silence", "nothing", "noise", "hum"],
)
def test_what_is_no_speech_is_not_understood(samples):
    assert hear(samples) is None


@pytest.mark.parametrize("voice", voices())
@pytest.mark.parametrize("name", CALLERS)
def test_half_a_phrase_is_never_taken_for_the_whole(name, voice):
    audio = clip(name, voice)

    assert hear(spoken(audio[: len(audio) // 2])) != name
    assert hear(spoken(audio[len(audio) // 2 :])) != name


def test_hearing_a_phrase_takes_less_than_50_ms():
    samples = spoken(clip("tomorrow_instead"))
    hear(samples)
    times = []
    for _ in range(5):
        began = time.thread_time()
        hear(samples)
        times.append(time.thread_time() - began)

    assert min(times) < 0.05
