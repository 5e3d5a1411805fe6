"""MCP servers as the API sees them: their tools, who must approve a call, and the events of one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.openai.brain import CallMcp
from app.sandbox.openai.outbox import Event, new_id
from app.sandbox.openai.outputs import PIECE_MS, Output, Place, Step, pieces_of

Tool = Mapping[str, Any]
"""An MCP tool of a session's configuration."""


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server that can be reached: the tools it lists, and which of them change nothing."""

    tools: tuple[str, ...]
    read_only: frozenset[str] = frozenset()
    list_ms: float = 0
    """How long it takes to say what it can do."""

    def matches(self, name: str, filtered: Mapping[str, Any]) -> bool:
        """Whether a filter of the API's means that tool; one that says nothing means none."""
        named = name in filtered.get("tool_names", [name])
        harmless = not filtered.get("read_only") or name in self.read_only
        return bool(filtered) and named and harmless

    def allowed(self, tool: Tool) -> list[str]:
        """The tools that the session may know of."""
        wanted = tool.get("allowed_tools")
        if wanted is None:
            return list(self.tools)
        filtered = wanted if isinstance(wanted, Mapping) else {"tool_names": wanted}
        return [name for name in self.tools if self.matches(name, filtered)]

    def needs_approval(self, tool: Tool, name: str) -> bool:
        """Whether the client must be asked first; it is, unless it said otherwise."""
        wanted = tool.get("require_approval") or "always"
        if not isinstance(wanted, Mapping):
            return bool(wanted == "always")
        return self.matches(name, wanted.get("always", {})) or not self.matches(name, wanted.get("never", {}))


def asking(previous: str | None, item: Mapping[str, Any]) -> list[Event]:
    """The events of a server being asked for its tools."""
    return [
        {"type": "conversation.item.added", "previous_item_id": previous, "item": dict(item)},
        {"type": "mcp_list_tools.in_progress", "item_id": item["id"]},
    ]


def listing(tool: Tool, server: McpServer | None, previous: str | None, item: dict[str, Any]) -> list[Event]:
    """The events of its answer; one that cannot be reached fails."""
    about = {"item_id": item["id"]}
    if server is None:
        return [{"type": "mcp_list_tools.failed", **about}]
    item["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in server.allowed(tool)]
    done = {"type": "conversation.item.done", "previous_item_id": previous, "item": dict(item)}
    return [{"type": "mcp_list_tools.completed", **about}, done]


def list_item(tool: Tool) -> dict[str, Any]:
    """The item that will hold a server's tools."""
    return {"id": new_id("mcpl"), "type": "mcp_list_tools", "server_label": tool["server_label"], "tools": []}


def call_item(call: CallMcp, *, request_id: str | None = None) -> dict[str, Any]:
    """The item of a call whose outcome is not known yet."""
    return {
        "id": new_id("mcp"),
        "type": "mcp_call",
        "server_label": call.server_label,
        "name": call.name,
        "arguments": "",
        "approval_request_id": request_id,
        "output": None,
        "error": None,
    }


def outcome(call: CallMcp) -> dict[str, Any]:
    """What the item of a call says in the end."""
    if call.error is not None:
        return {"arguments": call.arguments, "error": dict(call.error)}
    return {"arguments": call.arguments, "output": call.output}


def run(call: CallMcp, item_id: str, output_index: int) -> list[Event]:
    """The events of running a call."""
    about = {"item_id": item_id, "output_index": output_index}
    ended = "completed" if call.error is None else "failed"
    return [{"type": f"response.mcp_call.{state}", **about} for state in ("in_progress", ended)]


class McpCalled(Output):
    """A call of an MCP tool, made in the course of a response."""

    def __init__(self, place: Place, call: CallMcp) -> None:
        item = call_item(call)
        super().__init__(place, "mcp", **item)
        self._call = call

    def steps(self) -> Iterator[Step]:
        """The arguments in pieces, then the call itself."""
        for piece in pieces_of(self._call.arguments):
            yield Step([self._event("response.mcp_call_arguments.delta", delta=piece)], PIECE_MS)
        item = self.entry.item
        yield Step([self._event("response.mcp_call_arguments.done", arguments=self._call.arguments)])
        begun, ended = run(self._call, item["id"], self.place.output_index)
        yield Step([begun], PIECE_MS)
        item |= outcome(self._call)
        yield Step([ended])


class ApprovalAsked(Output):
    """A question to the client whether a tool may be called."""

    def __init__(self, place: Place, call: CallMcp) -> None:
        super().__init__(
            place,
            "mcpr",
            type="mcp_approval_request",
            server_label=call.server_label,
            name=call.name,
            arguments=call.arguments,
        )
        self.call = call

    def steps(self) -> Iterator[Step]:
        """It is there at once."""
        yield Step()
