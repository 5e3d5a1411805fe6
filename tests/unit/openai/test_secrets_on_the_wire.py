"""An MCP server's secrets reach OpenAI, and nobody else."""

from app.conf.models import AgentConf, OpenAICoreConf
from app.openai import create_openai_realtime_session
from app.openai.realtime import OpenAIProvider
from app.openai.session_config import compile_session
from app.realtime.session import Tool
from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI

SECRET = "mcp-token-of-the-shop"
AGENT = AgentConf.model_validate(
    {
        "tools": [
            {
                "type": "mcp",
                "server_label": "shop",
                "server_url": "https://shop.example.com/mcp",
                "authorization": SECRET,
                "headers": {"X-Shop": SECRET},
            }
        ]
    }
)


async def test_r1_21_r1_46_they_are_sent_at_the_start_and_with_every_change_of_tools():
    async with SandboxOpenAI(ScriptedBrain([])) as openai:
        key = OpenAICoreConf.model_validate({"openai_api_key": openai.api_key})
        sender, _ = await create_openai_realtime_session(compile_session(AGENT), key, base_url=openai.realtime_url)
        await sender.update(tools=[Tool("clock", "The time.", {"type": "object", "properties": {}})])
        session = await openai.session()
        await session.wait_for(lambda session: len(_updates(session)) == 2)
        await sender.close()

    for update in _updates(session):
        [shop] = [tool for tool in update["session"]["tools"] if tool["type"] == "mcp"]
        assert (shop["authorization"], shop["headers"]) == (SECRET, {"X-Shop": SECRET})


def test_r1_46_they_are_not_in_what_is_kept_with_the_call():
    provider = OpenAIProvider(lambda _: OpenAICoreConf.model_validate({"openai_api_key": "sk-x"}))
    assert SECRET not in str(provider.compile(AGENT))
    assert SECRET not in repr(AGENT)
    assert SECRET not in repr(compile_session(AGENT))


def _updates(session):
    return [event for event in session.received if event["type"] == "session.update"]
