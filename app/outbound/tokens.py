"""How Twilio's webhooks about a call that we placed know its request: a sealed word in their addresses' query."""

import base64
import hmac
from collections.abc import Sequence
from uuid import UUID

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PARAMETER = "outbound"
MOST_VARIABLE_BYTES = 1000
"""More of them are left in the database: an address should not grow without end."""
_SALT = b"parley.outbound"


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
    """Seals tickets, and opens those that it or another replica has sealed; addresses end up in logs."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._seal = MultiFernet([_cipher(key) for key in keys])  # the first seals, all open

    def sign(self, ticket: OutboundTicket) -> str:
        """The ticket as a word that may stand in a query."""
        variables = ticket.variables
        if variables is not None and len(msgspec.json.encode(variables)) > MOST_VARIABLE_BYTES:
            ticket = msgspec.structs.replace(ticket, variables=None)
        return self._seal.encrypt(msgspec.json.encode(ticket)).decode().rstrip("=")

    def read(self, token: str) -> OutboundTicket | None:
        """The ticket; None for a word that is none of ours."""
        try:
            return msgspec.json.decode(self._seal.decrypt(token + "=" * (-len(token) % 4)), type=OutboundTicket)
        except (InvalidToken, msgspec.DecodeError):
            return None


def _cipher(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), _SALT, "sha256")))
