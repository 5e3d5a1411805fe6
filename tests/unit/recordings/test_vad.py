"""Where somebody speaks: in silence, in noise, over music, beside an echo."""

from pathlib import Path

import numpy as np
import pytest

from app.openai.transcode import from_ulaw
from app.recordings.audio import probe
from app.recordings.levels import Levels, measure
from app.recordings.spans import Span
from app.recordings.vad import HANGOVER_MS, loud
from app.recordings.vad import speech as spoken
from app.sandbox.voices.clips import clip
from tests.unit.recordings.sounds import hiss, silence, speech, stereo, wav


def levels_of(tmp_path: Path, sound: np.ndarray, **options) -> Levels:
    path = wav(tmp_path / "a.wav", sound, **options)
    return measure(path, probe(path))


def near(spans: list[Span], *expected: tuple[int, int], within_ms: int = 150) -> None:
    assert [(span.from_ms, span.until_ms) for span in spans] == [
        pytest.approx(each, abs=within_ms) for each in expected
    ]


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 24_000, 44_100, 48_000])
def test_a_word_between_silences_is_found_at_any_rate(tmp_path: Path, rate_hz):
    sound = np.concatenate([silence(1000, rate_hz), speech(700, rate_hz=rate_hz), silence(2000, rate_hz)])
    near(spoken(levels_of(tmp_path, sound, rate_hz=rate_hz), 0), (1000, 1700))


def test_a_real_voice_is_found_whole(tmp_path: Path):
    voice = np.frombuffer(from_ulaw(clip("opening_hours")), "<i2")
    sound = np.concatenate([silence(1000), voice, silence(1000)])
    near(spoken(levels_of(tmp_path, sound, tag=7), 0), (1060, 2680), within_ms=60)


@pytest.mark.parametrize(("noise_db", "speech_db"), [(-60, -40), (-45, -22), (-38, -15)])
def test_steady_noise_is_no_speech_and_speech_above_it_is(tmp_path: Path, noise_db, speech_db):
    sound = np.concatenate([silence(8000), speech(1500, speech_db), silence(8000)])
    near(spoken(levels_of(tmp_path, sound + hiss(17_500, noise_db)), 0), (8000, 9500))


def test_hum_below_the_voice_is_no_speech(tmp_path: Path):
    hum = (8000 * np.sin(2 * np.pi * 50 * np.arange(80_000) / 8000)).astype(np.int16)
    assert spoken(levels_of(tmp_path, hum), 0) == []


def test_speech_over_music_is_found_though_the_music_may_be_found_too(tmp_path: Path):
    at = np.arange(160_000) / 8000
    music = sum(np.sin(2 * np.pi * hz * at) for hz in (262, 330, 392)) * 300 * (1 + np.sin(2 * np.pi * 0.5 * at))
    sound = music.astype(np.int16)
    sound[64_000:80_000] += speech(2000, -15)
    spans = spoken(levels_of(tmp_path, sound), 0)
    assert any(span.from_ms <= 8100 and span.until_ms >= 9900 for span in spans)


def test_a_click_is_no_speech_and_a_short_yes_is(tmp_path: Path):
    click, yes = speech(60), speech(250)
    sound = np.concatenate([silence(1000), click, silence(1000), yes, silence(1000)])
    near(spoken(levels_of(tmp_path, sound), 0), (2060, 2310))


def test_a_pause_within_a_sentence_does_not_end_it(tmp_path: Path):
    short, long = HANGOVER_MS - 60, HANGOVER_MS + 200
    sound = np.concatenate([speech(500), silence(short), speech(500), silence(long), speech(500)])
    spans = spoken(levels_of(tmp_path, sound), 0)
    near(spans, (0, 1000 + short), (1000 + short + long, 1500 + short + long))


def test_an_echo_of_the_other_side_is_no_speech_and_an_interruption_is(tmp_path: Path):
    agent = speech(4000, -15)
    echo = np.concatenate([silence(120), agent // 40])[: len(agent)]  # 32 dB below, a little late
    interrupting = echo.copy()
    interrupting[16_000:24_000] += speech(1000, -25)
    assert spoken(levels_of(tmp_path, stereo(echo, agent)), 0) == []
    near(spoken(levels_of(tmp_path, stereo(interrupting, agent)), 0), (2000, 3000), within_ms=350)


def test_silence_is_no_speech_however_short_it_is(tmp_path: Path):
    for ms in (5, 20, 999, 5000):
        assert spoken(levels_of(tmp_path, silence(ms)), 0) == []


def test_a_turn_is_trimmed_to_what_sounds_in_it(tmp_path: Path):
    levels = levels_of(tmp_path, np.concatenate([silence(1000), hiss(500, -50), silence(1000)]))
    assert loud(levels, 0, Span(0, 2500)) == Span(1000, 1500)
    assert loud(levels, 0, Span(1100, 1250)) == Span(1100, 1250)
    assert loud(levels, 0, Span(1600, 2500)) is None
