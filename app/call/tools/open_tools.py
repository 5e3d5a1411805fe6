"""Tools that run: ours, and those that the provider runs without a word."""

from collections.abc import Sequence

from app.call.actions import Action
from app.call.tools.confirming import Confirming
from app.call.tools.mcp_servers import McpServers
from app.call.tools.preambles import Preambles
from app.conf.models import McpTool, StopRecordingTool, ToolConf, WorkingTool
from app.realtime.events import ApprovalRequested, McpCallProgress, McpListProgress, ToolCall


class OpenTools:
    """What is being run for the model right now, and what the caller hears and is asked meanwhile."""

    def __init__(self) -> None:
        self.confirming = Confirming()
        self._preambles = Preambles()
        self._servers = McpServers()
        self._seen: set[str] = set()
        self._ours: dict[str, str] = {}
        self._providers: set[str] = set()

    @classmethod
    def of(cls, tools: Sequence[ToolConf | StopRecordingTool]) -> "OpenTools":
        """As those tools have it."""
        opened = cls()
        opened.use(tools)
        return opened

    def use(self, tools: Sequence[ToolConf | StopRecordingTool]) -> None:
        """From here on the model has these tools, and no others."""
        self._preambles.words = {
            each.name: each.preamble for each in tools if isinstance(each, WorkingTool) and each.preamble
        }
        self._servers.use([each for each in tools if isinstance(each, McpTool)])

    @property
    def ours(self) -> bool:
        """Whether we owe the model an output."""
        return bool(self._ours)

    @property
    def providers(self) -> bool:
        """Whether the provider runs one, and is silent for as long."""
        return bool(self._providers)

    @property
    def names(self) -> str:
        """Those that we run."""
        return ", ".join(self._ours.values())

    # -- ours

    def is_new(self, call: ToolCall) -> bool:
        """Whether that very call was never seen before; a second one has its answer, or gets it."""
        if call.call_id in self._seen:
            return False
        self._seen.add(call.call_id)
        return True

    def begin(self, call: ToolCall) -> None:
        """We run one."""
        self._ours[call.call_id] = call.name
        self._preambles.on_tool_call(call)

    def done(self, call_id: str) -> None:
        """One of ours has its output."""
        self._ours.pop(call_id, None)
        self._preambles.on_tool_done(call_id)

    # -- the provider's

    def on_progress(self, told: McpCallProgress | McpListProgress, at_ms: float) -> list[Action]:
        """What the provider tells of its own tools, and of the servers that have them."""
        if isinstance(told, McpListProgress):
            return self._servers.on_listing(told, at_ms)
        if told.progress == "in_progress":
            self._providers.add(told.item_id)
        else:
            self._providers.discard(told.item_id)
        return []

    def on_approval(self, asked: ApprovalRequested, at_ms: float) -> list[Action]:
        """A server asks whether its tool may run."""
        return self._servers.on_approval(asked, at_ms)

    def on_session_lost(self) -> None:
        """What the provider ran is lost with its session; ours go on."""
        self._providers.clear()
        self._servers.on_session_lost()
        self._preambles.drop()

    # -- the talk beside them

    @property
    def has_words(self) -> bool:
        """Whether words to a tool may still be said."""
        return self._preambles.waiting

    def on_caller_turn(self) -> None:
        """The caller speaks, or presses a key."""
        self.confirming.on_caller_turn()
        self._preambles.drop()

    def on_response_started(self) -> None:
        """Another answer begins."""
        self._preambles.drop()

    def on_answer_end(self, at_ms: float, *, spoke: bool) -> list[Action]:
        """The answer that may have asked for tools is complete."""
        return self._preambles.on_answer_end(at_ms, spoke=spoke)

    def on_time(self, at_ms: float, *, silent: bool) -> list[Action]:
        """What time alone leads to; `silent` while nobody speaks and no answer is on its way."""
        return self._preambles.on_time(at_ms, silent=silent) + self._servers.on_time(at_ms)
