"""What the process needs to start, from the environment and `.env`; everything else is in `core_conf`."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import SettingsError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SECRET_KEY_CHARACTERS = 32
CONTAINER_SECRETS = Path("/run/secrets")
"""Where container engines mount secrets: a file named like a setting holds its value; the environment wins."""


class Settings(BaseSettings):
    """The environment, checked. Empty values count as unset."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = None
    data_dir: Path = Path("data")
    public_url: str | None = None
    secret_key: SecretStr | None = None
    admin_api_key: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    openai_realtime_base_url: str = "wss://api.openai.com/v1/realtime"
    openai_base_url: str = "https://api.openai.com/v1"
    openai_transcription_url: str = "https://api.openai.com/v1/audio/transcriptions"
    twilio_api_base_url: str = "https://api.twilio.com"
    storage_url: SecretStr | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    max_calls: Annotated[int, Field(ge=1)] = 200
    drain_seconds: Annotated[float, Field(ge=0)] = 600
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = _url(value, {"https", "http"}, "must be an origin like https://calls.example.com")
        if url.path.strip("/") or url.query or url.fragment or url.username:
            raise ValueError("must be an origin only: no path, query, fragment or user name")
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            raise ValueError("must be https (http is accepted only for this machine itself, for rehearsals)")
        return f"{url.scheme}://{url.netloc}"

    @field_validator("database_url")
    @classmethod
    def _asyncpg(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        from sqlalchemy import exc, make_url  # slow to import, and without a URL nobody needs it here

        scheme, _, rest = value.get_secret_value().partition("://")
        url = f"postgresql+asyncpg://{rest}"
        try:
            make_url(url)
            fits = scheme in {"postgresql+asyncpg", "postgresql", "postgres"}
        except (exc.ArgumentError, ValueError):
            fits = False
        if not fits:
            raise ValueError("must look like postgresql+asyncpg://user:password@host:5432/name")
        return SecretStr(url)

    @field_validator("openai_realtime_base_url")
    @classmethod
    def _model(cls, value: str) -> str:
        _url(value, {"wss", "ws", "https", "http"}, "must look like wss://api.openai.com/v1/realtime")
        return value

    @field_validator("twilio_api_base_url")
    @classmethod
    def _carrier(cls, value: str) -> str:
        _url(value, {"https", "http"}, "must look like https://api.twilio.com")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value and any(len(key.strip()) < SECRET_KEY_CHARACTERS for key in value.get_secret_value().split(",")):
            raise ValueError(
                f"each key must have at least {SECRET_KEY_CHARACTERS} characters; try: openssl rand -hex 32"
            )
        return value

    @classmethod
    def load(cls, **given: object) -> Self:
        """The settings of this process; raises `SettingsError` that names each wrong variable and how to mend it."""
        try:
            return cls(_secrets_dir=CONTAINER_SECRETS if CONTAINER_SECRETS.is_dir() else None, **given)  # type: ignore[arg-type]
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            names = (".".join(str(part) for part in problem["loc"]).upper() for problem in problems)
            reasons = (problem["msg"].removeprefix("Value error, ") for problem in problems)
            raise SettingsError("\n".join(f"{name}: {why}" for name, why in zip(names, reasons, strict=True))) from None

    @property
    def tools_folder(self) -> Path:
        """Where the Python functions are that agents may use; whoever writes there runs code in this process."""
        return self.data_dir / "tools"

    @property
    def stream_url(self) -> str | None:
        """Where Twilio opens the media socket."""
        return f"ws{self.public_url.removeprefix('http')}/twilio/media" if self.public_url else None


def _url(value: str, schemes: Collection[str], wanted: str) -> SplitResult:
    """The parts of a URL with a host and one of these schemes; else a `ValueError` that says what is wanted."""
    try:
        url = urlsplit(value)
        fits = url.scheme in schemes and url.hostname and url.port != 0  # reading the port raises when it is none
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(wanted)
    return url
