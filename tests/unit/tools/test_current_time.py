"""The time, as a caller would say it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.call.tools.tool_calls import Asked
from app.conf.models import CurrentTimeTool
from app.tools.current_time import current_time, told

NOON = datetime(2026, 11, 21, 13, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Berlin", "Saturday 2026-11-21 14:36 (Europe/Berlin, UTC+1)"),
        ("Asia/Kolkata", "Saturday 2026-11-21 19:06 (Asia/Kolkata, UTC+5:30)"),
        ("America/St_Johns", "Saturday 2026-11-21 10:06 (America/St_Johns, UTC-3:30)"),
        ("Pacific/Auckland", "Sunday 2026-11-22 02:36 (Pacific/Auckland, UTC+13)"),
        ("UTC", "Saturday 2026-11-21 13:36 (UTC, UTC+0)"),
    ],
)
def test_a_moment_is_told_with_its_weekday_and_zone(zone: str, text: str):
    assert told(NOON.astimezone(ZoneInfo(zone))) == text


async def test_the_tools_own_zone_counts_before_the_numbers():
    ours = CurrentTimeTool(type="current_time", timezone="Asia/Tokyo")
    assert "(Asia/Tokyo, UTC+9)" in await current_time(UTC, Asked("1", ours, {}))
    assert "(UTC, UTC+0)" in await current_time(UTC, Asked("1", CurrentTimeTool(type="current_time"), {}))


def test_a_zone_that_does_not_exist_is_refused_when_it_is_saved():
    with pytest.raises(ValidationError, match="IANA"):
        CurrentTimeTool(type="current_time", timezone="Berlin")
