"""What models have cost today, in all processes: what is read now and then, and what our own calls told since."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal


class DaySpend:
    """US dollars of one day of UTC, by call.

    What a call cost so far only grows, so of two sums for one call the larger is the later. The same is thus never
    counted twice, whatever is read when, and nothing is lost while there is no reading.
    """

    def __init__(self) -> None:
        self.read_at: datetime | None = None
        """When the sums of all processes were last read; None where they never were."""
        self._day: date | None = None
        self._total = Decimal(0)
        self._known: dict[str, Decimal] = {}
        self._heard: dict[str, Decimal] = {}

    def on(self, day: date) -> Decimal:
        """All that was spent that day; nothing yet where it has just begun."""
        return self._total if day == self._day else Decimal(0)

    def hear(self, call_id: str, usd: Decimal, at: datetime) -> None:
        """One of our own calls cost that much more."""
        if self._turn_to(at.astimezone(UTC).date()):
            self._heard[call_id] = self._heard.get(call_id, Decimal(0)) + usd
            self._raise(call_id, self._heard[call_id])

    def read(self, day: date, sums: Mapping[str, Decimal], at: datetime) -> None:
        """That many calls have cost that much that day by now."""
        if self._turn_to(day):
            for call_id, usd in sums.items():
                self._raise(call_id, usd)
            self.read_at = at

    def _raise(self, call_id: str, usd: Decimal) -> None:
        known = self._known.get(call_id, Decimal(0))
        if usd > known:
            self._known[call_id] = usd
            self._total += usd - known

    def _turn_to(self, day: date) -> bool:
        """Whether that is today; a day that is new takes the place of the one before."""
        if self._day is not None and day <= self._day:
            return day == self._day
        self._day, self._total, self._known, self._heard = day, Decimal(0), {}, {}
        return True
