"""Who is told of what happens: the operator's own servers."""

import base64
import binascii
import secrets
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from app.conf.models.base import Conf, RowName
from app.egress.addresses import AllowList
from app.egress.urls import check_url
from app.errors import EgressRefused

SECRET_PREFIX = "whsec_"  # noqa: S105 (it says what follows)
SECRET_BYTES = range(24, 65)
"""How long the standard lets a secret be."""
_KEPT_FORMS = ("v1:", "****")
"""A secret as the database has it, and as it is shown."""


class MessageKind(StrEnum):
    """Every kind of message."""

    CALL_STARTED = "call.started"
    CALL_ENDED = "call.ended"
    CALL_FAILED = "call.failed"
    MESSAGE_TAKEN = "message.taken"
    """A caller left a message for the team."""
    RECORDING_READY = "recording.ready"
    TRANSCRIPT_READY = "transcript.ready"
    VOICEMAIL_RECEIVED = "voicemail.received"
    """A caller has left a message; its recording and transcript follow."""
    KEY_REJECTED = "system.key_rejected"
    """A provider refuses one of our keys."""
    QUOTA = "system.quota"
    """A provider's account has nothing left."""
    JOBS_STUCK = "system.jobs_stuck"
    MODEL_RETIRING = "system.model_retiring"


def new_webhook_secret() -> str:
    """A fresh secret; whoever makes one shows it to the operator, once."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _is_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text.startswith(_KEPT_FORMS):
        return secret
    try:
        fits = len(base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)) in SECRET_BYTES
    except (binascii.Error, ValueError):
        fits = False
    if not fits or not text.startswith(SECRET_PREFIX):
        raise ValueError(f"a secret is {SECRET_PREFIX} and 24 to 64 bytes in base64; `parley webhooks add` makes one")
    return secret


def _is_pattern(pattern: str) -> str:
    if pattern != "*" and not any(_fits(kind, pattern) for kind in MessageKind):
        raise ValueError(f"no such event; there are: {', '.join(MessageKind)}, and patterns like call.* or *")
    return pattern


def _fits(kind: str, pattern: str) -> bool:
    return pattern in {"*", kind} or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def _is_allowable(entry: str) -> str:
    AllowList([entry])
    return entry


Secret = Annotated[SecretStr, AfterValidator(_is_secret)]
Allowable = Annotated[str, AfterValidator(_is_allowable)]
"""A network, an address or a host."""


def too_wide(allowed: list[str]) -> list[str]:
    """What the writer of such a list may not expect of its networks."""
    told = "lets in much more than a network of one's own: whoever names an address there is led inside"
    return [f"{network} {told}" for network in AllowList(allowed).widest]


class SignedServer(Conf):
    """A server of the operator's that knows our messages by their signature."""

    url: str
    """https; http only for an address in `allow_private`."""
    secret: Secret
    """Signs every message (Standard Webhooks); `parley webhooks add` makes one and shows it once."""
    allow_private: list[Allowable] = Field(default_factory=list)
    """Networks, addresses and hosts off the public internet that this one may lead to."""

    @property
    def doubts(self) -> list[str]:
        """What its writer may not expect."""
        return [f"allow_private: {text}" for text in too_wide(self.allow_private)]

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        try:
            check_url(self.url, allow=self.allow_private)
        except EgressRefused as error:
            raise ValueError(f"url: {error}") from None
        return self


class WebhookConf(SignedServer):
    """A server that is told of events, and which."""

    previous_secrets: Annotated[list[Secret], Field(max_length=3)] = Field(default_factory=list)
    """They sign as well, while a receiver changes from one secret to the next."""
    events: Annotated[list[Annotated[str, AfterValidator(_is_pattern)]], Field(min_length=1)] = Field(
        default_factory=lambda: ["*"]
    )
    """Kinds of message, or patterns like `call.*`."""
    agents: Annotated[list[RowName], Field(min_length=1)] | None = None
    """Only what concerns these agents; messages that concern none come all the same."""
    enabled: bool = True

    def wants(self, kind: str, agent: str | None) -> bool:
        """Whether a message of that kind, about that agent, goes there."""
        concerned = self.agents is None or agent is None or agent in self.agents
        return self.enabled and concerned and any(_fits(kind, pattern) for pattern in self.events)


class PrecallConf(SignedServer):
    """A server that is asked before each call for the values of variables, and perhaps for another agent.

    It gets `call_sid`, `from`, `to`, `agent` and `direction`, and answers `{"variables": {…}, "agent": "…"}`.
    """

    secret: Secret
    """Signs every request (Standard Webhooks)."""
    timeout_ms: Annotated[int, Field(ge=100, le=1800)] = 1500
    """The caller hears it ring so long at most; then the call goes on without."""
