import hashlib

import pytest

from app.sandbox.openai.sound import from_pcmu
from app.sandbox.voices.clips import HERE, clip, phrase_with, phrases, text_of, voices

CALLERS = [(name, voice) for name, phrase in phrases().items() if phrase.role == "caller" for voice in voices()]
AGENTS = [(name, None) for name, phrase in phrases().items() if phrase.role == "agent"]


def test_every_clip_is_the_one_that_was_rendered():
    sums = dict(reversed(line.split("  ")) for line in (HERE / "SHA256SUMS").read_text().splitlines())
    found = {
        str(path.relative_to(HERE)): hashlib.sha256(path.read_bytes()).hexdigest() for path in HERE.rglob("*.ulaw")
    }

    assert found == sums


def test_every_phrase_has_its_clips_and_nothing_else_ships():
    assert len(list(HERE.rglob("*.ulaw"))) == len(CALLERS) + len(AGENTS)
    assert len(voices()) >= 4
    assert sum(path.stat().st_size for path in HERE.rglob("*.ulaw")) < 2_000_000


@pytest.mark.parametrize(("name", "voice"), CALLERS + AGENTS)
def test_a_clip_is_as_loud_as_the_others_and_starts_and_ends_at_once(name, voice):
    samples = from_pcmu(clip(name, voice)).astype(float)
    loud = abs(samples) > 300

    assert 1500 < (samples**2).mean() ** 0.5 < 3000
    assert loud[:1200].any()
    assert loud[-1600:].any()


def test_a_text_finds_its_own_clip():
    assert phrase_with(text_of("greeting")) == "greeting"
    assert phrase_with("Good evening, this is somebody else.") is None
    assert phrase_with(text_of("table_tonight")) is None, "the agent never speaks with a caller's voice"
