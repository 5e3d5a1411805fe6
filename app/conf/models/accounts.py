"""Access to the services a call needs, and who answers which number."""

from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from app.conf.models.base import E164, Conf, RowName
from app.conf.models.hours import OpeningHours
from app.conf.models.outbound import Prefix
from app.conf.models.variables import Variables
from app.conf.models.webhooks import PrecallConf


class OpenAICoreConf(Conf):
    """Access to OpenAI."""

    openai_api_key: SecretStr
    organization: str | None = None
    project: str | None = None


class TwilioCoreConf(Conf):
    """Access to one Twilio account."""

    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]
    auth_tokens: Annotated[list[SecretStr], Field(min_length=1)]
    """Every token that may sign a request (two while one is being rotated); the first is used for REST."""
    api_key_sid: str | None = None
    api_key_secret: SecretStr | None = None
    """With both set, REST uses the API key instead of the first auth token."""
    allowed_dial_prefixes: Annotated[list[Prefix], Field(max_length=1000)] = Field(default_factory=list)
    """Where live calls may be transferred: to numbers that begin like one of these, and to fallback numbers."""

    @model_validator(mode="after")
    def _api_key_whole(self) -> "TwilioCoreConf":
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret go together")
        return self


class NumberConf(Conf):
    """Which agent answers a number; the row's name is the number in E.164 form, or `default`."""

    agent: RowName
    fallback_number: E164 | None = None
    """Wins over the agent's own fallback number."""
    fallback_message: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Wins over the agent's own fallback message."""
    hours: OpeningHours | None = None
    """When it is answered; without them, always."""
    variables: Variables = Field(default_factory=dict)
    """Win over the agent's own."""
    precall: PrecallConf | None = None
    """Asked in place of the agent's own."""

    @property
    def agents(self) -> frozenset[str]:
        """Every agent that may answer it."""
        return frozenset(
            {self.agent} | ({self.hours.closed_agent} if self.hours and self.hours.closed_agent else set())
        )

    @property
    def doubts(self) -> list[str]:
        """What its writer may not expect."""
        found = [f"precall.{text}" for text in self.precall.doubts] if self.precall else []
        if self.hours and self.hours.never_open:
            found += ["hours: no day has a span, so the number is closed all week; without hours it is always open"]
        return found
