"""What models have cost today."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.call.money.day_spend import DaySpend

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
TODAY, TOMORROW = NOON.date(), NOON.date() + timedelta(days=1)


def usd(cents: int) -> Decimal:
    return Decimal(cents) / 100


def test_our_own_calls_and_those_of_others_are_added_up_and_none_counts_twice():
    spend = DaySpend()
    spend.hear("ours", usd(10), NOON)
    spend.hear("ours", usd(5), NOON)
    spend.read(TODAY, {"ours": usd(10), "theirs": usd(20)}, NOON)  # our last answer is not there yet
    assert spend.on(TODAY) == usd(35)
    spend.read(TODAY, {"ours": usd(15), "theirs": usd(40)}, NOON)
    assert spend.on(TODAY) == usd(55)


def test_after_a_restart_the_reading_knows_more_of_a_call_than_we_heard():
    spend = DaySpend()
    spend.read(TODAY, {"earlier": usd(90)}, NOON)
    assert (spend.on(TODAY), spend.read_at) == (usd(90), NOON)


def test_a_reading_of_a_few_calls_leaves_the_others_as_they_were_known():
    spend = DaySpend()
    spend.read(TODAY, {"a": usd(10), "b": usd(20)}, NOON)
    spend.read(TODAY, {"b": usd(25)}, NOON)
    assert spend.on(TODAY) == usd(35)


def test_a_new_day_begins_with_nothing_and_the_old_one_does_not_come_back():
    spend = DaySpend()
    spend.hear("long", usd(10), NOON)
    assert spend.on(TOMORROW) == 0
    spend.hear("long", usd(3), NOON + timedelta(hours=12))
    assert spend.on(TOMORROW) == usd(3)
    spend.read(TODAY, {"long": usd(10)}, NOON)
    spend.hear("late", usd(1), NOON)
    assert spend.on(TOMORROW) == usd(3)
    spend.read(TOMORROW, {"long": usd(3), "other": usd(4)}, NOON)
    assert spend.on(TOMORROW) == usd(7)
