"""A tool never stops the audio, never surprises the operator, and always answers the model, exactly once."""

import asyncio
import sys

from app.call.events import Kind
from app.call.status import EndReason
from app.call.tools.confirming import ASK_FIRST
from app.call.tools.mcp_servers import AWAY, NOT_YET
from app.sandbox.openai.brain import CallMcp, CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.mcp import McpServer
from app.sandbox.twilio.timeline import AgentStopped
from app.sandbox.voices.clips import clip
from tests.e2e.rig import SPEED

HELLO = Reply.of(Say.words("Hello.", 1000))
BYE = Say.words("Goodbye.", 1200)
LONG = Say.words("One two three four five six seven eight nine ten, and so on for a long while.", 35_000)
TOOLS = '''
import asyncio, threading
from app.tools.python import ToolContext

free = threading.Event()
begun, ended = [], []

def hang(call: ToolContext, what: str) -> str:
    """Look it up."""
    free.wait(60)
    return f"{what} for {call.caller}"

async def wait() -> str:
    """Wait for ever."""
    begun.append("wait")
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("wait")

async def finish() -> str:
    """Take the order down."""
    begun.append("finish")
    while not free.is_set():
        await asyncio.sleep(0.01)
    ended.append("finish")

def book(table: int) -> str:
    """Book a table."""
    ended.append("book")
    return f"booked {table}"
'''


def of_kind(events, kind):
    return [event for event in events if event.kind == kind]


def sent(session, kind):
    return [event for event in session.received if event["type"] == kind]


def outputs(session):
    items = [event["item"] for event in sent(session, "conversation.item.create")]
    return [item["output"] for item in items if item["type"] == "function_call_output"]


def text_of(event):
    """What the model was told in writing."""
    return (event["item"].get("content") or [{}])[0].get("text", "")


def python(name, **options):
    return {"type": "python", "name": name, "deadline_seconds": 120, **options}


def own_tools(tmp_path):
    """The folder of tools, with functions that wait until the test lets them go on."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "shop.py").write_text(TOOLS)


def shop():
    """The file of tools as the server runs it."""
    return sys.modules["parley_tools_shop"]


async def test_f32_r3_39_the_agent_goes_on_while_a_tool_hangs_and_answers_once_when_all_have_an_output(rig, tmp_path):
    own_tools(tmp_path)
    asks = Reply.of(CallTool("hang", '{"what":"bread"}'), CallTool("nobody"), CallTool("hang", '{"what":5}'))
    talks = Reply(
        (LONG,), pace=1.5
    )  # the carrier has little of it in advance: a server that stood still would be heard
    brain = ScriptedBrain([asks, Reply.of(Say.words("One moment.", 800)), talks, HELLO, Reply.of(BYE)])
    house = await rig(brain, agent={"tools": [python("hang", preamble="One moment.")]}, speed=2 * SPEED)
    call = await house.ring()
    await call.wait_heard(800)
    await call.wait_for(lambda call: any(isinstance(moment, AgentStopped) for moment in call.timeline))
    await call.say(clip("table_tonight"))
    await call.wait_heard(1000)
    began_ms, from_ms = call.chronicle.now_ms(), call.heard_ms
    await call.wait_heard(from_ms + 30_000)
    assert call.chronicle.now_ms() - began_ms < 45_000  # a third is for a machine that is busy
    assert len(outputs(house.openai.sessions[0])) == 2
    await call.say(clip("table_tonight"))  # into the agent's words, while the tool hangs
    await call.wait_for(lambda _: len(brain.heard) == 4)
    shop().free.set()
    await call.wait_for(lambda _: len(brain.heard) == 5)
    await call.wait_heard(call.heard_ms + 1000)
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    assert [heard.why for heard in brain.heard] == ["start", "exact_words", "speech", "speech", "tool_outputs"]
    assert brain.heard[1].words == "One moment."
    assert [output.output for output in brain.heard[4].outputs] == ["bread for +15550100123"]
    assert len(sent(session, "response.create")) == 3
    assert "error" not in session.sent
    assert len(of_kind(events, Kind.AGENT_INTERRUPTED)) == 1
    assert sorted(event.kind for event in events if event.kind.startswith("tool.")) == [
        Kind.TOOL_ANSWERED, Kind.TOOL_CALLED, Kind.TOOL_CALLED, Kind.TOOL_CALLED, Kind.TOOL_FAILED, Kind.TOOL_FAILED,
    ]  # fmt: skip


async def test_f17_who_hangs_up_ends_a_tool_that_may_end_and_nobody_waits_for_one_that_shall_not(rig, tmp_path):
    own_tools(tmp_path)
    asks = Reply.of(CallTool("wait"), CallTool("finish"))
    house = await rig(ScriptedBrain([asks]), agent={"tools": [python("wait"), python("finish", on_hang_up="finish")]})
    call = await house.ring()
    await call.wait_for(lambda _: shop().begun == ["wait", "finish"])
    await call.hang_up()
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.CALLER_HANGUP
    assert shop().ended == ["wait"]
    shop().free.set()
    async with asyncio.timeout(5):
        while True:
            if shop().ended == ["wait", "finish"]:
                break
            await asyncio.sleep(0.01)


async def test_f34_s19_the_caller_is_asked_first_and_servers_get_their_answers_however_slow_they_are(rig, tmp_path):
    own_tools(tmp_path)
    brain = ScriptedBrain(
        [
            Reply.of(Say.words("Hello.", 3000), CallTool("book", '{"table":4}')),
            Reply.of(Say.words("Shall I book it?", 1000)),
            Reply.of(CallTool("book", '{"table":4}')),
            Reply.of(CallMcp("shop", "buy", output="bought")),
            Reply.of(CallMcp("shop", "sell", output="sold")),
            HELLO,
        ]
    )
    server = {"type": "mcp", "server_url": "https://shop.example.com/mcp", "require_approval": "always"}
    tools = [
        python("book", confirm=True),
        {**server, "server_label": "shop", "approve": ["buy"]},
        {**server, "server_label": "gone"},
    ]
    house = await rig(brain, agent={"tools": tools})
    house.openai.mcp_servers["shop"] = McpServer(("buy", "sell"), list_ms=20_000)
    call = await house.ring()
    await call.wait_heard(4000)
    assert shop().ended == []
    await call.say(clip("table_tonight"))
    await call.wait_for(lambda _: len(brain.heard) == 6)
    await call.wait_heard(call.heard_ms + 500)
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    assert outputs(session) == [ASK_FIRST, "booked 4"]
    assert shop().ended == ["book"]
    assert [event.data["name"] for event in of_kind(events, Kind.MCP_APPROVAL_GRANTED)] == ["buy"]
    assert [event.data["name"] for event in of_kind(events, Kind.MCP_APPROVAL_DENIED)] == ["sell"]
    assert of_kind(events, Kind.SESSION_READY)[0].at_ms < 2000
    written = [text for text in map(text_of, sent(session, "conversation.item.create")) if text]
    assert written[0] == AWAY.format(server="shop or gone")
    assert NOT_YET.format(server="shop or gone") in written
    assert "error" not in session.sent
