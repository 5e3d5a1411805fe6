import asyncio

from fastapi import FastAPI, Request
from starlette.types import Message

from app.web.limits import BodyLimits
from tests.unit.twilio.accounts import sign
from tests.unit.web.house import ORIGIN, House, webhook_fields

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_a_body_over_a_mebibyte_is_refused(house: House):
    response = await house.request("POST", "/twilio/voice", content=b"a=" + b"x" * (1 << 20), headers=FORM)

    assert response.status_code == 413


async def test_a_body_of_a_mebibyte_is_read(house: House):
    fields = webhook_fields()
    size = 1 << 20
    fields["Filler"] = "x" * (size - 2000)
    signature = sign(f"{ORIGIN}/twilio/voice", fields)

    assert (await house.post("/twilio/voice", fields, signature=signature)).status_code == 200


async def test_a_body_that_drips_is_given_up():
    app = FastAPI()
    app.add_middleware(BodyLimits, body_s=0.02)

    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    pieces: asyncio.Queue[Message] = asyncio.Queue()
    await pieces.put({"type": "http.request", "body": b"a=", "more_body": True})
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    async with asyncio.timeout(2):
        await app(scope, pieces.get, send)

    assert sent[0]["status"] == 408
