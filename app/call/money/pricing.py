"""What a call must know of prices: whoever has them says what something cost."""

from decimal import Decimal
from typing import Protocol

from app.realtime.usage import Used


class Pricing(Protocol):
    """The prices of the moment the call began, in US dollars. Both raise `PriceUnknown`, which says what has none."""

    def answer(self, used: Used) -> Decimal:
        """What an answer cost."""

    def transcription(self, used: Used) -> Decimal:
        """What it cost to write down what the caller said, while they talked."""
