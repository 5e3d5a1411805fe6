"""`POST /v1/realtime/client_secrets`: keys for browsers, each with a session's configuration and a last second."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from app.sandbox.openai.client_events import parse
from app.sandbox.openai.config_models import Session
from app.sandbox.openai.outbox import new_id
from app.sandbox.openai.refusal import refusal_of
from app.sandbox.openai.session_config import (
    Config,
    default_config,
    default_transcription_config,
    object_of,
    shown,
    updated,
)
from app.sandbox.openai.wire import OMITTED, Wire

DEFAULT_MODEL = "gpt-realtime"


class ExpiresAfter(Wire):
    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Field(ge=10, le=7200)] = 600


class SecretWish(Wire):
    expires_after: ExpiresAfter = ExpiresAfter()
    session: Session = OMITTED


@dataclass(frozen=True, slots=True)
class _Secret:
    """What a key opens, and until when."""

    expires_at: int
    config: Config


class ClientSecrets:
    """The keys that were given out. One may open several sessions until it expires; they outlive it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._given: dict[str, _Secret] = {}

    def create(self, body: str) -> dict[str, Any]:
        """A new key and what it opens, as the request wishes; raises `Refusal`."""
        given = parse(body)
        try:
            wish = SecretWish.model_validate(given)
        except ValidationError as error:
            raise refusal_of(error, given) from None
        config = _config(given.get("session", {"type": "realtime"}))
        value, expires_at = f"ek_{secrets.token_hex(16)}", int(self._now()) + wish.expires_after.seconds
        self._given[value] = _Secret(expires_at, config)
        session = {"object": object_of(config), "id": new_id("sess"), **shown(config)}
        return {"value": value, "expires_at": expires_at, "session": session}

    def config(self, value: str) -> Config | None:
        """How a session begins that is opened with this key; None when it is none, or has expired."""
        secret = self._given.get(value)
        return secret.config if secret is not None and self._now() < secret.expires_at else None


def _config(session: Mapping[str, Any]) -> Config:
    if session["type"] == "transcription":
        return updated(default_transcription_config(), session, has_spoken=False)
    return updated(default_config(session.get("model", DEFAULT_MODEL)), session, has_spoken=False)
