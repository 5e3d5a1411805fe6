"""The seam to the model: what a call may ask of a session, and how it hears from it."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from app.conf.models import AgentConf
from app.realtime.events import RealtimeInEvent


class RealtimeSessionSender(Protocol):
    """What a call can do to its session. Every method raises `SessionLost` when the session is gone, except `close`."""

    async def send_audio_delta(self, audio: str | bytes) -> None:
        """Send caller audio in the session's format: base64 text passes unopened, raw bytes are encoded."""

    async def send_tool_response(self, call_id: str, name: str, output: str) -> None:
        """Answer a tool call; the model goes on by itself once every call of that answer has its output."""

    async def start_response(self) -> None:
        """Let the model speak now, or as soon as it may."""

    async def say(self, text: str) -> None:
        """Let the model say exactly this text, now or as soon as it may."""

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """Tell the model something as the caller's text; with `respond` it answers."""

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Tell the model that the caller heard only the first `heard_ms` of that item."""

    async def cancel(self) -> None:
        """Stop the answer under way; nothing happens when there is none."""

    async def close(self) -> None:
        """End the session; more than once is fine."""


class RealtimeSessionReceiver(Protocol):
    """An async iterator over the session's events.

    It ends after `RealtimeSessionSender.close` and raises `SessionLost` when the session ends without our asking.
    """

    def __aiter__(self) -> AsyncIterator[RealtimeInEvent]: ...


RealtimeSession = tuple[RealtimeSessionSender, RealtimeSessionReceiver]


class RealtimeProvider(Protocol):
    """One provider of sessions; a registry maps `AgentConf.provider` to it."""

    def compile(self, agent: AgentConf) -> dict[str, Any]:
        """The session configuration that agent asks for, as it is sent; holds no secrets and is kept with the call."""

    async def open(self, agent: AgentConf) -> RealtimeSession:
        """Connect, configure and confirm a session that has not spoken yet; raises `SessionUnavailable`."""

    def warm_up(self) -> None:
        """Pay now what the first call would otherwise wait for."""
