"""Pieces: no speech left out, none twice, none too long, and the same ones every time."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recordings.cutting import Limits, cut
from app.recordings.levels import Levels
from app.recordings.spans import Span, united

LIMITS = Limits()


def levels(duration_ms: int, channels: int = 2, quiet_ms: tuple[int, ...] = ()) -> Levels:
    db = np.full((-(-duration_ms // 20), channels), -20, np.float32)
    for at_ms in quiet_ms:
        db[at_ms // 20 : at_ms // 20 + 10] = -70
    return Levels(db, 20.0)


def pieces(speech, duration_ms: int = 60_000, limits: Limits = LIMITS, rate_hz: int = 8000, quiet_ms=()):
    sounds = levels(duration_ms, len(speech), quiet_ms)
    return cut(speech, sounds, duration_ms=duration_ms, rate_hz=rate_hz, limits=limits)


def sent(found) -> list[tuple[int, int, int]]:
    return [(piece.channel, piece.sent.from_ms, piece.sent.until_ms) for piece in found]


def test_speakers_in_turn_are_sent_in_the_order_they_spoke_with_a_little_around():
    found = pieces([[Span(1000, 2000), Span(5000, 6000)], [Span(2500, 4500)]])
    assert sent(found) == [(0, 800, 2200), (1, 2300, 4700), (0, 4800, 6200)]
    assert found[0].spoken == Span(1000, 2000)


def test_words_of_one_speaker_around_a_pause_stay_together_unless_somebody_spoke_in_it():
    mine = [Span(1000, 2000), Span(3500, 4500)]
    assert sent(pieces([mine, []])) == [(0, 800, 4700)]
    assert sent(pieces([mine, [Span(2400, 2900)]])) == [(0, 800, 2200), (1, 2200, 3100), (0, 3300, 4700)]
    assert len(pieces([[Span(1000, 2000), Span(4500, 5500)], []])) == 2


def test_a_monologue_is_not_one_piece_where_it_has_pauses():
    found = pieces([[Span(at, at + 4000) for at in range(0, 60_000, 5000)]])
    assert len(found) == 2
    assert all(piece.sent.ms <= LIMITS.together_ms + 2 * LIMITS.pad_ms for piece in found)


def test_what_is_too_long_is_cut_where_it_is_quietest_before_the_limit():
    limits = Limits(most_ms=20_000)
    found = pieces([[Span(0, 50_000)]], limits=limits, quiet_ms=(2000, 17_000, 33_000))
    assert [piece.sent.until_ms for piece in found] == [
        pytest.approx(17_100, abs=20),
        pytest.approx(33_100, abs=20),
        50_200,
    ]


def test_the_limit_in_bytes_is_that_of_the_file_that_is_sent():
    limits = Limits(most_bytes=160_044)
    assert limits.most_ms_at(8000) == 10_000
    assert limits.most_ms_at(16_000) == 5_000
    assert Limits().most_ms_at(8000) == 20 * 60_000


def test_a_recording_that_is_shorter_than_a_piece_may_be_has_none():
    assert pieces([[Span(0, 250)]], duration_ms=250) == []
    assert sent(pieces([[Span(100, 150)]], duration_ms=400)) == [(0, 0, 400)]


SPANS = st.lists(st.tuples(st.integers(0, 110_000), st.integers(1, 40_000)), max_size=12).map(
    lambda pairs: united(Span(at, at + ms) for at, ms in pairs)
)


@given(st.lists(SPANS, min_size=1, max_size=2), st.integers(300, 120_000), st.integers(2_000, 60_000))
def test_all_speech_is_sent_once_in_pieces_within_the_limits(speech, duration_ms, most_ms):
    limits = Limits(most_ms=most_ms)
    found = pieces(speech, duration_ms, limits)
    assert found == pieces(speech, duration_ms, limits)
    assert [piece.sent.from_ms for piece in found] == sorted(piece.sent.from_ms for piece in found)
    for channel, spans in enumerate(speech):
        mine = [piece for piece in found if piece.channel == channel]
        assert all(a.sent.until_ms <= b.sent.from_ms for a, b in pairwise(mine))
        for piece in mine:
            assert 0 <= piece.sent.from_ms <= piece.spoken.from_ms <= piece.spoken.until_ms <= piece.sent.until_ms
            assert piece.sent.until_ms <= duration_ms
            assert limits.least_ms <= piece.sent.ms <= most_ms
        covered = united(piece.sent for piece in mine)
        for span in spans:
            end = min(span.until_ms, duration_ms)
            if end - span.from_ms >= 200:
                assert any(each.from_ms <= span.from_ms and end <= each.until_ms for each in covered)
