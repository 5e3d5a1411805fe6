"""What the caller hears and the model is told while tools run."""

from app.audio import silence, to_base64
from app.call.actions import AnswerApproval, RunTool, Say, TellModel, Wake
from app.call.events import CallEvent, Kind
from app.call.tools.mcp_servers import AWAY, LIST_MS, NOT_YET, THERE
from app.call.tools.open_tools import OpenTools
from app.call.tools.preambles import PATIENCE_MS
from app.call.turns.flow import CallFlow
from app.conf.models import LookupTool, McpTool
from app.realtime.events import (
    ApprovalRequested,
    AudioDelta,
    McpCallProgress,
    McpListProgress,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)

FIND = LookupTool(type="lookup", name="find", description="x", entries={}, preamble="One moment.")
SILENT = LookupTool(type="lookup", name="silent", description="x", entries={})
SHOP = McpTool(type="mcp", server_label="shop", server_url="https://shop.example.com")
CALL = ToolCall("call_1", "find", "{}", "resp_1")
SAID = Say("One moment.", only_words=True)


def flow_with(*tools) -> CallFlow:
    return CallFlow(tools=OpenTools.of(tools or (FIND, SILENT)))


def deeds(actions: list) -> list:
    return [action for action in actions if not isinstance(action, CallEvent)]


def asks(flow: CallFlow, *calls: ToolCall, at_ms: float = 0, spoken: bool = False) -> list:
    flow.on_agent(ResponseStarted("resp_1"), at_ms)
    if spoken:
        flow.on_agent(AudioDelta(to_base64(silence(40)), "item_1", "resp_1"), at_ms)
    for call in calls:
        assert deeds(flow.on_agent(call, at_ms)) == [RunTool(call)]
    return deeds(flow.on_agent(ResponseDone("resp_1"), at_ms))


def said(flow: CallFlow, at_ms: float) -> list:
    return [action for action in flow.on_time(at_ms) if isinstance(action, Say)]


def test_a_tool_that_takes_its_time_has_its_words_once_after_the_answer_that_called_it():
    flow = flow_with()
    assert asks(flow, CALL) == [Wake(PATIENCE_MS)]
    assert said(flow, PATIENCE_MS - 1) == []
    assert said(flow, PATIENCE_MS) == [SAID]
    assert said(flow, 10_000) == []


def test_tools_of_one_answer_share_their_words():
    flow = flow_with()
    asks(flow, CALL, ToolCall("call_2", "find", "{}"), ToolCall("call_3", "silent", "{}"))
    assert said(flow, PATIENCE_MS) == [SAID]
    assert said(flow, 5000) == []


def test_nothing_is_said_for_a_tool_that_is_done_at_once():
    flow = flow_with()
    asks(flow, CALL, ToolCall("call_2", "silent", "{}"))
    flow.on_tool_done("call_1", 100)
    assert said(flow, PATIENCE_MS) == []


def test_nothing_is_said_where_the_answer_that_called_it_spoke():
    flow = flow_with()
    assert asks(flow, CALL, spoken=True) == []
    assert said(flow, 5000) == []


def test_nothing_is_said_to_a_caller_who_speaks_or_is_being_answered():
    flow = flow_with()
    asks(flow, CALL)
    flow.on_agent(SpeechStarted(), 100)
    flow.on_agent(SpeechStopped(), 200)
    assert said(flow, 5000) == []

    flow = flow_with()
    asks(flow, CALL)
    flow.on_agent(ResponseStarted("resp_2"), 100)
    assert said(flow, 5000) == []


def test_words_wait_for_the_answer_that_calls_the_tool_however_long_it_takes():
    flow = flow_with()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    flow.on_agent(CALL, 0)
    assert said(flow, 2000) == []
    flow.on_agent(ResponseDone("resp_1"), 2000)
    assert said(flow, 2000 + PATIENCE_MS) == [SAID]


def test_a_provider_that_does_not_tell_when_answers_end_leads_to_the_same_words():
    flow = flow_with()
    assert deeds(flow.on_agent(CALL, 0)) == [RunTool(CALL), Wake(PATIENCE_MS)]
    assert said(flow, PATIENCE_MS) == [SAID]


def test_r3_39_the_same_call_told_twice_runs_once():
    flow = flow_with()
    asks(flow, CALL)
    assert flow.on_agent(CALL, 10) == []
    flow.on_tool_done("call_1", 20)
    assert flow.on_agent(CALL, 30) == []


def test_a_tool_of_an_interrupted_answer_goes_on_and_its_output_is_still_given():
    flow = flow_with()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    flow.on_agent(CALL, 0)
    flow.on_agent(SpeechStarted(), 100)
    assert deeds(flow.on_agent(ResponseDone("resp_1", "cancelled"), 110)) == []
    assert said(flow, 5000) == []
    flow.on_tool_done("call_1", 6000)


# -- the provider's


def approval(name: str, approve: object) -> list:
    flow = flow_with(SHOP.model_copy(update={"approve": approve}))
    return flow.on_agent(ApprovalRequested("req_1", "shop", name, "{}"), 0)


def test_an_mcp_tool_that_wants_approval_gets_what_its_operator_wrote_down():
    data = {"server": "shop", "name": "buy"}
    granted = [AnswerApproval("req_1", approve=True), CallEvent(Kind.MCP_APPROVAL_GRANTED, 0, data)]
    denied = [AnswerApproval("req_1", approve=False), CallEvent(Kind.MCP_APPROVAL_DENIED, 0, data)]
    assert approval("buy", "none") == denied
    assert approval("buy", "all") == granted
    assert approval("buy", ["find", "buy"]) == granted
    assert approval("buy", ["find", "buyer"]) == denied


def test_a_server_that_is_none_of_the_agents_is_denied():
    flow = flow_with(SHOP.model_copy(update={"approve": "all"}))
    [answer, _] = flow.on_agent(ApprovalRequested("req_1", "other", "buy", "{}"), 0)
    assert answer == AnswerApproval("req_1", approve=False)


def told(actions: list) -> list[str]:
    return [action.text for action in actions if isinstance(action, TellModel) and not action.respond]


def test_f34_the_model_is_told_of_a_server_that_cannot_be_reached():
    flow = flow_with(SHOP)
    flow.on_agent(McpListProgress("item_1", "in_progress"), 0)
    assert told(flow.on_agent(McpListProgress("item_1", "failed"), 100)) == [AWAY.format(server="shop")]


def test_f34_the_model_is_told_of_a_server_that_is_slow_and_when_it_is_there():
    flow = flow_with(SHOP)
    flow.on_agent(McpListProgress("item_1", "in_progress"), 0)
    assert told(flow.on_time(LIST_MS - 1)) == []
    assert told(flow.on_time(LIST_MS)) == [NOT_YET.format(server="shop")]
    assert told(flow.on_time(LIST_MS + 5000)) == []
    assert told(flow.on_agent(McpListProgress("item_1", "completed"), 9000)) == [THERE.format(server="shop")]


def test_nothing_is_told_of_a_server_that_answers():
    flow = flow_with(SHOP)
    flow.on_agent(McpListProgress("item_1", "in_progress"), 0)
    assert told(flow.on_agent(McpListProgress("item_1", "completed"), 500)) == []
    assert told(flow.on_time(60_000)) == []


def test_a_session_that_is_lost_takes_its_lists_and_calls_with_it():
    flow = flow_with(SHOP)
    flow.on_agent(McpListProgress("item_1", "in_progress"), 0)
    flow.on_agent(McpCallProgress("item_2", "in_progress"), 0)
    flow.on_session_lost(100)
    assert told(flow.on_time(LIST_MS + 1)) == []
