"""How the API reaches the services we use, to see and to try what is configured."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from app.conf.models import OpenAICoreConf, TwilioCoreConf, WebhookConf
from app.openai.models import ListedModel, list_models
from app.tools.http.run import HttpTools
from app.twilio.rest import TwilioRest


class Sent(Protocol):
    """A message that was sent to a webhook."""

    @property
    def id(self) -> str: ...


class Tried(Protocol):
    """How sending it went."""

    @property
    def status(self) -> int | None: ...

    @property
    def failure(self) -> Exception | None: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """The services, each with the access that it is asked with."""

    client: httpx.AsyncClient
    twilio_api_base_url: str
    openai_base_url: str
    try_webhook: Callable[[str, WebhookConf], Awaitable[tuple[Sent, Tried]]]
    http_tools: HttpTools
    within_s: float = 5.0
    """One request may take so long."""

    def twilio(self, account: TwilioCoreConf) -> TwilioRest:
        """REST access to that account."""
        return TwilioRest(self.client, account, base_url=self.twilio_api_base_url, carrier_s=self.within_s)

    async def models(self, account: OpenAICoreConf) -> list[ListedModel]:
        """The models that the account sees; raises `SessionUnavailable`."""
        return await list_models(self.client, account, base_url=self.openai_base_url, within_s=self.within_s)
