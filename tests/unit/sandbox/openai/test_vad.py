import numpy as np
import pytest

from app.sandbox.openai.sound import from_pcmu
from app.sandbox.openai.vad import Noticed, ServerVad, VadSettings
from app.sandbox.voices.clips import clip, phrases, voices

CALLERS = [name for name, phrase in phrases().items() if phrase.role == "caller"]


def quiet(ms):
    return np.zeros(ms * 8, dtype=np.int16)


@pytest.mark.parametrize("voice", voices())
@pytest.mark.parametrize("name", CALLERS)
def test_a_phrase_is_one_turn_from_its_padding_to_the_end_of_the_silence(name, voice):
    speech = from_pcmu(clip(name, voice))
    started, stopped = ServerVad(VadSettings()).feed(np.concatenate([quiet(1000), speech, quiet(1000)]))
    end_ms = 1000 + len(speech) / 8

    assert (started.kind, stopped.kind) == ("started", "stopped")
    assert 1000 - 300 <= started.since_ms <= 1000 - 300 + 160
    assert started.at_ms <= 1000 + 300
    assert end_ms + 500 - 160 <= stopped.at_ms <= end_ms + 500 + 160
    assert stopped.since_ms == started.since_ms


def test_only_appended_audio_counts_however_it_is_cut():
    sound = np.concatenate([quiet(500), from_pcmu(clip("table_tonight")), quiet(900)])
    whole, pieces = ServerVad(VadSettings()), ServerVad(VadSettings())

    in_pieces = [noticed for start in range(0, len(sound), 333) for noticed in pieces.feed(sound[start : start + 333])]

    assert in_pieces == whole.feed(sound)


def test_the_padding_and_the_silence_are_those_of_the_settings():
    sound = np.concatenate([quiet(1000), from_pcmu(clip("one_moment")), quiet(1500)])
    usual = ServerVad(VadSettings()).feed(sound)
    other = ServerVad(VadSettings(prefix_padding_ms=100, silence_duration_ms=900)).feed(sound)

    assert other[0].since_ms == usual[0].since_ms + 200
    assert other[1].at_ms == usual[1].at_ms + 400


def test_the_padding_never_reaches_before_the_first_byte():
    [started, *_] = ServerVad(VadSettings()).feed(from_pcmu(clip("one_moment")))

    assert started.since_ms == 0


@pytest.mark.parametrize(
    "sound",
    [
        from_pcmu(b"\xff" * 80000),
        from_pcmu(b"\x7f" * 80000),
        np.random.default_rng(3).normal(0, 60, 80000).astype(np.int16),
        np.concatenate([quiet(1000), np.tile(np.array([20000, -20000], dtype=np.int16), 160), quiet(1000)]),
    ],
    ids=["silence", "other silence", "hiss", "click"],
)
def test_silence_hiss_and_clicks_are_no_speech(sound):
    assert ServerVad(VadSettings()).feed(sound) == []


def test_waiting_in_silence_is_noticed_once_after_the_time_that_was_set():
    vad = ServerVad(VadSettings(idle_timeout_ms=5000))
    before = vad.feed(quiet(6000))
    vad.wait_from(7000)

    assert before == []
    assert vad.feed(quiet(20000)) == [Noticed("idle", 12000, 7000)]


def test_speech_stops_the_waiting():
    vad = ServerVad(VadSettings(idle_timeout_ms=5000))
    vad.wait_from(0)
    noticed = vad.feed(np.concatenate([quiet(4000), from_pcmu(clip("goodbye")), quiet(9000)]))

    assert [each.kind for each in noticed] == ["started", "stopped"]
