"""MCP servers: their tools are listed, and their calls run by the API, with approval where it is asked for."""

from contextlib import asynccontextmanager

import pytest

from app.sandbox.openai.brain import CallMcp, Reply, ScriptedBrain
from app.sandbox.openai.mcp import McpServer
from app.sandbox.openai.server import SandboxOpenAI
from tests.unit.sandbox.openai.client import dial

DOCS = McpServer(("search", "write"), read_only=frozenset({"search"}))
SEARCH = CallMcp("docs", "search", '{"for": "hours"}', output="Open until ten.")
BROKEN = CallMcp("docs", "search", error={"type": "http_error", "code": 502, "message": "Bad gateway"})


def mcp(**fields):
    return {"type": "mcp", "server_label": "docs", "server_url": "https://docs.example.com"} | fields


@asynccontextmanager
async def session_with(brain, **tool):
    """A session with that server's tools; its sandbox and its client."""
    async with SandboxOpenAI(brain, speed=1000) as sandbox, dial(sandbox) as client:
        sandbox.mcp_servers["docs"] = DOCS
        await client.configure(tools=[mcp(**tool)])
        await client.next("mcp_list_tools.completed")
        yield client


async def approval_request(client):
    await client.send("response.create")
    return (await client.next("response.done"))["response"]["output"][0]


async def answered(client, request, **answer):
    item = {"type": "mcp_approval_response", "id": "answer", "approval_request_id": request["id"], **answer}
    await client.send("conversation.item.create", item=item)
    return await client.next("conversation.item.done", lambda event: event["item"]["id"] == "answer")


@pytest.mark.parametrize(
    ("allowed", "listed"),
    [
        (None, ["search", "write"]),
        (["write", "gone"], ["write"]),
        ({"tool_names": ["search"]}, ["search"]),
        ({"read_only": True}, ["search"]),
    ],
)
async def test_a_server_is_asked_for_its_tools_and_those_that_are_allowed_are_listed(allowed, listed):
    async with session_with(ScriptedBrain([]), allowed_tools=allowed) as client:
        done = await client.next("conversation.item.done")

    item = done["item"]
    assert (item["type"], item["server_label"]) == ("mcp_list_tools", "docs")
    assert [tool["name"] for tool in item["tools"]] == listed
    assert client.kinds("session.updated") == [
        "session.updated",
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "conversation.item.done",
    ]


async def test_a_server_that_cannot_be_reached_fails_and_the_session_goes_on():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        await client.configure(tools=[mcp()])
        failed = await client.next("mcp_list_tools.failed")
        await client.configure(tools=[])

    added = next(event for event in client.events if event["type"] == "conversation.item.added")
    assert failed["item_id"] == added["item"]["id"]


async def test_tools_are_listed_once_and_again_when_their_server_changes():
    async with session_with(ScriptedBrain([])) as client:
        await client.configure(instructions="Same tools.", tools=[mcp()])
        await client.configure(tools=[mcp(authorization="other")])
        await client.next("mcp_list_tools.completed")
        await client.configure(tools=[])

    assert [event["type"] for event in client.events].count("mcp_list_tools.completed") == 2


async def test_a_token_for_a_server_is_never_returned():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        updated = await client.configure(tools=[mcp(authorization="secret")])

    assert updated["session"]["tools"] == [mcp()]


async def test_a_call_that_needs_no_approval_comes_in_the_documented_order_with_its_output():
    brain = ScriptedBrain([Reply.of(SEARCH)])
    async with session_with(brain, require_approval="never") as client:
        await client.send("response.create")
        done = (await client.next("response.done"))["response"]
        await client.send("response.create")
        await client.next("response.done")

    [item] = done["output"]
    first = client.kinds()[client.kinds().index("response.created") :]
    assert first[: first.index("response.done")] == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "conversation.item.done",
        "response.output_item.done",
    ]
    assert (item["type"], item["arguments"], item["output"]) == ("mcp_call", SEARCH.arguments, "Open until ten.")
    assert (brain.heard[1].why, brain.heard[1].outputs[0].output) == ("tool_outputs", "Open until ten.")


async def test_a_call_that_fails_says_why():
    async with session_with(ScriptedBrain([Reply.of(BROKEN)]), require_approval="never") as client:
        await client.send("response.create")
        await client.next("response.mcp_call.failed")
        [item] = (await client.next("response.done"))["response"]["output"]

    assert (item["output"], item["error"]) == (None, BROKEN.error)


@pytest.mark.parametrize(
    ("required", "asked"),
    [
        (None, True),
        ("always", True),
        ("never", False),
        ({"never": {"tool_names": ["search"]}}, False),
        ({"never": {"tool_names": ["write"]}}, True),
        ({"never": {"read_only": True}}, False),
        ({"always": {"tool_names": ["search"]}, "never": {"read_only": True}}, True),
    ],
)
async def test_approval_is_asked_unless_the_configuration_says_otherwise(required, asked):
    async with session_with(ScriptedBrain([Reply.of(SEARCH)]), require_approval=required) as client:
        item = await approval_request(client)

    assert item["type"] == ("mcp_approval_request" if asked else "mcp_call")


async def test_an_approved_call_is_run_and_its_result_is_there_for_the_next_answer():
    brain = ScriptedBrain([Reply.of(SEARCH)])
    async with session_with(brain) as client:
        request = await approval_request(client)
        await answered(client, request, approve=True)
        await client.next("response.mcp_call.in_progress")
        await client.next("response.mcp_call.completed")
        call = (await client.next("conversation.item.done"))["item"]
        await client.send("response.create")
        await client.next("response.done")

    assert (request["server_label"], request["name"], request["arguments"]) == ("docs", "search", SEARCH.arguments)
    assert (call["approval_request_id"], call["output"]) == (request["id"], "Open until ten.")
    assert brain.heard[1].outputs[0].output == "Open until ten."


async def test_a_denied_call_is_not_run_and_the_model_is_told():
    brain = ScriptedBrain([Reply.of(SEARCH)])
    async with session_with(brain) as client:
        request = await approval_request(client)
        await answered(client, request, approve=False, reason="Not now.")
        await client.send("response.create")
        await client.next("response.done")

    assert "response.mcp_call.in_progress" not in client.kinds()
    assert brain.heard[1].outputs[0].output == "Denied: Not now."


async def test_an_answer_to_no_question_is_refused_and_so_is_a_second_one():
    async with session_with(ScriptedBrain([Reply.of(SEARCH)])) as client:
        request = await approval_request(client)
        await answered(client, request, approve=True)
        for request_id in (request["id"], "mcpr_gone"):
            item = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": True}
            await client.send("conversation.item.create", item=item)
            error = (await client.next("error"))["error"]
            assert (error["code"], error["param"]) == ("invalid_value", "item.approval_request_id")
