"""A web tool on real sockets: within its time, again where that is safe, and never with our secrets in an answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import Any

import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from app.call.tools.tool_calls import Asked, Handler
from app.conf.models import HttpTool
from app.conf.models.webhooks import new_webhook_secret
from app.egress.clients import GuardedClients
from app.errors import ToolError
from app.tools.http.run import CallContext, HttpTools, Tried
from tests.receiver import Receiver, receiver
from tests.unit.tools.http.shop import tool, values

JSON = "content-type: application/json\r\n"


@asynccontextmanager
async def tools(default_s: float = 5) -> AsyncIterator[tuple[HttpTools, list[float]]]:
    """The tools of a process, and how long they paused between tries."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with GuardedClients(timeout_s=30) as clients:
        yield HttpTools(clients, default_s, sleep=pause), pauses


def local(server: Receiver, **fields: Any) -> HttpTool:
    return tool(url=server.url, allow_private=["127.0.0.1"], **fields)


async def tried(made: HttpTool, default_s: float = 5) -> tuple[Tried, list[float]]:
    async with tools(default_s) as (all_tools, pauses):
        return await all_tools.use(made, values(order="7"), "key"), pauses


async def test_s10_a_call_asks_the_service_as_itself_and_its_answer_is_mapped() -> None:
    secret = new_webhook_secret()
    async with receiver("200 OK", headers=JSON, body='{{"state": "sent"}}') as shop, tools() as (all_tools, _):
        handler = all_tools.handler(
            CallContext(id="c1", caller="+1", called="+2", agent="sales", digits=lambda: {"pin": "1234"})
        )
        body = {"order": "{{args.order}}", "pin": "{{digits.pin}}", "call": "{{call.id}}", "shop": "{{shop}}"}
        made = local(shop, body=body, signing_secret=secret, output={"pointer": "/state"}).with_variables({"shop": "7"})

        assert await handler(Asked("call_1", made, {"order": "A"})) == "sent"
        assert await handler(Asked("call_1", made, {"order": "A"})) == "sent"
        assert await handler(Asked("call_2", made, {"order": "A"})) == "sent"

        first, again, other = shop.received
        assert first.verified(secret) == {"order": "A", "pin": "1234", "call": "c1", "shop": "7"}
        keys = [each.headers["idempotency-key"] for each in (first, again, other)]
        assert keys[0] == keys[1] != keys[2]


async def test_s22_two_calls_that_use_one_tool_at_once_know_nothing_of_each_other() -> None:
    def of_call(each: str) -> CallContext:
        return CallContext(id=each, caller=f"+{each}", called="+2", agent="sales", digits=lambda: {"pin": each * 4})

    async with receiver("200 OK", headers=JSON, body='"ok"') as shop, tools() as (all_tools, _):
        handlers = {each: all_tools.handler(of_call(each)) for each in "123456"}
        body = {"id": "{{call.id}}", "from": "{{call.caller}}", "pin": "{{digits.pin}}", "name": "{{name}}"}
        made = local(shop, body=body)
        asked = {each: Asked("call_1", made.with_variables({"name": each}), {}) for each in handlers}
        await asyncio.gather(*[handler(asked[each]) for each, handler in handlers.items()])

        told = sorted((msgspec.json.decode(each.body) for each in shop.received), key=itemgetter("id"))
        assert told == [{"id": each, "from": f"+{each}", "pin": each * 4, "name": each} for each in handlers]
        assert len({each.headers["idempotency-key"] for each in shop.received}) == len(handlers)


@pytest.mark.parametrize("failure", ["500 Oh", "503 Busy", "429 Slow"])
async def test_f32_what_failed_is_asked_again_under_the_same_key_only_where_that_is_declared_safe(failure: str) -> None:
    async with receiver(failure, failure, "200 OK", headers=JSON, body="[7]") as shop:
        once, _ = await tried(local(shop))
        assert (once.tries, once.status) == (1, int(failure[:3]))
        assert "The service failed" in str(once.error)

        again, pauses = await tried(local(shop, retries=2))
        assert (again.output, again.tries, pauses) == ("[7]", 2, [0.2])
        assert {each.headers["idempotency-key"] for each in shop.received} == {"key"}


@pytest.mark.parametrize("failure", ["400 No", "404 None", "302 There"])
async def test_a_request_that_is_refused_is_not_repeated(failure: str) -> None:
    async with receiver(failure) as shop:
        refused, _ = await tried(local(shop, retries=3))
        assert (refused.tries, len(shop.received)) == (1, 1)


async def test_a_pause_that_the_service_asks_for_is_kept_or_there_is_no_other_try() -> None:
    async with receiver("429 Slow", "200 OK", headers="retry-after: 2\r\n") as shop:
        again, pauses = await tried(local(shop, retries=1))
        assert (again.output, pauses) == ("Done.", [2.0])
    async with receiver("429 Slow", headers="retry-after: 30\r\n") as shop:
        late, pauses = await tried(local(shop, retries=3))
        assert (late.tries, pauses) == (1, [])


@asynccontextmanager
async def odd(answer: Callable[[asyncio.StreamWriter], Any]) -> AsyncIterator[str]:
    """A server that answers every request in its own way."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"


async def test_f32_a_service_that_hangs_costs_the_tools_time_limit_and_no_more() -> None:
    over = asyncio.Event()

    async def hang(_: asyncio.StreamWriter) -> None:
        await over.wait()

    async with odd(hang) as url:
        began = asyncio.get_running_loop().time()
        late, _ = await tried(tool(url=url, allow_private=["127.0.0.1"], deadline_seconds=0.1, retries=3))
        assert str(late.error) == "The service did not answer in time."
        assert asyncio.get_running_loop().time() - began < 1
        own, _ = await tried(tool(url=url, allow_private=["127.0.0.1"]), default_s=0.1)
        assert str(own.error) == "The service did not answer in time."
        over.set()


async def test_f32_a_reset_is_an_error_in_words_without_addresses() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with odd(reset) as url:
        gone, _ = await tried(tool(url=url, allow_private=["127.0.0.1"]))
    assert str(gone.error) == "The service cannot be reached."
    away, _ = await tried(tool(url=url, allow_private=["127.0.0.1"]))
    assert str(away.error) == "The service cannot be reached."
    assert away.detail
    assert "does not take connections" in away.detail


async def test_s20_a_body_without_end_is_read_to_its_limit_only() -> None:
    written = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            written += 65_536
            await writer.drain()

    async with odd(pour) as url:
        long, _ = await tried(tool(url=url, allow_private=["127.0.0.1"], max_response_bytes=100_000))
    assert str(long.error) == "The service's answer is longer than 100000 bytes."
    assert written < 20_000_000


async def test_s12_secrets_come_back_in_no_answer_and_stand_in_no_log_line() -> None:
    secret = new_webhook_secret()
    echo = '{{"you sent": "shop-key-123456789 of {signature}", "key": "' + secret[6:] + '"}}'
    headers = {"authorization": "Bearer shop-key-123456789", "x-short": "en", "accept": "application/json"}
    made = {"headers": headers, "signing_secret": secret}
    async with receiver("200 OK", "400 No", headers=JSON, body=echo) as shop, tools() as (all_tools, _):
        structlog.reset_defaults()
        with capture_logs() as lines:
            fine = await all_tools.use(local(shop, **made), values(), "key")
            failed = await all_tools.use(local(shop, **made), values(), "key")

    for told in (fine.output, str(failed.error), str(lines), repr(failed)):
        assert "shop-key" not in told
        assert secret[6:] not in told
    assert '"you sent": "*** of v1,' in fine.output
    assert [line["event"] for line in lines] == ["http_tool_answered", "http_tool_failed"]
    assert "you sent" not in str(lines)


async def test_a_tool_that_is_cancelled_leaves_no_connection_behind() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    async with server, tools() as (all_tools, _):
        run = asyncio.create_task(
            all_tools.use(tool(url=url, allow_private=["127.0.0.1"], method="GET"), values(), "k")
        )
        await asked.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        async with asyncio.timeout(2):
            await gone.wait()


async def test_a_connection_is_made_once_for_many_uses_of_a_tool() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok")
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made = tool(
        url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x", allow_private=["127.0.0.1"], method="GET"
    )
    async with server, tools() as (all_tools, _):
        assert [(await all_tools.use(made, values(), "k")).output for _ in range(3)] == ["ok"] * 3
        assert connections == 1
        other = made.model_copy(update={"allow_private": ["127.0.0.0/8"]})
        assert (await all_tools.use(other, values(), "k")).output == "ok"
        assert connections == 2


async def test_values_that_make_no_request_are_an_answer_for_the_model() -> None:
    async with tools() as (all_tools, _):
        handler: Handler = all_tools.handler(CallContext(id="c", caller="", called="", agent="a"))
        with pytest.raises(ToolError, match="needs a value for order"):
            await handler(Asked("1", tool(url="https://shop.example.com/{{args.order}}", method="GET"), {}))
