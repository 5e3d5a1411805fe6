"""What a call can do to its session with OpenAI."""

from app.audio import to_base64
from app.openai import messages
from app.openai.link import Link


class OpenAIRealtimeSessionSender:
    """What a call can do to its session; see `RealtimeSessionSender`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def send_audio_delta(self, audio: str | bytes) -> None:
        """Send caller audio in the session's format: base64 text passes unopened, raw bytes are encoded."""
        await self._link.send_audio(audio if isinstance(audio, str) else to_base64(audio))

    async def send_tool_response(self, call_id: str, name: str, output: str) -> None:
        """Answer a tool call; OpenAI needs no name. The model goes on once every call of that answer has its output."""
        link = self._link
        await link.send(messages.tool_output(link.new_item(), call_id, output))
        await link.send_create(link.responses.on_tool_answered(call_id))

    async def start_response(self) -> None:
        """Let the model speak now, or as soon as it may."""
        await self._link.send_create(self._link.responses.want())

    async def say(self, text: str) -> None:
        """Let the model say exactly this text, now or as soon as it may.

        Instructions for a single response would replace the agent's own, so the words come as a system message.
        """
        order = f"Say exactly these words to the caller now, once, and nothing else:\n{text}"
        await self._link.send(messages.message(self._link.new_item(), "system", order))
        await self.start_response()

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """Tell the model something as the caller's text; with `respond` it answers."""
        await self._link.send(messages.message(self._link.new_item(), "user", text))
        if respond:
            await self.start_response()

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Tell the model that the caller heard only the first `heard_ms` of that item."""
        await self._link.send(messages.truncate(item_id, heard_ms))

    async def cancel(self) -> None:
        """Stop the answer under way; nothing happens when there is none."""
        active = self._link.responses.active
        if active is not None:
            await self._link.send(messages.response_cancel(active))

    async def close(self) -> None:
        """End the session; more than once is fine."""
        await self._link.close()
