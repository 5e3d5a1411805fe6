"""Who spoke when: the journal's turns, and what no turn knows of."""

from pathlib import Path

import numpy as np

from app.call.journal.transcript import Turn
from app.recordings.audio import probe
from app.recordings.levels import Levels, measure
from app.recordings.spans import Span
from app.recordings.turns import channels_of, spoken
from tests.unit.recordings.sounds import hiss, silence, speech, stereo, wav

SPEAKERS = channels_of(2, "left")


def a_call(tmp_path: Path) -> Levels:
    """The agent speaks from 0 to 2 s, the caller loudly from 3 to 4 s and in a whisper from 6 to 7 s."""
    caller = np.concatenate([silence(3000), speech(1000), silence(2000), hiss(1000, -58), silence(1000)])
    path = wav(tmp_path / "call.wav", stereo(caller, speech(2000)))
    return measure(path, probe(path))


def test_the_channels_have_the_speakers_that_the_recording_says():
    assert channels_of(2, "left") == ["caller", "agent"]
    assert channels_of(2, "right") == ["agent", "caller"]
    assert channels_of(1, "left") == ["unknown"]


def test_without_any_turn_clear_speech_is_found(tmp_path: Path):
    caller, agent = spoken(a_call(tmp_path), SPEAKERS, [], 8000)
    assert [(round(span.from_ms, -2), round(span.until_ms, -2)) for span in caller] == [(3000, 4000)]
    assert [(round(span.from_ms, -2), round(span.until_ms, -2)) for span in agent] == [(0, 2000)]


def test_a_turn_brings_in_what_is_too_quiet_to_be_clear_and_keeps_to_what_sounds(tmp_path: Path):
    turns = [Turn("agent", 0, until_ms=2000), Turn("caller", 6200, until_ms=7800)]
    caller, _ = spoken(a_call(tmp_path), SPEAKERS, turns, 8000)
    assert Span(6000, 7000) in caller


def test_a_turn_without_an_end_goes_on_until_the_next(tmp_path: Path):
    unfinished = [Turn("caller", 6000)]
    caller, _ = spoken(a_call(tmp_path), SPEAKERS, unfinished, 8000)
    assert Span(6000, 7000) in caller
    caller, _ = spoken(a_call(tmp_path), SPEAKERS, [*unfinished, Turn("caller", 6500, until_ms=6501)], 8000)
    assert all(span.until_ms <= 6520 for span in caller)


def test_turns_of_silence_of_keys_and_after_the_end_are_nothing(tmp_path: Path):
    turns = [Turn("caller", 5000, until_ms=5500), Turn("caller", 6500, until_ms=6500), Turn("caller", 9000)]
    assert spoken(a_call(tmp_path), SPEAKERS, turns, 8000) == spoken(a_call(tmp_path), SPEAKERS, [], 8000)


def test_turns_say_nothing_about_a_recording_of_one_channel(tmp_path: Path):
    path = wav(tmp_path / "mono.wav", np.concatenate([silence(1000), speech(1000)]))
    [spans] = spoken(measure(path, probe(path)), channels_of(1, "left"), [Turn("caller", 0, until_ms=900)], 2000)
    assert [(round(span.from_ms, -2), round(span.until_ms, -2)) for span in spans] == [(1000, 2000)]
