"""What the parts of one session share."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.sandbox.openai.brain import Brain
from app.sandbox.openai.conversation import Conversation, Entry
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.input_audio import InputAudio
from app.sandbox.openai.mcp import McpServer
from app.sandbox.openai.outbox import Outbox, new_id
from app.sandbox.openai.pending import Pending
from app.sandbox.openai.session_config import Config


class Tasks(Protocol):
    """Where a session starts its tasks; whoever gave it ends them."""

    def create_task(self, work: Coroutine[Any, Any, Any], *, name: str | None = None) -> asyncio.Task[Any]:
        """Start one."""


@dataclass(slots=True)
class SessionState:
    """One session's configuration, its conversation, and its surroundings."""

    config: Config
    input: InputAudio
    brain: Brain
    tasks: Tasks
    speed: float
    faults: Faults
    mcp_servers: Mapping[str, McpServer]
    outbox: Outbox = field(default_factory=Outbox)
    conversation: Conversation = field(default_factory=Conversation)
    conversation_id: str = field(default_factory=lambda: new_id("conv"))
    pending: Pending = field(default_factory=Pending)
    has_spoken: bool = False

    async def pass_ms(self, ms: float) -> None:
        """Let so much pretended time go by."""
        if ms:
            await asyncio.sleep(ms / 1000 / self.speed)

    def show_item(self, entry: Entry, previous: str | None) -> None:
        """Tell of an item that is new and whole."""
        for kind in ("added", "done"):
            event = {"type": f"conversation.item.{kind}", "previous_item_id": previous, "item": dict(entry.item)}
            self.outbox.emit(event)
