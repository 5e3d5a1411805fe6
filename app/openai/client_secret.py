"""Short-lived keys, with which a browser opens a session as an agent: its microphone in place of a phone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr, ValidationError

from app.conf.models import AgentConf, OpenAICoreConf
from app.errors import SessionUnavailable
from app.openai import connect
from app.openai.session_config import compile_session
from app.openai.types.client_secrets import ClientSecret

SHORTEST_S, LONGEST_S = 10, 7200


@dataclass(frozen=True, slots=True)
class BrowserKey:
    """The key, and the last moment at which it opens a session."""

    value: SecretStr
    expires_at: datetime


async def create_browser_key(
    client: httpx.AsyncClient,
    core_conf: OpenAICoreConf,
    agent: AgentConf,
    *,
    base_url: str,
    lifetime_s: int,
    within_s: float,
) -> BrowserKey:
    """A key that opens sessions as that agent; raises `SessionUnavailable` with OpenAI's reason."""
    try:
        response = await client.post(
            f"{base_url.rstrip('/')}/realtime/client_secrets",
            headers=connect.headers(core_conf),
            json={"expires_after": {"anchor": "created_at", "seconds": lifetime_s}, "session": _session(agent)},
            timeout=within_s,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SessionUnavailable(f"OpenAI cannot be reached: {type(error).__name__}", code="unreachable") from error
    if not response.is_success:
        reason, code = _refusal(response)
        raise SessionUnavailable(reason, code=code, retryable=response.status_code >= 500)
    try:
        secret = ClientSecret.received(response.json())
    except (ValueError, ValidationError):
        raise SessionUnavailable("OpenAI's answer holds no client secret", code="unreadable") from None
    return BrowserKey(secret.value, datetime.fromtimestamp(secret.expires_at, UTC))


def _session(agent: AgentConf) -> dict[str, Any]:
    """The agent's session without the phone's audio format: browsers bring their own."""
    session = compile_session(agent).wire(reveal=True)
    for direction in session["audio"].values():
        direction.pop("format", None)
    return session


def _refusal(response: httpx.Response) -> tuple[str, str]:
    """Words without the server's own, which quote parts of the key, where the key is at fault."""
    try:
        details = response.json()["error"]
        code, message = str(details.get("code") or details.get("type")), str(details["message"])
    except (ValueError, TypeError, KeyError, AttributeError):
        code, message = f"http_{response.status_code}", "no reason was given"
    if response.status_code in {401, 403}:
        return "OpenAI refused the API key", "invalid_api_key"
    return f"OpenAI refused the session: {message}", code
