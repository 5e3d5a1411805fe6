"""Tools that run: ours, and those that the provider runs without a word."""

from app.realtime.events import McpCallProgress, ToolCall


class OpenTools:
    """What is being run for the model right now."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        self._providers: set[str] = set()

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

    def begin(self, call: ToolCall) -> None:
        """We run one."""
        self._ours[call.call_id] = call.name

    def done(self, call_id: str) -> None:
        """One of ours has its output."""
        self._ours.pop(call_id, None)

    def on_progress(self, told: McpCallProgress) -> None:
        """What the provider tells of one of its own."""
        if told.progress == "in_progress":
            self._providers.add(told.item_id)
        else:
            self._providers.discard(told.item_id)

    def on_session_lost(self) -> None:
        """What the provider ran is lost with its session; ours go on."""
        self._providers.clear()
