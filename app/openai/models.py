"""The models that an account sees."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx

from app.conf.models import OpenAICoreConf
from app.errors import SessionUnavailable
from app.openai import connect


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that an account may use."""

    id: str
    last_day: date | None = None
    """Where its end is announced."""


async def list_models(
    client: httpx.AsyncClient, core_conf: OpenAICoreConf, *, base_url: str, within_s: float
) -> list[ListedModel]:
    """What that key sees; raises `SessionUnavailable`, whose `code` is `http_401` and the like for a refusal."""
    try:
        url = f"{base_url.rstrip('/')}/models"
        response = await client.get(url, headers=connect.headers(core_conf), timeout=within_s)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SessionUnavailable(f"OpenAI cannot be reached: {type(error).__name__}", code="unreachable") from error
    if not response.is_success:  # without the server's own words: they quote parts of the key
        status = response.status_code
        raise SessionUnavailable(f"OpenAI answered with HTTP {status}", code=f"http_{status}", retryable=status >= 500)
    try:
        return [_model(each) for each in response.json()["data"]]
    except (ValueError, TypeError, KeyError):
        raise SessionUnavailable("OpenAI's answer holds no list of models", code="unreadable") from None


def _model(raw: Any) -> ListedModel:
    return ListedModel(str(raw["id"]), _day(raw.get("shutdown_date")))


def _day(told: object) -> date | None:
    """A day as a date or as a moment since 1970; None where neither is told."""
    try:
        match told:
            case str():
                return date.fromisoformat(told[:10])
            case int() | float() if not isinstance(told, bool):
                return datetime.fromtimestamp(told, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None
