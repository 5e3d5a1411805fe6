"""The agent looks for an answer in uploaded documents."""

import json
from collections.abc import Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.tools.tool_calls import Asked
from app.call.tools.tool_tasks import ToolTasks
from app.conf.models import QueryKnowledgeTool
from app.db.engine import db_session
from app.db.knowledge_search import Passage, search
from app.errors import DatabaseError, ToolError

WITHIN_S = 2.0
MOST_BYTES = 6000
"""What a model reads without a pause that the caller would hear."""
FOUND = "Answer from these passages only, in your own words. Where they do not answer, say that you do not know."
NOTHING = (
    "Nothing was found in the documents. Ask once more in other words if that may help; else say that you do not "
    "know. Do not make anything up."
)
AWAY = "The documents cannot be read now. Say so, and do not make anything up."

_log = structlog.stdlib.get_logger(__name__)


async def query_knowledge(engine: AsyncEngine, tasks: ToolTasks, asked: Asked, *, within_s: float = WITHIN_S) -> str:
    """The passages that fit the question best, each with its source, as JSON. Raises `ToolError`.

    In a task of its own: a connection whose other end is gone takes two more seconds to be given up.
    """
    try:
        return await tasks.run(asked.tool.name, _answered(engine, asked), within_s=within_s, finishes=False)
    except (DatabaseError, TimeoutError) as error:
        _log.warning("knowledge_away", reason=str(error) or "the database does not answer")
        raise ToolError(AWAY) from None


async def _answered(engine: AsyncEngine, asked: Asked) -> str:
    tool = asked.tool
    assert isinstance(tool, QueryKnowledgeTool)  # noqa: S101 - the toolbox goes by the type
    async with db_session(engine) as db:
        return answer(await search(db, tool.collections, asked.arguments["query"], tool.max_results))


def answer(passages: Sequence[Passage]) -> str:
    """What the model is told: as many of the passages as it should read."""
    shown: list[dict[str, str]] = []
    for passage in passages:
        told = {"source": passage.name, "section": passage.heading, "text": passage.text}
        if shown and len(_json(shown) + _json(told)) > MOST_BYTES:
            break
        shown.append(told)
    return _json({"passages": shown, "note": FOUND if shown else NOTHING}).decode()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
