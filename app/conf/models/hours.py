"""When a number is answered: opening hours of a week, holidays, and what callers get when it is closed."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from app.conf.models.base import Conf, RowName

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_MINUTES = 24 * 60


def _span(text: str) -> str:
    if not _SPAN.fullmatch(text):
        raise ValueError("write a span of opening hours like 09:00-17:30")
    if text[:5] == text[6:]:
        raise ValueError("a span ends when it begins; for the whole day, write 00:00-24:00")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # an OSError for the name of a folder
        raise ValueError("not a time zone of the IANA database, like Europe/Zurich") from None
    return name


Zone = Annotated[str, Field(max_length=64, examples=["Europe/Zurich"]), AfterValidator(_zone)]
Span = Annotated[
    str, Field(pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$"), AfterValidator(_span), Field(examples=["09:00-17:30"])
]
"""From one time of day to another; one that ends before it begins lasts into the next day."""
Day = Annotated[list[Span], Field(max_length=12)]


class OpeningHours(Conf):
    """When a number is open, on its own clock; a day without spans is closed."""

    zone: Zone
    monday: Day = Field(default_factory=list)
    tuesday: Day = Field(default_factory=list)
    wednesday: Day = Field(default_factory=list)
    thursday: Day = Field(default_factory=list)
    friday: Day = Field(default_factory=list)
    saturday: Day = Field(default_factory=list)
    sunday: Day = Field(default_factory=list)
    holidays: Annotated[list[date], Field(max_length=400)] = Field(default_factory=list)
    """Days that are closed whatever weekday they are."""
    closed_message: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Said to callers while it is closed, before the call ends or a message is taken. Without it, words of our own in
    the agent's language."""
    closed_agent: RowName | None = None
    """Answers while it is closed, in place of the message."""

    @property
    def never_open(self) -> bool:
        """Whether no day has a span."""
        return not any(getattr(self, day) for day in _DAYS)


def is_open(hours: OpeningHours | None, at: datetime) -> bool:
    """Whether a number with these hours is open at that moment (one with a zone); without hours it always is.

    The clock on the wall counts, so that a day on which it is changed opens and closes at its usual times.
    """
    if hours is None:
        return True
    local = at.astimezone(ZoneInfo(hours.zone))
    minute = local.hour * 60 + local.minute
    today = local.date()
    return _covers(hours, today, minute) or _covers(hours, today - timedelta(days=1), minute + _DAY_MINUTES)


def _covers(hours: OpeningHours, day: date, minute: int) -> bool:
    """Whether a span that begins on that day covers that minute of it; the next day's minutes go on counting."""
    if day in hours.holidays:
        return False
    spans: list[str] = getattr(hours, _DAYS[day.weekday()])
    return any(begin <= minute < end for begin, end in map(_minutes, spans))


def _minutes(span: str) -> tuple[int, int]:
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in span.split("-"))
    return begin, end if end > begin else end + _DAY_MINUTES
