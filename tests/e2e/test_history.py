"""A session that goes on with a conversation that another one began."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from app.conf.models import AgentConf, OpenAICoreConf
from app.openai import create_openai_realtime_session
from app.openai.session_config import compile_session
from app.realtime.history import HistoryItem, Spoken, ToolAnswered, ToolAsked
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI

ASKED = ToolAsked("call_1", "prices", '{"of":"bread"}')
STORY: list[HistoryItem] = [
    Spoken("agent", "Hello, this is the bakery."),
    Spoken("caller", "What does a loaf cost?"),
    ASKED,
]


@contextlib.asynccontextmanager
async def session_with(history: list[HistoryItem]) -> AsyncIterator[tuple[Any, Any, ScriptedBrain]]:
    """Our sender, the server's session, and the brain that answers in it."""
    brain = ScriptedBrain([Reply.of(Say.words("Six euros."))])
    async with SandboxOpenAI(brain, speed=20) as openai:
        key = OpenAICoreConf.model_validate({"openai_api_key": openai.api_key})
        sender, receiver = await create_openai_realtime_session(
            compile_session(AgentConf()), key, base_url=openai.realtime_url, history=history
        )
        reading = asyncio.create_task(_read(receiver))
        yield sender, await openai.session(), brain
        await sender.close()
        await reading


async def test_the_conversation_is_put_back_in_order_and_nothing_is_said():
    done = [*STORY, ToolAnswered("call_1", "six euros"), Spoken("agent", "Six euros.")]
    async with session_with(done) as (_, session, _brain):
        await session.wait_for(lambda session: session.sent.count("conversation.item.added") == len(done))
        items = [entry.item for entry in session.conversation]

    assert [(item["type"], item.get("role")) for item in items] == [
        ("message", "assistant"),
        ("message", "user"),
        ("function_call", None),
        ("function_call_output", None),
        ("message", "assistant"),
    ]
    assert items[0]["content"] == [{"type": "output_text", "text": "Hello, this is the bakery."}]
    assert items[1]["content"] == [{"type": "input_text", "text": "What does a loaf cost?"}]
    assert (items[2]["call_id"], items[2]["arguments"]) == ("call_1", '{"of":"bread"}')
    assert items[3]["output"] == "six euros"
    assert "error" not in session.sent
    assert "response.created" not in session.sent


async def test_the_output_of_a_tool_that_still_ran_is_voiced_by_the_new_session():
    async with session_with(STORY) as (sender, session, brain):
        await sender.send_tool_response("call_1", "prices", "six euros")
        await session.wait_for("response.done")

    assert [output.output for output in brain.heard[0].outputs] == ["six euros"]
    assert session.sent.count("response.created") == 1
    assert "error" not in session.sent


async def _read(receiver: Any) -> None:
    async for _ in receiver:
        pass
