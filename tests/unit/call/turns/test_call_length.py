"""How long a call may last."""

import pytest

from app.call.turns.call_length import CallLength


def due(length: CallLength, *, until_ms: int, leaving: bool = False) -> list[tuple[int, str]]:
    return [(at, what) for at in range(0, until_ms + 1, 500) if (what := length.on_time(at, leaving=leaving))]


def test_the_agent_is_told_half_a_minute_before_and_says_goodbye_at_the_end():
    length = CallLength(most_ms=600_000, goodbye_ms=10_000)
    assert due(length, until_ms=609_500) == [(570_000, "wrap_up"), (600_000, "leave")]
    assert length.on_time(610_000, leaving=True) == "end"


@pytest.mark.parametrize(("most_ms", "notice_ms"), [(10_000, 2500), (60_000, 15_000), (3_600_000, 30_000)])
def test_a_short_call_is_told_of_later(most_ms, notice_ms):
    length = CallLength(most_ms=most_ms, goodbye_ms=1000)
    assert length.notice_ms == notice_ms
    assert length.on_time(most_ms - notice_ms - 1, leaving=False) is None
    assert length.on_time(most_ms - notice_ms, leaving=False) == "wrap_up"


def test_a_goodbye_under_way_is_not_begun_again_but_one_that_was_called_off_is():
    length = CallLength(most_ms=20_000, goodbye_ms=10_000)
    assert length.on_time(16_000, leaving=True) == "wrap_up"
    assert length.on_time(20_000, leaving=True) is None
    assert length.on_time(21_000, leaving=False) == "leave"
    assert length.on_time(21_500, leaving=True) is None


def test_a_caller_who_comes_back_from_elsewhere_too_late_hears_the_goodbye_all_the_same():
    length = CallLength(most_ms=20_000, goodbye_ms=10_000)
    assert length.on_time(95_000, leaving=False) == "leave"
    assert length.on_time(104_750, leaving=True) is None
    assert length.on_time(105_000, leaving=True) == "end"


def test_nothing_holds_the_line_longer_than_the_goodbye_may_take():
    length = CallLength(most_ms=20_000, goodbye_ms=10_000)
    assert length.on_time(30_000, leaving=True) == "end"
