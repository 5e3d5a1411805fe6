"""When sessions are replaced."""

import pytest

from app.call.legs.redial import GRACE_MS, LEAST_AGE_MS, Redials, Rollover


def test_the_first_try_comes_at_once_and_the_next_ones_within_a_second():
    redials = Redials()
    pauses = [redials.next_pause_ms(0) for _ in range(3)]
    assert pauses[0] == 0
    assert sum(pauses) <= 1000
    assert redials.tries == 3


def test_a_fourth_try_in_five_minutes_is_none_and_later_there_is_one():
    redials = Redials()
    for at_ms in (0, 100_000, 200_000):
        assert redials.next_pause_ms(at_ms) == 0
        redials.on_connected()
    assert (redials.may(299_999), redials.next_pause_ms(299_999)) == (False, None)
    assert (redials.may(300_000), redials.next_pause_ms(300_000)) == (True, 0)


def test_a_session_is_due_at_its_age_and_urgent_when_no_silence_came():
    rollover = Rollover(every_ms=1000)
    assert not rollover.is_due(99_999)
    rollover.on_session(5000)
    assert [rollover.is_due(5999), rollover.is_due(6000), rollover.is_urgent(6000)] == [False, True, False]
    assert rollover.is_urgent(6000 + GRACE_MS)


def test_a_provider_that_ends_sessions_sooner_makes_it_sooner():
    rollover = Rollover(every_ms=3_000_000)
    rollover.on_session(0)
    rollover.on_expiry(0, left_ms=1_800_000, lead_ms=120_000)
    assert [rollover.is_due(1_679_999), rollover.is_due(1_680_000)] == [False, True]


def test_a_session_that_lives_shortly_is_not_replaced_at_once():
    rollover = Rollover(every_ms=3_000_000)
    rollover.on_session(0)
    rollover.on_expiry(0, left_ms=60_000, lead_ms=120_000)
    assert [rollover.is_due(29_999), rollover.is_due(30_000)] == [False, True]


@pytest.mark.parametrize("left_ms", [-7_200_000, 0, 5000])
def test_a_clock_that_goes_wrong_does_not_replace_sessions_without_end(left_ms):
    rollover = Rollover(every_ms=3_000_000)
    rollover.on_session(0)
    rollover.on_expiry(0, left_ms=left_ms, lead_ms=120_000)
    assert [rollover.is_due(LEAST_AGE_MS - 1), rollover.is_due(LEAST_AGE_MS)] == [False, True]


def test_when_none_could_be_had_it_is_tried_again_later():
    rollover = Rollover(every_ms=1000)
    rollover.on_session(0)
    rollover.on_failed(1000)
    assert [rollover.is_due(30_999), rollover.is_due(31_000)] == [False, True]
