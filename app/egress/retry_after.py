"""How long a server asks us to wait."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


def retry_after_s(headers: httpx.Headers, now: datetime) -> float | None:
    """How long the server asks us to wait, in either of the header's forms."""
    text = headers.get("retry-after", "").strip()
    try:
        wait_s = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait_s = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return max(wait_s, 0.0) if math.isfinite(wait_s) else None
