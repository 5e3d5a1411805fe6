import asyncio
import base64
from dataclasses import replace

import pytest

from app.errors import DatabaseError, Refused
from app.timing import Deadlines
from app.twilio.tokens import StreamTokens, Ticket
from tests.unit.twilio.accounts import CALL, OURS, THEIRS

TICKET = Ticket("call-1", CALL, OURS, "+15551234567", "+15557654321", "default", 3, "+15550000000")
KEY = "k" * 32


class World:
    """A process: its clocks, and the claims that all processes share."""

    def __init__(self, keys: tuple[str, ...] = (KEY,), claims: set[str] | None = None) -> None:
        self.monotonic_ms = 1000.0
        self.wall_s = 1_800_000_000.0
        self.claims = set() if claims is None else claims
        self.trouble: Exception | None = None
        self.tokens = StreamTokens(
            keys,
            deadlines=Deadlines(token_s=60, claim_row_s=0.01),
            claim_row=self.claim,
            now_ms=lambda: self.monotonic_ms,
            wall_s=lambda: self.wall_s,
        )

    async def claim(self, nonce: str, _ticket: Ticket) -> bool:
        if self.trouble:
            raise self.trouble
        fresh = nonce not in self.claims
        self.claims.add(nonce)
        return fresh

    async def redeem(self, parameters: dict[str, str], call_sid: str = CALL, account_sid: str = OURS) -> Ticket:
        return await self.tokens.redeem(parameters, call_sid=call_sid, account_sid=account_sid)


async def test_a_token_carries_everything_another_replica_needs():
    claims: set[str] = set()

    assert await World(claims=claims).redeem(World(claims=claims).tokens.mint(TICKET)) == TICKET


async def test_a_token_is_used_once():
    world = World()
    parameters = world.tokens.mint(TICKET)
    await world.redeem(parameters)

    with pytest.raises(Refused, match="used before"):
        await world.redeem(parameters)


async def test_a_token_is_used_once_in_all_replicas():
    claims: set[str] = set()
    one, two = World(claims=claims), World(claims=claims)
    parameters = one.tokens.mint(TICKET)
    await two.redeem(parameters)

    with pytest.raises(Refused, match="used before"):
        await one.redeem(parameters)


@pytest.mark.parametrize("trouble", [DatabaseError("away"), OSError("reset"), TimeoutError()])
async def test_with_the_database_away_our_own_memory_stands_alone(trouble: Exception):
    world = World()
    world.trouble = trouble
    parameters = world.tokens.mint(TICKET)

    assert await world.redeem(parameters) == TICKET
    with pytest.raises(Refused, match="used before"):
        await world.redeem(parameters)


async def test_a_database_that_hangs_keeps_no_caller_waiting():
    world = World()

    async def hang(_nonce: str, _ticket: Ticket) -> bool:
        await asyncio.Event().wait()
        return False

    world.tokens._claim_row = hang
    async with asyncio.timeout(1):
        assert await world.redeem(world.tokens.mint(TICKET)) == TICKET


async def test_a_claim_that_is_slow_to_be_given_up_keeps_no_caller_waiting_either():
    """A driver that ends a query first asks the server to, which may hang just as long."""
    server_answers = asyncio.Event()

    async def claim(_nonce: str, _ticket: Ticket) -> bool:
        try:
            await asyncio.Event().wait()
        finally:
            await server_answers.wait()
        return True

    tokens = StreamTokens([KEY], deadlines=Deadlines(claim_row_s=0.01), claim_row=claim)
    try:
        async with asyncio.timeout(1):
            assert await tokens.redeem(tokens.mint(TICKET), call_sid=CALL, account_sid=OURS) == TICKET
    finally:
        server_answers.set()


@pytest.mark.parametrize(("call_sid", "account_sid"), [("CA" + "2" * 32, OURS), (CALL, THEIRS)])
async def test_a_token_of_another_call_is_refused_and_stays_unused(call_sid: str, account_sid: str):
    world = World()
    parameters = world.tokens.mint(TICKET)

    with pytest.raises(Refused, match="another call"):
        await world.redeem(parameters, call_sid, account_sid)
    assert await world.redeem(parameters) == TICKET


async def test_a_token_expires():
    world = World()
    parameters = world.tokens.mint(TICKET)
    world.monotonic_ms += 60_000

    with pytest.raises(Refused, match="expired"):
        await world.redeem(parameters)


async def test_a_jump_of_the_wall_clock_neither_kills_nor_revives_our_tokens():
    world = World()
    fresh, old = world.tokens.mint(TICKET), world.tokens.mint(TICKET)
    world.wall_s += 3600
    assert await world.redeem(fresh) == TICKET

    world.wall_s -= 7200
    world.monotonic_ms += 60_000
    for parameters in (fresh, old):
        with pytest.raises(Refused):
            await world.redeem(parameters)


async def test_a_token_of_another_replica_expires_too():
    other, here = World(), World()
    parameters = other.tokens.mint(TICKET)
    here.wall_s += 60

    with pytest.raises(Refused, match="expired"):
        await here.redeem(parameters)


async def test_a_rotated_key_still_verifies_and_a_foreign_one_does_not():
    old, rotated, foreign = World((KEY,)), World(("n" * 32, KEY)), World(("f" * 32,))
    parameters = old.tokens.mint(TICKET)

    with pytest.raises(Refused, match="not ours"):
        await foreign.redeem(parameters)
    with pytest.raises(Refused, match="not ours"):
        await old.redeem(rotated.tokens.mint(TICKET))
    assert await rotated.redeem(parameters) == TICKET


@pytest.mark.parametrize("text", ["", "x", "a.b", "e30.e30", "é.é", "." * 1000])
async def test_what_is_no_token_is_refused(text: str):
    with pytest.raises(Refused):
        await World().redeem({"token": text})
    with pytest.raises(Refused, match="no token"):
        await World().redeem({})


async def test_one_altered_character_spoils_a_token():
    world = World()
    text = world.tokens.mint(TICKET)["token"]

    with pytest.raises(Refused, match="not ours"):
        await world.redeem({"token": ("B" if text[5] != "B" else "C").join((text[:5], text[6:]))})


async def test_a_long_ticket_travels_in_several_parameters_that_twilio_takes():
    world = World()
    ticket = replace(TICKET, agent="ü" * 100, from_number="sip:" + "ä" * 250, to_number="sip:" + "ö" * 250)
    parameters = world.tokens.mint(ticket)

    assert len(parameters) > 1
    assert all(len(value) < 500 for value in parameters.values())
    assert await world.redeem(parameters) == ticket


async def test_memory_holds_only_the_tokens_that_still_count():
    world = World()
    for _ in range(100):
        await world.redeem(world.tokens.mint(TICKET))
        world.tokens.mint(TICKET)
        world.monotonic_ms += 10_000

    assert len(world.tokens._used._until_ms) + len(world.tokens._unused._until_ms) < 20


async def test_who_brings_a_token_cannot_read_it():
    told = replace(TICKET, variables={"name": "Ann Miller"})
    parameters = World().tokens.mint(told)
    words = "".join(parameters.values())
    opened = base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))

    for secret in (TICKET.from_number, "Ann Miller"):
        assert secret not in words
        assert secret.encode() not in opened
    assert (await World().redeem(parameters)).variables == {"name": "Ann Miller"}
