"""What a call can do to its session with OpenAI."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from app.audio import to_base64
from app.openai import client_events, overrides
from app.openai.images import data_url
from app.openai.link import Link
from app.realtime.history import HistoryItem
from app.realtime.session import ResponseOptions, Tool
from app.realtime.status import SessionStatus

if TYPE_CHECKING:  # it needs numpy, and only audio of another rate needs it
    from app.openai.transcode import ToPhone

_log = logging.getLogger(__name__)


class OpenAIRealtimeSessionSender:
    """What a call can do to its session; see `RealtimeSessionSender`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._resampling: dict[int, ToPhone] = {}

    @property
    def status(self) -> SessionStatus:
        """Where the session stands; each change comes as `SessionStatusChanged` as well."""
        return self._link.status

    # -- audio

    async def send_audio_delta(self, audio: str | bytes) -> None:
        """Send caller audio in the phone's format: base64 text passes unopened, raw bytes are encoded."""
        await self._link.send_audio(audio if isinstance(audio, str) else to_base64(audio))

    async def send_pcm(self, pcm: bytes, rate_hz: int) -> None:
        """Send caller audio that is 16-bit mono PCM of any rate: it reaches the model in the session's format."""
        if rate_hz not in self._resampling:
            self._resampling[rate_hz] = await asyncio.to_thread(_to_phone, rate_hz)
        if audio := self._resampling[rate_hz].feed(pcm):
            await self.send_audio_delta(audio)

    # -- answers

    async def send_tool_response(self, call_id: str, name: str, output: str) -> None:
        """Answer a tool call; OpenAI needs no name. The model goes on once every call of that answer has its output."""
        link = self._link
        await link.send(client_events.tool_output(link.exchange.new_item(), call_id, output))
        await link.send_create(link.exchange.responses.on_tool_answered(call_id))

    async def start_response(self, options: ResponseOptions | None = None) -> None:
        """Let the model speak now, or as soon as it may."""
        await self._want(overrides.of_options(options) if options else None)

    async def _want(self, wanted: Mapping[str, Any] | None) -> None:
        self._link.require_open()
        await self._link.send_create(self._link.exchange.responses.want(wanted or None))

    async def ask_aside(self, name: str, question: str) -> None:
        """Put a question to the model beside the conversation; its answer comes as `AsideDone` of that name."""
        await self._aside(name, {"instructions": question, "tool_choice": "none"})

    async def _aside(self, name: str, response: Mapping[str, Any]) -> None:
        event_id = self._link.exchange.new_aside(name)
        await self._link.send(client_events.response_create(event_id, client_events.aside(name, response)))

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Tell the model that the caller heard only the first `heard_ms` of that item."""
        await self._link.send(client_events.truncate(item_id, heard_ms))

    async def cancel(self) -> None:
        """Stop the answer under way; nothing happens when there is none."""
        self._link.require_open()
        active = self._link.exchange.responses.active
        if active is not None:
            await self._link.send(client_events.response_cancel(active))

    # -- words and pictures

    async def say(self, text: str, *, only_words: bool = False) -> None:
        """Let the model say exactly this text, now or as soon as it may; with `only_words` it can call no tool then.

        Instructions for a single response would replace the agent's own, so the words come as a system message.
        """
        order = f"Say exactly these words to the caller now, once, and nothing else:\n{text}"
        await self.send_text(order, role="system", respond=False)
        await self.start_response(ResponseOptions(tool_choice="none") if only_words else None)

    async def send_text(self, text: str, *, role: Literal["user", "system"] = "user", respond: bool = True) -> None:
        """Tell the model something as the caller's text, or as the system's; with `respond` it answers."""
        await self._link.send(client_events.message(self._link.exchange.new_item(), role, text))
        if respond:
            await self.start_response()

    async def remember(self, history: Sequence[HistoryItem]) -> None:
        """Add to the conversation what was said and done in another session, without an answer."""
        await self._link.remember(history)

    async def send_image(self, image: bytes) -> bool:
        """Show the model a PNG or JPEG, without an answer; false when it is none and nothing was sent."""
        return await self.send_text_and_images("", [image], respond=False)

    async def send_text_and_images(self, text: str, images: Sequence[bytes], *, respond: bool = True) -> bool:
        """Tell and show in one message, without the images that are none; false when nothing was left to send."""
        self._link.require_open()
        urls = [url for image in images if (url := data_url(image))]
        if not text and not urls:
            _log.warning("nothing to send: no text, and none of %d images is a PNG or JPEG", len(images))
            return False
        await self._link.send(client_events.message(self._link.exchange.new_item(), "user", text, urls))
        if respond:
            await self.start_response()
        return True

    # -- the session

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
        configured = self._link.config.wire(reveal=True)
        changes: dict[str, Any] = {} if instructions is None else {"instructions": instructions}
        if tools is not None:
            changes["tools"] = overrides.with_tools(configured, tools)
        if answers is not None and (turns := overrides.answering(configured, by_itself=answers)):
            changes["audio"] = {"input": {"turn_detection": turns}}
            self._link.exchange.responses.server_answers = answers
        await self._update(changes)

    async def _update(self, changes: Mapping[str, Any]) -> None:
        session = overrides.for_session(self._link.config.wire(), changes)
        await self._link.send(client_events.session_update(session, self._link.exchange.new_event()))

    async def answer_approval(self, request_id: str, *, approve: bool, reason: str | None = None) -> None:
        """Let the MCP tool run that an `ApprovalRequested` asked about, or not; the model speaks in either case."""
        link = self._link
        await link.send(client_events.approval(link.exchange.new_item(), request_id, approve=approve, reason=reason))
        if not approve:
            await self.start_response()

    async def send_event(self, event: Mapping[str, Any] | str) -> None:
        """Send an event in OpenAI's own words, for what has no method here; raises `ValueError` where it is none.

        The house's rules hold for it as well: responses wait for their turn, those beside the conversation stay
        silent, and updates change neither the phone's format nor the voice.
        """
        event = _event(event)
        match event["type"]:
            case "response.create":
                response = event.get("response") or {}
                if response.get("conversation") == "none":
                    await self._aside(event.get("event_id") or "aside", response)
                else:
                    await self._want(response)
            case "session.update":
                await self._update(event.get("session") or {})
            case "conversation.item.create":
                item = dict(event.get("item") or {})
                item["id"] = self._link.exchange.new_item(item.get("id"))
                await self._link.send(client_events.encode({"event_id": item["id"], **event, "item": item}))
            case _:
                await self._link.send(client_events.encode(event))

    async def close(self) -> None:
        """End the session; more than once is fine."""
        await self._link.close()


def _to_phone(rate_hz: int) -> "ToPhone":
    """Off the event loop: loading numpy would stop every other call for a tenth of a second."""
    from app.openai.transcode import ToPhone

    return ToPhone(rate_hz)


def _event(event: Mapping[str, Any] | str) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(event, type=dict[str, Any]) if isinstance(event, str) else dict(event)
    except msgspec.MsgspecError as error:
        raise ValueError("an event is a JSON object") from error
    if not isinstance(event.get("type"), str):
        raise ValueError("an event has a type")
    return event
