"""The MCP tools of one session: their lists, the calls that wait for approval, and what came of each."""

from collections.abc import Callable, Mapping
from typing import Any

from app.sandbox.openai.brain import CallMcp, ToolOutput
from app.sandbox.openai.conversation import Entry
from app.sandbox.openai.mcp import (
    ApprovalAsked,
    McpCalled,
    McpServer,
    Tool,
    asking,
    call_item,
    list_item,
    listing,
    outcome,
    run,
)
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.response import Response
from app.sandbox.openai.state import SessionState

_NO_SERVER = McpServer(())


class McpSession:
    """Lists the tools of the servers a session is given, and runs the calls that its client approves."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._listed: list[Tool] = []
        self._asked: dict[str, CallMcp] = {}

    def list_tools(self) -> None:
        """Ask every server for its tools that is new in the configuration, or has changed there."""
        tools = [tool for tool in self._state.config.get("tools", []) if tool["type"] == "mcp"]
        for tool in tools:
            if tool not in self._listed:
                self._list(tool)
        self._listed = tools

    def approval_check(self, wish: Mapping[str, Any]) -> Callable[[CallMcp], bool]:
        """Whether the client must approve a call that is made in such a response."""
        tools = {tool["server_label"]: tool for tool in wish.get("tools", self._listed) if tool["type"] == "mcp"}

        def needs_approval(call: CallMcp) -> bool:
            server = self._state.mcp_servers.get(call.server_label, _NO_SERVER)
            return server.needs_approval(tools.get(call.server_label, {}), call.name)

        return needs_approval

    def note(self, response: Response) -> None:
        """What a response that has ended asked, and what came of what it called."""
        for output in response.outputs:
            if isinstance(output, ApprovalAsked):
                self._asked[output.entry.item["id"]] = output.call
            elif isinstance(output, McpCalled):
                self._note_result(output.entry.item)

    def check(self, answer: Mapping[str, Any]) -> None:
        """Refuse an answer to a question that was never asked, or is answered."""
        if answer["approval_request_id"] not in self._asked:
            message = f"Approval request with id '{answer['approval_request_id']}' not found."
            raise Refusal("invalid_value", message, "item.approval_request_id")

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Run the call that was approved, beside any response; the model learns of a refusal as of a result."""
        request_id = answer["approval_request_id"]
        call = self._asked.pop(request_id)
        if answer["approve"]:
            self._run(call, request_id)
            return
        denied = f"Denied: {answer.get('reason') or 'no reason given'}"
        self._state.pending.outputs.append(ToolOutput(request_id, call.name, call.arguments, denied))

    def _list(self, tool: Tool) -> None:
        state = self._state
        item = list_item(tool)
        previous = state.conversation.insert(Entry(item))
        server = state.mcp_servers.get(tool["server_label"])
        state.outbox.emit(*asking(previous, item))
        if server and server.list_ms:
            state.tasks.create_task(self._list_later(tool, server, previous, item), name="mcp-list")
        else:
            state.outbox.emit(*listing(tool, server, previous, item))

    async def _list_later(self, tool: Tool, server: McpServer, previous: str | None, item: dict[str, Any]) -> None:
        await self._state.pass_ms(server.list_ms)
        self._state.outbox.emit(*listing(tool, server, previous, item))

    def _run(self, call: CallMcp, request_id: str) -> None:
        state = self._state
        item = call_item(call, request_id=request_id) | {"arguments": call.arguments}
        about = {"previous_item_id": state.conversation.insert(Entry(item))}
        state.outbox.emit({"type": "conversation.item.added", **about, "item": dict(item)})
        state.outbox.emit(*run(call, item["id"], output_index=0))
        item |= outcome(call)
        state.outbox.emit({"type": "conversation.item.done", **about, "item": dict(item)})
        self._note_result(item)

    def _note_result(self, item: Mapping[str, Any]) -> None:
        error = item["error"] or {}
        result = ToolOutput(item["id"], item["name"], item["arguments"], item["output"] or error.get("message", ""))
        self._state.pending.outputs.append(result)
