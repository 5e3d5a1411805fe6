"""The models that the sandbox's account sees."""

from typing import Any

CREATED = 1_788_000_000
NAMES: dict[str, str | None] = {
    "gpt-realtime-2.1": None,
    "gpt-realtime-2.1-mini": None,
    "gpt-realtime-2": None,
    "gpt-realtime-1.5": None,
    "gpt-realtime": "2027-01-20",
    "gpt-realtime-mini": "2027-01-20",
    "gpt-transcribe": None,
    "gpt-live-transcribe": None,
    "gpt-realtime-whisper": None,
    "gpt-4o-transcribe": "2027-02-26",
    "gpt-4o-mini-transcribe": "2027-02-26",
    "gpt-4o-transcribe-diarize": "2027-02-26",
    "whisper-1": "2027-02-26",
    "gpt-5": None,
}
"""With the last day of those that end."""


def model_page(names: dict[str, str | None]) -> dict[str, Any]:
    """The answer to `GET /v1/models`."""
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": CREATED, "owned_by": "system", "shutdown_date": last_day}
            for name, last_day in names.items()
        ],
    }
