from collections.abc import AsyncIterator

import pytest

from app.sandbox.twilio import SandboxTwilio
from tests.unit.sandbox.twilio.tiny_server import TOKEN, TinyServer, tiny_server

ACCOUNT = "AC" + "0" * 32
STREAM = '<Connect><Stream url="STREAM"><Parameter name="agent" value="support"/></Stream></Connect>'


@pytest.fixture
async def server() -> AsyncIterator[TinyServer]:
    async with tiny_server() as server:
        server.answer("/voice", STREAM)
        yield server


@pytest.fixture
async def twilio(server: TinyServer) -> AsyncIterator[SandboxTwilio]:
    async with SandboxTwilio(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        voice_url=f"{server.origin}/voice",
        fallback_url=f"{server.origin}/fallback",
        status_url=f"{server.origin}/status",
        speed=20,
    ) as twilio:
        yield twilio
