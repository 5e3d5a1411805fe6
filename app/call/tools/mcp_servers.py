"""The servers whose tools the provider runs: who may use what, and what the model is told of those that are away."""

from collections.abc import Sequence

from app.call.actions import Action, AnswerApproval, TellModel
from app.call.events import CallEvent, Kind
from app.conf.models import McpTool
from app.realtime.events import ApprovalRequested, McpListProgress

LIST_MS = 2000
"""The model is told of a server that has not said by then what it can do; the call has long begun."""
AWAY = (
    "The tools of {server} cannot be used now, as the server cannot be reached. Do without them; where the caller "
    "needs one, say that it is out of order."
)
NOT_YET = "The tools of {server} cannot be used yet, as the server is slow. Do without them until you are told more."
THERE = "The tools of {server} can be used now."


class McpServers:
    """Those of one agent. No call ever waits for one."""

    def __init__(self) -> None:
        self._tools: dict[str, McpTool] = {}
        self._listing: dict[str, float] = {}  # list that is being fetched: when the model is told that it is late
        self._late: set[str] = set()

    def use(self, tools: Sequence[McpTool]) -> None:
        """From here on the agent has these."""
        self._tools = {tool.server_label: tool for tool in tools}

    def on_approval(self, asked: ApprovalRequested, at_ms: float) -> list[Action]:
        """The answer to a server's question, at once: by what its operator wrote down, for nobody is there to ask."""
        tool = self._tools.get(asked.server)
        approved = tool is not None and tool.approves(asked.name)
        kind = Kind.MCP_APPROVAL_GRANTED if approved else Kind.MCP_APPROVAL_DENIED
        data = {"server": asked.server, "name": asked.name}
        return [AnswerApproval(asked.request_id, approved), CallEvent(kind, int(at_ms), data)]

    def on_listing(self, told: McpListProgress, at_ms: float) -> list[Action]:
        """How far the provider is with asking a server what it can do."""
        if told.progress == "in_progress":
            self._listing[told.item_id] = at_ms + LIST_MS
            return []
        self._listing.pop(told.item_id, None)
        late = told.item_id in self._late
        self._late.discard(told.item_id)
        if told.progress == "failed":
            return [self._tell(AWAY)]
        return [self._tell(THERE)] if late else []

    def on_time(self, at_ms: float) -> list[Action]:
        """Tell the model of servers that are slow, each once."""
        late = [item_id for item_id, due_ms in self._listing.items() if at_ms >= due_ms]
        for item_id in late:
            del self._listing[item_id]
        self._late.update(late)
        return [self._tell(NOT_YET) for _ in late]

    def on_session_lost(self) -> None:
        """The next session asks them again."""
        self._listing.clear()
        self._late.clear()

    def _tell(self, words: str) -> Action:
        """The provider does not say which server a list is of, so with several all are named."""
        names = " or ".join(self._tools) or "a server"
        return TellModel(words.format(server=names), "system", respond=False, lasting=False)
