"""The seam to the model: what a call may ask of a session, and how it hears from it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from app.conf.models import AgentConf
from app.realtime.events import RealtimeInEvent
from app.realtime.history import HistoryItem
from app.realtime.status import SessionStatus


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call; `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResponseOptions:
    """What is different for one answer; what is `None` is as the session has it.

    `instructions` replace the agent's own for that answer, its persona included. The audio format is always the
    session's, and `voice` counts only until the agent has first spoken: no provider changes it after that.
    """

    instructions: str | None = None
    modality: Literal["audio", "text"] | None = None
    voice: str | None = None
    tools: Sequence[Tool] | None = None
    tool_choice: str | None = None
    """`auto`, `none`, `required`, or the name of the one tool that must be called."""
    max_output_tokens: int | Literal["inf"] | None = None
    metadata: Mapping[str, str] | None = None


class RealtimeSessionSender(Protocol):
    """What a call can do to its session. Every method raises `SessionLost` when the session is gone, except `close`."""

    @property
    def status(self) -> SessionStatus:
        """Where the session stands; each change comes as `SessionStatusChanged` as well."""

    async def send_audio_delta(self, audio: str | bytes) -> None:
        """Send caller audio in the session's format: base64 text passes unopened, raw bytes are encoded."""

    async def send_pcm(self, pcm: bytes, rate_hz: int) -> None:
        """Send caller audio that is 16-bit mono PCM of any rate: it reaches the model in the session's format."""

    async def send_tool_response(self, call_id: str, name: str, output: str) -> None:
        """Answer a tool call; the model goes on by itself once every call of that answer has its output."""

    async def start_response(self, options: ResponseOptions | None = None) -> None:
        """Let the model speak now, or as soon as it may."""

    async def say(self, text: str, *, only_words: bool = False) -> None:
        """Let the model say exactly this text, now or as soon as it may; with `only_words` it can call no tool then."""

    async def send_text(self, text: str, *, role: Literal["user", "system"] = "user", respond: bool = True) -> None:
        """Tell the model something as the caller's text, or as the system's; with `respond` it answers."""

    async def remember(self, history: Sequence[HistoryItem]) -> None:
        """Add to the conversation what was said and done in another session, without an answer."""

    async def send_image(self, image: bytes) -> bool:
        """Show the model a PNG or JPEG, without an answer; false when it is none and nothing was sent."""

    async def send_text_and_images(self, text: str, images: Sequence[bytes], *, respond: bool = True) -> bool:
        """Tell and show in one message, without the images that are none; false when nothing was left to send."""

    async def ask_aside(self, name: str, question: str) -> None:
        """Put a question to the model beside the conversation; its answer comes as `AsideDone` of that name."""

    async def update(
        self,
        *,
        instructions: str | None = None,
        tools: Sequence[Tool] | None = None,
        answers: bool | None = None,
    ) -> None:
        """Change what the agent is told or may do from now on; what is `None` stays.

        With `answers` it says whether it answers the caller by itself, where it listens for turns at all.
        """

    async def answer_approval(self, request_id: str, *, approve: bool, reason: str | None = None) -> None:
        """Let the MCP tool run that an `ApprovalRequested` asked about, or not."""

    async def send_event(self, event: Mapping[str, Any] | str) -> None:
        """Send an event in the provider's own words, for what has no method here; raises `ValueError` for none."""

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

    async def open(self, agent: AgentConf, history: Sequence[HistoryItem] = ()) -> RealtimeSession:
        """Connect, configure and confirm a session that has not spoken yet; raises `SessionUnavailable`.

        With a `history` it goes on with that conversation, and says nothing until it is asked or spoken to; outputs of
        the tools that were asked for there can be sent to it.
        """

    def warm_up(self) -> None:
        """Pay now what the first call would otherwise wait for."""
