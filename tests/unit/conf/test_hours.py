from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.conf.models import OpeningHours, is_open

ZURICH = ZoneInfo("Europe/Zurich")


def hours(**fields: object) -> OpeningHours:
    return OpeningHours.model_validate({"zone": "Europe/Zurich"} | fields)


def at(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH, fold=fold)


def test_a_number_without_hours_is_always_open_and_one_without_spans_never():
    assert is_open(None, at("2026-11-23T03:00"))
    assert not is_open(hours(), at("2026-11-23T12:00"))


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-23T08:59:59", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T12:00", False),
        ("2026-11-23T13:30", True),
        ("2026-11-23T17:00", False),
        ("2026-11-24T09:00", False),
    ],
)
def test_a_span_covers_its_first_minute_and_not_its_last(moment: str, open_: bool):
    week = hours(monday=["09:00-12:00", "13:30-17:00"])
    assert is_open(week, at(moment)) == open_


def test_the_numbers_own_clock_counts():
    week = hours(monday=["09:00-10:00"])
    assert is_open(week, datetime(2026, 11, 23, 8, 30, tzinfo=ZoneInfo("UTC")))
    assert not is_open(week, datetime(2026, 11, 23, 9, 30, tzinfo=ZoneInfo("UTC")))


def test_a_span_over_midnight_belongs_to_the_day_it_begins_on():
    week = hours(saturday=["20:00-02:00"], sunday=["00:00-24:00"], holidays=["2026-11-28", "2026-12-06"])
    assert is_open(week, at("2026-11-21T23:59"))
    assert is_open(week, at("2026-11-22T01:59"))
    assert not is_open(week, at("2026-11-21T01:00"))
    assert is_open(week, at("2026-12-06T01:00"))  # a holiday, but Saturday's evening goes on
    assert not is_open(week, at("2026-12-06T02:00"))
    assert not is_open(week, at("2026-11-28T21:00"))


def test_holidays_are_closed():
    week = hours(friday=["00:00-24:00"], holidays=["2026-12-25"])
    assert is_open(week, at("2026-12-18T00:00"))
    assert not is_open(week, at("2026-12-25T12:00"))


def test_days_on_which_the_clock_changes_open_and_close_by_the_clock_on_the_wall():
    spring, autumn = hours(sunday=["03:00-09:00"]), hours(sunday=["02:00-03:00"])
    assert is_open(spring, datetime(2026, 3, 29, 1, 0, tzinfo=ZoneInfo("UTC")))  # 02:00 became 03:00
    assert not is_open(spring, datetime(2026, 3, 29, 0, 59, tzinfo=ZoneInfo("UTC")))
    assert not is_open(spring, datetime(2026, 3, 29, 7, 0, tzinfo=ZoneInfo("UTC")))
    assert is_open(autumn, at("2026-10-25T02:30", fold=0))
    assert is_open(autumn, at("2026-10-25T02:30", fold=1))
    assert not is_open(autumn, datetime(2026, 10, 25, 2, 0, tzinfo=ZoneInfo("UTC")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Europe"},
        {"zone": "../etc/passwd"},
        {"zone": "Mars/Base"},
        {"monday": ["9-17"]},
        {"monday": ["09:00-09:00"]},
        {"monday": ["24:00-09:00"]},
        {"monday": ["09:00-25:00"]},
        {"holidays": ["christmas"]},
        {"someday": []},
    ],
)
def test_what_is_no_time_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        hours(**wrong)
