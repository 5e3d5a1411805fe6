"""What a call can do to its session, and what it hears of the session itself, over real sockets."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from app.audio import base64_size
from app.errors import SessionLost
from app.openai import link as link_module
from app.openai.link import Link
from app.realtime.events import (
    AgentText,
    ApprovalRequested,
    AsideDone,
    ItemAdded,
    ResponseDone,
    ResponseStarted,
    SessionCreated,
    SessionExpiring,
    SessionProblem,
    SessionStatusChanged,
    SessionUpdated,
    Unknown,
)
from app.realtime.session import ResponseOptions, Tool
from app.realtime.status import SessionStatus
from app.timing import Deadlines
from tests.unit.openai.scripted import QUICK, Peer, Script, greet, heard, open_session, playing, until_lost

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
ACTIVE, DISCONNECTED = SessionStatus.ACTIVE, SessionStatus.DISCONNECTED


def expecting(got: list[dict[str, Any]], *kinds: str) -> Script:
    """A server that collects these events of ours, and closes."""

    async def script(peer: Peer) -> None:
        await peer.greet()
        for kind in kinds:
            got.append(await peer.receive(kind))
        await peer.connection.close()

    return script


async def story(receiver: Any) -> list[Any]:
    """Everything a receiver tells until the server ends the session."""
    told = []

    async def collect() -> None:
        async for event in receiver:
            told.append(event)

    with pytest.raises(SessionLost):
        await collect()
    return told


async def test_r0_9_r0_10_r0_13_r3_9_r3_10_both_ends_of_one_session_have_what_the_seam_promises():
    from app.realtime import session as seam

    async with playing(greet) as server:
        sender, receiver = await open_session(server)
        for end, promise in ((sender, seam.RealtimeSessionSender), (receiver, seam.RealtimeSessionReceiver)):
            promised = {name for name in vars(promise) if not name.startswith("_") or name == "__aiter__"}
            assert promised <= set(dir(end))
        await sender.close()


async def test_r3_17_to_say_a_text_is_a_system_message_and_a_response():
    got: list[dict[str, Any]] = []
    async with playing(expecting(got, "conversation.item.create", "response.create")) as server:
        sender, _ = await open_session(server)
        await sender.say("Good morning.")
        await server.closed.wait()
    assert got[0]["item"]["role"] == "system"
    assert "Good morning." in got[0]["item"]["content"][0]["text"]


async def test_r3_18_a_text_comes_as_the_callers_or_the_systems_and_is_answered_where_wished():
    got: list[dict[str, Any]] = []
    kinds = ("conversation.item.create", "conversation.item.create", "response.create")
    async with playing(expecting(got, *kinds)) as server:
        sender, _ = await open_session(server)
        await sender.send_text("They are VIPs.", role="system", respond=False)
        await sender.send_text("Hello")
        await server.closed.wait()
    assert [event["item"]["role"] for event in got[:2]] == ["system", "user"]


async def test_r3_19_an_image_is_shown_without_an_answer_and_what_is_none_is_ignored():
    got: list[dict[str, Any]] = []
    async with playing(expecting(got, "conversation.item.create")) as server:
        sender, _ = await open_session(server)
        assert await sender.send_image(PNG)
        assert not await sender.send_image(b"no picture" * 50)
        await server.closed.wait()
    [part] = got[0]["item"]["content"]
    assert part["type"] == "input_image"
    assert part["image_url"].startswith("data:image/png;base64,")


async def test_r3_20_text_and_images_go_together_without_the_broken_ones_and_nothing_is_sent_of_nothing(
    caplog: pytest.LogCaptureFixture,
):
    got: list[dict[str, Any]] = []
    async with playing(expecting(got, "conversation.item.create", "response.create")) as server:
        sender, _ = await open_session(server)
        assert not await sender.send_text_and_images("", [b"", PNG[:50]])
        assert await sender.send_text_and_images("Look.", [PNG, PNG[:50]])
        await server.closed.wait()
    assert [part["type"] for part in got[0]["item"]["content"]] == ["input_text", "input_image"]
    assert "nothing to send" in caplog.text


async def test_r2_13_r3_21_a_response_has_instructions_and_metadata_of_its_own():
    got: list[dict[str, Any]] = []
    async with playing(expecting(got, "response.create")) as server:
        sender, _ = await open_session(server)
        await sender.start_response(ResponseOptions(instructions="Be brief.", metadata={"client_event_id": "7"}))
        await server.closed.wait()
    assert got[0]["event_id"]
    assert got[0]["response"] == {"instructions": "Be brief.", "metadata": {"client_event_id": "7"}}


async def test_r2_13_another_voice_is_left_out_once_the_agent_has_spoken():
    async def script(peer: Peer) -> None:
        await peer.greet()
        first = await peer.receive("response.create")
        assert first["response"]["audio"]["output"] == {"voice": "cedar"}
        await peer.send("response.created", response={"id": "resp_1"})
        await peer.send("response.content_part.added", item_id="item_1", part={"type": "audio"})
        await peer.send("response.done", response={"id": "resp_1", "status": "completed"})
        second = await peer.receive("response.create")
        assert "audio" not in second.get("response", {})
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.start_response(ResponseOptions(voice="cedar"))
        await sender.start_response(ResponseOptions(voice="echo"))
        await until_lost(receiver)


async def test_r3_25_a_cancel_is_sent_only_while_a_response_is_active():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("response.created", response={"id": "resp_1"})
        assert (await peer.receive("response.cancel"))["response_id"] == "resp_1"
        await peer.send("response.done", response={"id": "resp_1", "status": "cancelled"})
        await peer.receive("input_audio_buffer.append")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.cancel()
        events = heard(receiver)
        assert await anext(events) == ResponseStarted("resp_1")
        await sender.cancel()
        assert await anext(events) == ResponseDone("resp_1", "cancelled")
        await sender.cancel()
        await sender.send_audio_delta("//8=")
        await server.closed.wait()


@pytest.mark.parametrize("as_text", [False, True])
async def test_r3_23_r3_26_any_event_is_sent_as_an_object_or_as_its_json(as_text: bool):
    got: list[dict[str, Any]] = []
    async with playing(expecting(got, "conversation.item.delete")) as server:
        sender, _ = await open_session(server)
        event = {"type": "conversation.item.delete", "item_id": "item_1"}
        await sender.send_event('{"type":"conversation.item.delete","item_id":"item_1"}' if as_text else event)
        await server.closed.wait()
    assert got == [event]


async def test_r3_26_the_houses_rules_hold_for_raw_events_too():
    got: list[dict[str, Any]] = []
    kinds = ("response.create", "session.update", "conversation.item.create", "response.create")
    async with playing(expecting(got, *kinds)) as server:
        sender, _ = await open_session(server)
        await sender.send_event({"type": "response.create", "response": {"tool_choice": "none"}})
        await sender.send_event({"type": "response.create"})  # one is in flight: this one waits
        await sender.send_event({"type": "session.update", "session": {"audio": {"output": {"voice": "echo"}}}})
        await sender.send_event({"type": "conversation.item.create", "item": {"type": "message"}})
        await sender.send_event({"type": "response.create", "response": {"conversation": "none"}})
        await server.closed.wait()
    first, update, item, beside = got
    assert first["response"] == {"tool_choice": "none"}
    assert update["session"]["audio"]["output"] == {"format": {"type": "audio/pcmu"}}
    assert item["item"]["id"] == item["event_id"]
    assert beside["response"]["output_modalities"] == ["text"]


@pytest.mark.parametrize("event", ["no json", "[]", {}, {"type": 7}])
async def test_r3_26_what_is_no_event_is_not_sent(event: Any):
    async with playing(greet) as server:
        sender, _ = await open_session(server)
        with pytest.raises(ValueError, match="an event"):
            await sender.send_event(event)
        await sender.close()


async def test_r3_12_instructions_and_tools_change_in_mid_call_with_the_phones_format_and_no_voice():
    got: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.greet()
        got.append((await peer.receive("session.update"))["session"])
        await peer.send("session.updated", session=got[0])
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.update(instructions="New.", tools=[Tool("find", "Finds.", {"type": "object"})])
        assert await until_lost(receiver) == [SessionUpdated(got[0])]
    pcmu = {"format": {"type": "audio/pcmu"}}
    assert got[0]["type"] == "realtime"
    assert (got[0]["instructions"], [tool["name"] for tool in got[0]["tools"]]) == ("New.", ["find"])
    assert got[0]["audio"] == {"input": pcmu, "output": pcmu}


async def test_a_line_that_is_dead_is_a_lost_session_although_sending_succeeds():
    async def script(peer: Peer) -> None:
        await peer.greet()
        peer.connection.transport.pause_reading()

    async with playing(script) as server:
        sender, receiver = await open_session(server, deadlines=replace(QUICK, ping_s=0.05, pong_s=0.05))
        await sender.send_audio_delta("AAAA")
        async with asyncio.timeout(5):
            assert await until_lost(receiver) == []
        assert sender.status is DISCONNECTED


async def test_a_question_beside_the_conversation_is_answered_in_writing_and_nothing_else_is_told_of_it():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("response.created", response={"id": "resp_1"})
        asked = (await peer.receive("response.create"))["response"]
        assert (asked["conversation"], asked["output_modalities"], asked["tool_choice"]) == ("none", ["text"], "none")
        beside = {"id": "resp_2", "metadata": asked["metadata"]}
        await peer.send("response.created", response=beside)
        await peer.send("response.output_text.delta", response_id="resp_2", item_id="item_9", delta="ang")
        output = [{"type": "message", "content": [{"type": "output_text", "text": "angry"}]}]
        await peer.send("response.done", response=beside | {"status": "completed", "output": output})
        await peer.receive("response.cancel")  # the other answer is still under way
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        events = heard(receiver)
        await anext(events)
        await sender.ask_aside("mood", "How does the caller feel, in one word?")
        told = [event async for event in _until(events, AsideDone)]
        await sender.cancel()
        await server.closed.wait()
    assert [event for event in told if not isinstance(event, Unknown)] == [AsideDone("mood", "angry")]


async def _until(events: Any, kind: type) -> Any:
    async for event in events:
        yield event
        if isinstance(event, kind):
            return


async def test_a_refused_question_beside_the_conversation_failed():
    async def script(peer: Peer) -> None:
        await peer.greet()
        create = await peer.receive("response.create")
        await peer.error("rate_limit_exceeded", event_id=create["event_id"])
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.ask_aside("mood", "?")
        events = await until_lost(receiver)
    assert events[-1] == AsideDone("mood", status="failed", reason="rate_limit_exceeded")


async def test_a_create_refused_for_another_reason_is_told_as_a_failed_answer_and_blocks_nothing():
    async def script(peer: Peer) -> None:
        await peer.greet()
        create = await peer.receive("response.create")
        await peer.error("invalid_value", event_id=create["event_id"])
        await peer.receive("response.create")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.start_response()
        events = heard(receiver)
        problem = await anext(events)
        assert isinstance(problem, SessionProblem)
        assert problem.severity == "retryable"
        assert await anext(events) == ResponseDone(status="failed", reason="invalid_value")
        await sender.start_response()
        await server.closed.wait()


async def test_a_create_that_the_server_forgets_is_told_as_a_failed_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(link_module, "CREATE_S", 0.05)

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("response.create")
        await peer.receive("response.create")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.start_response()
        assert await anext(heard(receiver)) == ResponseDone(status="failed", reason="response_not_started")
        await sender.start_response()
        await server.closed.wait()


async def test_an_approval_is_answered_and_a_denied_tool_is_spoken_about():
    item = {"id": "ask_1", "type": "mcp_approval_request", "server_label": "docs", "name": "pay", "arguments": "{}"}

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("response.output_item.done", item=item)
        answer = (await peer.receive("conversation.item.create"))["item"]
        assert (answer["type"], answer["approval_request_id"], answer["approve"]) == (
            "mcp_approval_response",
            "ask_1",
            False,
        )
        await peer.receive("response.create")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        request = await anext(heard(receiver))
        assert request == ApprovalRequested("ask_1", "docs", "pay", "{}")
        await sender.answer_approval(request.request_id, approve=False, reason="too dear")
        await server.closed.wait()


async def test_the_result_of_an_approved_mcp_call_is_voiced_after_an_answer_that_began_without_it():
    async def script(peer: Peer) -> None:
        await peer.greet()
        item = {"id": "mcp_1", "type": "mcp_call", "approval_request_id": "ask_1"}
        await peer.send("conversation.item.added", item=item)
        await peer.send("response.created", response={"id": "resp_1"})
        await peer.send("response.mcp_call.completed", item_id="mcp_1")
        await peer.send("response.done", response={"id": "resp_1", "status": "completed", "output": []})
        await peer.receive("response.create")
        await peer.connection.close()

    async with playing(script) as server:
        _, receiver = await open_session(server)
        events = heard(receiver)
        for _ in range(4):
            await anext(events)
        async with asyncio.timeout(2):
            await server.closed.wait()


@pytest.mark.parametrize("ends_with", ["mcp_call", "message"])
async def test_an_mcp_result_is_voiced_once(ends_with: str):
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("response.created", response={"id": "resp_1"})
        await peer.send("response.mcp_call.completed", item_id="item_1")
        output = [{"type": "mcp_call"}, {"type": ends_with}]
        await peer.send("response.done", response={"id": "resp_1", "status": "completed", "output": output})
        await peer.receive("response.create" if ends_with == "mcp_call" else "input_audio_buffer.append")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        events = heard(receiver)
        for _ in range(3):
            await anext(events)
        await sender.send_audio_delta("//8=") if ends_with == "message" else None
        await server.closed.wait()


async def test_an_item_is_told_once_under_its_old_and_its_new_name():
    async def script(peer: Peer) -> None:
        await peer.greet()
        for kind in ("conversation.item.created", "conversation.item.added"):
            await peer.send(kind, item={"id": "item_1", "type": "message", "role": "user"}, previous_item_id=None)
        await peer.connection.close()

    async with playing(script) as server:
        _, receiver = await open_session(server)
        assert await until_lost(receiver) == [ItemAdded("item_1", "message", "user")]


async def test_written_answers_are_told():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("response.output_text.done", response_id="resp_1", item_id="item_1", text="Hello")
        await peer.connection.close()

    async with playing(script) as server:
        _, receiver = await open_session(server)
        assert await until_lost(receiver) == [AgentText("Hello", "item_1", "resp_1", final=True)]


async def test_r3_14_audio_of_another_rate_reaches_the_session_in_its_own_format():
    sent: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.greet()
        while (event := json.loads(await peer.connection.recv()))["type"] == "input_audio_buffer.append":
            sent.append(event["audio"])
        await peer.connection.close()

    async with playing(script) as server:
        sender, _ = await open_session(server)
        for _ in range(10):
            await sender.send_pcm(bytes(48 * 100 * 2), 48_000)
        await sender.send_event({"type": "input_audio_buffer.clear"})
        await server.closed.wait()
    sent_ms = sum(map(base64_size, sent)) / 8
    assert 850 <= sent_ms <= 1000, "a second at 48 kHz is a second of µ-law, but for what the resampler still holds"


# -- the session's own story


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (1000, "", "disconnected"),
        (1011, "internal", "disconnected"),
        (1001, "Your session hit the maximum duration of 60 minutes.", "expired"),
        (4000, "invalid_request_error.session_expired", "expired"),
        (4000, "invalid_request_error.beta_api_shape_disabled", "error"),
    ],
)
async def test_r2_12_r3_24_a_sessions_status_is_observable_and_told(code: int, reason: str, status: str):
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.connection.close(code, reason)

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        assert sender.status is ACTIVE
        told = await story(receiver)
    assert told == [
        SessionStatusChanged(ACTIVE, SessionStatus.CONNECTING),
        SessionCreated("sess_1"),
        SessionStatusChanged(SessionStatus(status), ACTIVE),
    ]
    assert sender.status == status


@pytest.mark.parametrize(("code", "status"), [("session_expired", "expired"), ("insufficient_quota", "error")])
async def test_r2_12_a_fatal_error_ends_the_session_and_stays_its_end(code: str, status: str):
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.error(code)
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        told = await story(receiver)
        await sender.close()
    assert told[-1] == SessionStatusChanged(SessionStatus(status), ACTIVE)
    assert sender.status == status


async def test_r2_12_our_own_close_is_told_as_the_end():
    async with playing(greet) as server:
        sender, receiver = await open_session(server)
        await sender.close()
        told = [event async for event in receiver]
    assert told[-1] == SessionStatusChanged(DISCONNECTED, ACTIVE)


async def test_r3_18_r3_21_r3_32_on_a_closed_session_everything_but_close_raises_session_lost():
    async with playing(greet) as server:
        sender, _ = await open_session(server)
        await sender.close()
        for attempt in (
            sender.start_response,
            sender.cancel,
            lambda: sender.say("x"),
            lambda: sender.send_text("x"),
            lambda: sender.send_image(b""),
            lambda: sender.send_audio_delta("//8="),
            lambda: sender.send_tool_response("call_1", "f", "x"),
            lambda: sender.truncate("item_1", 1),
            lambda: sender.update(instructions="x"),
            lambda: sender.ask_aside("a", "b"),
            lambda: sender.answer_approval("ask_1", approve=True),
            lambda: sender.send_event({"type": "input_audio_buffer.clear"}),
        ):
            with pytest.raises(SessionLost, match="the session has been closed"):
                await attempt()
        await sender.close()


@pytest.mark.parametrize("left_s", [0.2, 1000.0])
async def test_a_session_says_some_time_before_that_it_expires(left_s: float):
    lead_s = left_s - 0.1

    async def script(peer: Peer) -> None:
        await peer.send("session.created", session={"id": "sess_1", "expires_at": time.time() + left_s})
        await peer.send("session.updated", session=(await peer.receive("session.update"))["session"])
        await peer.connection.wait_closed()

    async with playing(script) as server:
        sender, receiver = await open_session(server, deadlines=Deadlines(expiring_s=lead_s, close_s=0.2))
        expiring = await anext(heard(receiver))
        await sender.close()
    assert isinstance(expiring, SessionExpiring)
    assert expiring.left_s == pytest.approx(lead_s, abs=0.09)


async def test_while_audio_streams_in_no_timer_is_set(
    monkeypatch: pytest.MonkeyPatch,
):
    dues: list[int] = []
    watched = Link._dues_s

    def counting(link: Link) -> list[float]:
        dues.append(1)
        return watched(link)

    monkeypatch.setattr(Link, "_dues_s", counting)

    async def script(peer: Peer) -> None:
        await peer.greet()
        for _ in range(50):
            await peer.send("response.output_audio.delta", delta="//8=", item_id="item_1", response_id="resp_1")
        await peer.connection.close()

    async with playing(script) as server:
        _, receiver = await open_session(server)
        assert len(await until_lost(receiver)) == 50
    assert len(dues) == 1, "only before the first delta"


async def test_r3_16_pings_are_answered_and_an_error_closes_nothing():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await (await peer.connection.ping())
        await peer.error("invalid_value")
        await peer.receive("input_audio_buffer.append")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        assert isinstance(await anext(heard(receiver)), SessionProblem)
        await sender.send_audio_delta("//8=")
        await server.closed.wait()


async def test_r3_22_each_end_of_a_session_works_in_a_task_of_its_own():
    frames = 200

    async def script(peer: Peer) -> None:
        await peer.greet()
        for _ in range(frames):
            await peer.receive("input_audio_buffer.append")
            await peer.send("response.output_audio.delta", delta="//8=", item_id="item_1", response_id="resp_1")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)

        async def speak() -> None:
            for _ in range(frames):
                await sender.send_audio_delta("//8=")

        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(until_lost(receiver))
            tasks.create_task(speak())
    assert len(listening.result()) == frames
