"""Client secrets: short-lived keys with which a browser opens a session of its own."""

from typing import Annotated, Literal

from pydantic import Field

from app.openai.types.session import OpenaiRealtimeSessionConfig, SessionFields
from app.openai.types.transcription_session import GrantedTranscriptionSession, TranscriptionSession
from app.openai.types.wire import Secret, WireModel


class ExpiresAfter(WireModel):
    """How long the secret opens sessions; a session that runs outlives it."""

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Field(ge=10, le=7200)] | None = None


class ClientSecretRequest(WireModel):
    """The body of `POST /v1/realtime/client_secrets`."""

    expires_after: ExpiresAfter | None = None
    session: Annotated[OpenaiRealtimeSessionConfig | TranscriptionSession, Field(discriminator="type")] | None = None


class ClientSecret(WireModel):
    """The secret, and when it stops opening sessions (seconds since the epoch)."""

    value: Secret
    expires_at: int


class GrantedSession(SessionFields):
    """A realtime session as the server grants it; some answers carry the secret in here. Read it with `received`."""

    client_secret: ClientSecret | None = None
    id: str | None = None
    object: str | None = None
    expires_at: int | None = None


class ClientSecretResponse(ClientSecret):
    """The answer to a `ClientSecretRequest`; read it with `received`."""

    session: Annotated[GrantedSession | GrantedTranscriptionSession, Field(discriminator="type")]
