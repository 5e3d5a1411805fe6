"""Stream tokens: the ticket that the voice webhook gives a call for its media socket.

Sealed, bound to one call, short-lived, and used once: in this process's memory, and across replicas by a claim
that the database grants. It carries what another replica needs to serve the stream, which is nothing for the logs of
the carrier that brings it: only we can read it.
"""

import asyncio
import base64
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.errors import DatabaseError, Refused
from app.timing import Clock, Deadlines, clock
from app.twilio.twiml import PARAMETER_CHARACTERS

PARAMETER = "token"
_SALT = b"parley.stream-token"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a stream token says: which call it admits, who is on the line, and who answers."""

    call_id: str
    call_sid: str
    account_sid: str
    from_number: str
    to_number: str
    agent: str
    agent_version: int
    fallback_number: str | None = None
    attempt: int = 0
    """How often this call's stream was lost before."""
    variables: dict[str, str] = field(default_factory=dict)
    """What came from outside for the agent's texts, with this call."""
    variables_missing: tuple[str, ...] = ()
    """Which of the agent's variables had no value."""
    precall_failed: str | None = None
    """What the pre-call webhook could not tell, and why."""
    direction: Literal["inbound", "outbound"] = "inbound"
    rejoins: bool = False
    """Whether the stream brings a caller back to that live call, and is no call of its own."""
    placed: str | None = None
    """The word by which webhooks of a call that we placed know its request."""


class _Token(msgspec.Struct, array_like=True):
    nonce: str
    minter: str
    expires_s: float
    ticket: Ticket


ClaimRow = Callable[[str, Ticket], Awaitable[bool]]
"""Whether this nonce was never claimed before, in any replica; raises `DatabaseError` when nobody can tell."""


class StreamTokens:
    """Mints tokens and redeems each of them once.

    A token of this process ages by the monotonic clock; only one of another replica needs the wall clock.
    """

    def __init__(
        self,
        keys: Sequence[str],
        *,
        deadlines: Deadlines,
        claim_row: ClaimRow,
        now_ms: Clock | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._seal = MultiFernet([_cipher(key) for key in keys])  # the first seals, all open
        self._token_s = deadlines.token_s
        self._claim_row_s = deadlines.claim_row_s
        self._claim_row = claim_row
        self._now_ms = now_ms or clock()
        self._wall_s = wall_s
        self._minter = secrets.token_urlsafe(8)
        self._unused = _Remembered()
        self._used = _Remembered()
        self._claims: set[asyncio.Future[bool]] = set()

    def mint(self, ticket: Ticket) -> dict[str, str]:
        """A fresh token as stream parameters; a long one travels in several."""
        nonce = secrets.token_urlsafe(16)
        token = _Token(nonce, self._minter, self._wall_s() + self._token_s, ticket)
        self._unused.add(nonce, self._now_ms(), self._token_s)
        text = self._seal.encrypt(msgspec.json.encode(token)).decode()
        return {
            f"{PARAMETER}{start // PARAMETER_CHARACTERS or ''}": text[start : start + PARAMETER_CHARACTERS]
            for start in range(0, len(text), PARAMETER_CHARACTERS)
        }

    async def redeem(self, parameters: Mapping[str, str], *, call_sid: str, account_sid: str) -> Ticket:
        """The ticket, once; raises `Refused` for a token that is not ours, not this call's, too old or used."""
        token = self._read(parameters)
        if (token.ticket.call_sid, token.ticket.account_sid) != (call_sid, account_sid):
            raise Refused("the token belongs to another call")
        self._use(token)
        if not await self._first_of_all(token):
            raise Refused("the token was used before")
        return token.ticket

    def _read(self, parameters: Mapping[str, str]) -> _Token:
        text = "".join(parameters.get(f"{PARAMETER}{n or ''}", "") for n in range(len(parameters)))
        if not text:
            raise Refused("no token")
        try:
            return msgspec.json.decode(self._seal.decrypt(text.encode()), type=_Token)
        except (InvalidToken, msgspec.DecodeError):
            raise Refused("the token is not ours") from None

    def _use(self, token: _Token) -> None:
        now_ms = self._now_ms()
        self._unused.forget_expired(now_ms)
        self._used.forget_expired(now_ms)
        if token.nonce in self._used:
            raise Refused("the token was used before")
        ours = token.minter == self._minter
        if token.nonce not in self._unused if ours else self._wall_s() >= token.expires_s:
            raise Refused("the token has expired")
        self._unused.discard(token.nonce)
        self._used.add(token.nonce, now_ms, self._token_s)

    async def _first_of_all(self, token: _Token) -> bool:
        """Whether no replica redeemed it before; with the database away our own memory stands alone.

        A claim that takes too long is not awaited to its end: giving up a query takes seconds where the database hangs.
        """
        claim = asyncio.ensure_future(self._claim_row(token.nonce, token.ticket))
        self._claims.add(claim)
        claim.add_done_callback(self._forget)
        try:
            await asyncio.wait([claim], timeout=self._claim_row_s)
            return claim.result() if claim.done() else True
        except (DatabaseError, OSError):  # a TimeoutError is an OSError
            return True
        finally:
            claim.cancel()

    def _forget(self, claim: asyncio.Future[bool]) -> None:
        self._claims.discard(claim)
        if not claim.cancelled():
            claim.exception()  # perhaps nobody is left to ask for it, and asyncio would complain


def _cipher(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), _SALT, "sha256")))


class _Remembered:
    """Nonces of the last minute or so, in the order in which they are forgotten."""

    def __init__(self) -> None:
        self._until_ms: dict[str, float] = {}

    def __contains__(self, nonce: str) -> bool:
        return nonce in self._until_ms

    def add(self, nonce: str, now_ms: float, life_s: float) -> None:
        self.forget_expired(now_ms)
        self._until_ms[nonce] = now_ms + life_s * 1000

    def discard(self, nonce: str) -> None:
        self._until_ms.pop(nonce, None)

    def forget_expired(self, now_ms: float) -> None:
        while self._until_ms:
            oldest = next(iter(self._until_ms))
            if self._until_ms[oldest] > now_ms:
                return
            del self._until_ms[oldest]
