"""Does an agent look where there is something?"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import db_session
from app.db.knowledge import collections_with_documents


async def empty_collections(engine: AsyncEngine, agent: Mapping[str, Any]) -> list[str]:
    """A warning for each collection that an agent looks in and that has no document yet."""
    tools = [tool for tool in agent["tools"] if tool["type"] == "query_knowledge"]
    if not tools:
        return []
    async with db_session(engine) as db:
        there = await collections_with_documents(db)
    empty = [(tool["name"], each) for tool in tools for each in tool["collections"] if each not in there]
    return [f"tools: {name} looks in the collection {each!r}, which has no document" for name, each in empty]
