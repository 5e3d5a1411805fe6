"""The tool `query_knowledge`: what the model is told."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.tools.tool_calls import Asked
from app.call.tools.tool_tasks import ToolTasks
from app.conf.models import QueryKnowledgeTool
from app.db.engine import create_engine
from app.errors import ToolError
from app.tools.knowledge import MOST_BYTES, WITHIN_S, query_knowledge
from tests.db.test_knowledge import SHOP, keep


async def answered(engine: AsyncEngine, query: str, *, within_s: float = WITHIN_S, **options) -> str:
    asked = Asked("call_1", QueryKnowledgeTool(type="query_knowledge", **options), {"query": query})
    async with ToolTasks() as tasks:
        return await query_knowledge(engine, tasks, asked, within_s=within_s)


async def test_the_model_gets_passages_with_their_sources(engine: AsyncEngine):
    await keep(engine, SHOP)
    told = json.loads(await answered(engine, "May I return worn shoes?"))
    assert told["passages"][0] == {
        "source": "guide.md",
        "section": "Shop guide > Returns",
        "text": "You may return anything within 30 days. Shoes must not have been worn.",
    }
    assert "do not know" in told["note"]


async def test_where_nothing_is_found_the_model_is_told_not_to_invent_it(engine: AsyncEngine):
    await keep(engine, SHOP)
    for question in ("quantum chromodynamics", "?!", "the"):
        told = json.loads(await answered(engine, question))
        assert told["passages"] == []
        assert "Do not make anything up" in told["note"]


async def test_an_agent_sees_its_own_collections_and_no_more_passages_than_it_may(engine: AsyncEngine):
    await keep(engine, "The secret price is 5.", name="a.txt", collection="internal")
    for number in range(4):
        await keep(engine, f"Price list {number}: the price is {number}.", name=f"{number}.txt", collection="shop")
    shop = json.loads(await answered(engine, "price", collections=["shop"], max_results=3))
    both = json.loads(await answered(engine, "price", collections=["shop", "internal"], max_results=20))
    assert len(shop["passages"]) == 3
    assert {each["source"] for each in shop["passages"]} < {each["source"] for each in both["passages"]}
    assert "a.txt" in {each["source"] for each in both["passages"]}


async def test_the_model_gets_no_more_than_it_reads_without_a_pause(engine: AsyncEngine):
    for number in range(20):
        await keep(engine, "Ünser Preis ist fair. " * 50, name=f"{number}.txt")
    said = await answered(engine, "preis", max_results=20)
    assert MOST_BYTES / 2 < len(said.encode()) < MOST_BYTES + 300


@asynccontextmanager
async def through_a_line_that_dies(engine: AsyncEngine) -> AsyncIterator[tuple[AsyncEngine, asyncio.Event]]:
    """An engine on the same database, behind a line that carries nothing any more once `dead` is set."""
    dead = asyncio.Event()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if not dead.is_set():
                writer.write(data)
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(engine.url.host, engine.url.port)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    async with await asyncio.start_server(carry, "127.0.0.1", 0) as server:
        url = make_url(engine.url).set(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        far = create_engine(url.render_as_string(hide_password=False))
        try:
            yield far, dead
        finally:
            await far.dispose()


async def test_a_database_that_is_away_or_says_nothing_is_an_answer_in_time(engine: AsyncEngine):
    nobody = create_engine("postgresql+asyncpg://parley:x@127.0.0.1:1/parley")
    with pytest.raises(ToolError, match="cannot be read now"):
        await answered(nobody, "price")

    await keep(engine, SHOP)
    async with through_a_line_that_dies(engine) as (far, dead), ToolTasks() as tasks:
        assert "Shop guide" in await answered(far, "shoes")
        dead.set()
        asked = Asked("call_1", QueryKnowledgeTool(type="query_knowledge"), {"query": "shoes"})
        began = time.monotonic()
        with pytest.raises(ToolError, match="cannot be read now"):
            await query_knowledge(far, tasks, asked, within_s=0.2)
        assert time.monotonic() - began < 1
        async with asyncio.timeout(5):
            while tasks.running:  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0.01)
