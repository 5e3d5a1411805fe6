"""How Twilio's webhooks about a call that we placed know its request: a signed word in their addresses' query."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer

PARAMETER = "outbound"
MOST_VARIABLE_BYTES = 1000
"""More of them are left in the database: an address should not grow without end."""
_SALT = "parley.outbound"


class OutboundTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook about an outbound call needs while the database may be away."""

    request_id: UUID
    attempt: int
    """Which try to place the call this is."""
    agent: str
    recorded: bool = False
    """Whether Twilio records the call from its answer on."""
    variables: dict[str, str] | None = None
    """The request's variables; None where they are too many for an address, and only the database has them."""


class OutboundTokens:
    """Signs tickets, and reads those that it or another replica has signed."""

    def __init__(self, keys: Sequence[str]) -> None:
        # the first key signs and all verify; itsdangerous wants the signing key last
        kept = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._serializer = URLSafeSerializer(list(reversed(keys)), salt=_SALT, signer_kwargs=kept)

    def sign(self, ticket: OutboundTicket) -> str:
        """The ticket as a word that may stand in a query."""
        variables = ticket.variables
        if variables is not None and len(msgspec.json.encode(variables)) > MOST_VARIABLE_BYTES:
            ticket = msgspec.structs.replace(ticket, variables=None)
        return str(self._serializer.dumps(msgspec.to_builtins(ticket)))

    def read(self, token: str) -> OutboundTicket | None:
        """The ticket; None for a word that is none of ours."""
        try:
            return msgspec.convert(self._serializer.loads(token), OutboundTicket)
        except (BadSignature, msgspec.ValidationError):
            return None
