"""The documented sequences, over a real socket."""

import asyncio
import itertools

import pytest

from app.audio import base64_size
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.sound import encode
from app.sandbox.openai.story import StoryBrain
from app.sandbox.voices.clips import clip, text_of
from tests.unit.sandbox.openai.client import Client, dial

QUIET = b"\xff" * 8000
LONG = Say.words("A long sentence.", audio_ms=20_000)
SPOKEN = [
    "response.created",
    "rate_limits.updated",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]
CALLED = [
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "conversation.item.done",
    "response.output_item.done",
]


def once(kinds: list[str]) -> list[str]:
    return list(dict.fromkeys(kinds))


async def started(client: Client) -> str:
    """Let a response speak; the item's id, once some of its audio has come."""
    await client.send("response.create")
    return (await client.next("response.output_audio.delta"))["item_id"]


async def test_a_session_introduces_itself_and_shows_its_whole_configuration():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        created = await client.next("session.created")
        updated = await client.configure(instructions="Be brief.")

    assert created["session"]["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert created["session"]["expires_at"] > 0
    assert updated["session"]["id"] == created["session"]["id"]
    assert updated["session"]["model"] == "gpt-realtime-2.1"
    assert updated["session"]["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "marin", "speed": 1.0}
    assert updated["session"]["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    assert client.kinds() == ["session.created", "conversation.created", "session.updated"]


async def test_an_answer_comes_in_the_documented_order_with_all_its_audio():
    brain = ScriptedBrain([Reply.of(Say.phrase("greeting"))])
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create")
        done = (await client.next("response.done"))["response"]

    [item] = done["output"]
    ids = [event.get("event_id") for event in client.events]
    assert once(client.kinds("response.created")) == SPOKEN
    assert client.audio_of(item["id"]) == clip("greeting")
    assert item["content"] == [{"type": "output_audio", "transcript": text_of("greeting")}]
    assert (done["status"], done["usage"]["output_token_details"]["audio_tokens"]) == ("completed", 67)
    assert brain.heard[0].why == "start"
    assert len(set(ids)) == len(ids)
    assert None not in ids


async def test_audio_comes_faster_than_real_time_and_not_in_whole_frames():
    async with SandboxOpenAI(ScriptedBrain([Reply.of(LONG)]), speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        began = asyncio.get_running_loop().time()
        await client.send("response.create")
        await client.next("response.done")
        took_s = asyncio.get_running_loop().time() - began

    deltas = [event for event in client.events if event["type"] == "response.output_audio.delta"]
    sizes = {base64_size(event["delta"]) % 160 for event in deltas}
    assert 20 / 8 / 100 <= took_s < 20 / 8
    assert len(sizes) > 2


async def test_a_response_may_speak_and_call_several_tools():
    calls = CallTool("lookup_table", '{"evening": "tonight"}'), CallTool("end_call")
    reply = Reply.of(calls[0], Say.phrase("still_there"), calls[1])
    async with SandboxOpenAI(ScriptedBrain([reply]), speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create")
        done = (await client.next("response.done"))["response"]

    assert [item["type"] for item in done["output"]] == ["function_call", "message", "function_call"]
    assert [item["status"] for item in done["output"]] == ["completed"] * 3
    assert once(client.kinds("response.created"))[2:8] == CALLED
    arguments = [event["delta"] for event in client.events if event["type"] == "response.function_call_arguments.delta"]
    assert "".join(arguments) == '{"evening": "tonight"}{}'
    assert len(arguments) > 2


async def test_the_caller_is_noticed_committed_transcribed_and_answered():
    brain = ScriptedBrain([Reply.of(Say.phrase("opening_sunday"))])
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.speak(QUIET + clip("opening_hours", "espeak_high") + QUIET)
        begun = await client.next("input_audio_buffer.speech_started")
        ended = await client.next("input_audio_buffer.speech_stopped")
        committed = await client.next("input_audio_buffer.committed")
        heard = await client.next("conversation.item.input_audio_transcription.completed")
        await client.next("response.done")
        session = await sandbox.session()
        await client.send("conversation.item.retrieve", item_id=committed["item_id"])
        kept = (await client.next("conversation.item.retrieved"))["item"]

    assert begun["audio_start_ms"] == pytest.approx(700, abs=160)
    assert begun["item_id"] == ended["item_id"] == committed["item_id"] == heard["item_id"]
    assert heard["transcript"] == text_of("opening_hours")
    assert (brain.heard[0].why, brain.heard[0].phrase) == ("speech", "opening_hours")
    assert brain.heard[0].audio_ms == ended["audio_end_ms"] - begun["audio_start_ms"]
    assert bytes(session.caller_audio) == QUIET + clip("opening_hours", "espeak_high") + QUIET
    assert len(kept["content"][0]["audio"]) * 3 // 4 == pytest.approx(brain.heard[0].audio_ms * 8, abs=3)


async def test_a_caller_who_speaks_cuts_the_answer_off():
    brain = ScriptedBrain([Reply.of(LONG, CallTool("end_call")), Reply.of(Say.phrase("still_there"))])
    async with SandboxOpenAI(brain, speed=2) as sandbox, dial(sandbox) as client:
        await client.configure()
        item_id = await started(client)
        await client.speak(clip("tomorrow_instead") + QUIET)
        await client.next("input_audio_buffer.speech_started")
        cut = (await client.next("response.done"))["response"]
        again = (await client.next("response.done"))["response"]

    assert cut["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert [(item["id"], item["status"]) for item in cut["output"]] == [(item_id, "incomplete")]
    assert again["status"] == "completed"
    assert len(client.audio_of(item_id)) < 20_000 * 8
    assert brain.heard[1].phrase == "tomorrow_instead"


async def test_a_tool_call_that_is_cut_off_is_incomplete_and_its_arguments_are_half():
    slow = Reply.of(CallTool("lookup_table", '{"evening": "tonight"}'))
    async with SandboxOpenAI(ScriptedBrain([slow]), speed=0.01) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create")
        await client.next("response.function_call_arguments.delta")
        await client.send("response.cancel")
        half = await client.next("response.function_call_arguments.done")
        done = (await client.next("response.done"))["response"]

    assert '{"evening": "tonight"}'.startswith(half["arguments"])
    assert half["arguments"] != '{"evening": "tonight"}'
    assert done["output"][0]["status"] == "incomplete"
    assert done["status_details"]["reason"] == "client_cancelled"


async def test_without_interrupt_response_the_answer_goes_on_and_no_second_one_starts():
    brain = ScriptedBrain([Reply(parts=(Say.words("On and on.", audio_ms=4000),), pace=1)])
    detection = {"type": "server_vad", "interrupt_response": False}
    async with SandboxOpenAI(brain, speed=4) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send(
            "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        )
        await client.send("response.create")
        await client.speak(clip("goodbye") + QUIET)
        await client.next("input_audio_buffer.speech_stopped")
        done = await client.next("response.done")

    assert done["response"]["status"] == "completed"
    assert len(brain.heard) == 1


@pytest.mark.parametrize(("eagerness", "waits_ms"), [("low", 1600), ("medium", 800), ("auto", 800), ("high", 400)])
async def test_semantic_detection_waits_as_long_as_its_eagerness_says(eagerness, waits_ms):
    detection = {"type": "semantic_vad", "eagerness": eagerness}
    async with SandboxOpenAI(ScriptedBrain([]), speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send(
            "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        )
        updated = await client.next("session.updated")
        await client.speak(QUIET + clip("opening_hours") + QUIET * 2)
        stopped = await client.next("input_audio_buffer.speech_stopped")
        await client.next("response.done")

    assert updated["session"]["audio"]["input"]["turn_detection"] == detection | {
        "create_response": True,
        "interrupt_response": True,
    }
    end_ms = (len(QUIET) + len(clip("opening_hours"))) // 8
    assert stopped["audio_end_ms"] == pytest.approx(end_ms + waits_ms, abs=160)


async def test_without_turn_detection_the_client_commits_and_asks():
    brain = ScriptedBrain([Reply.of(Say.phrase("not_found"))])
    audio = {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("session.update", session={"type": "realtime", "audio": audio})
        await client.speak(clip("speak_to_human") + QUIET)
        await client.send("input_audio_buffer.commit")
        await client.next("input_audio_buffer.committed")
        await client.send("response.create")
        await client.next("response.done")

    assert brain.heard[0].phrase == "speak_to_human"
    assert "input_audio_buffer.speech_started" not in client.kinds()


async def test_a_silent_caller_is_asked_after_the_time_that_was_set():
    brain = ScriptedBrain([Reply.of(Say.phrase("still_there"))] * 2)
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with SandboxOpenAI(brain, speed=1000) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send(
            "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        )
        await client.send("response.create")
        await client.next("response.done")
        await client.speak(b"\xff" * 8 * 7000)
        idle = await client.next("input_audio_buffer.timeout_triggered")
        await client.next("response.done")

    assert idle["audio_start_ms"] == len(clip("still_there")) // 8
    assert idle["audio_end_ms"] - idle["audio_start_ms"] == pytest.approx(5000, abs=20)
    assert brain.heard[1].why == "idle"


async def test_truncating_keeps_what_was_heard_and_refuses_more_than_was_said():
    async with (
        SandboxOpenAI(ScriptedBrain([Reply.of(Say.phrase("greeting"))]), speed=100) as sandbox,
        dial(sandbox) as client,
    ):
        await client.configure()
        item_id = await started(client)
        await client.next("response.done")
        length_ms = len(clip("greeting")) // 8
        cut = {"item_id": item_id, "content_index": 0}
        await client.send("conversation.item.truncate", audio_end_ms=length_ms + 1, **cut)
        refused = (await client.next("error"))["error"]
        await client.send("conversation.item.truncate", audio_end_ms=900, **cut)
        truncated = await client.next("conversation.item.truncated")
        await client.send("conversation.item.truncate", audio_end_ms=901, **cut)
        shorter = (await client.next("error"))["error"]

    assert refused["message"] == f"Audio content of {length_ms}ms is already shorter than {length_ms + 1}ms"
    assert truncated["audio_end_ms"] == 900
    assert shorter["message"] == "Audio content of 900ms is already shorter than 901ms"


async def test_a_second_response_is_refused_while_one_is_active_and_one_apart_is_not():
    apart = {"conversation": "none", "input": [], "metadata": {"topic": "summary"}, "output_modalities": ["text"]}
    brain = ScriptedBrain([Reply.of(LONG), Reply.of(Say.words("A summary."))])
    async with SandboxOpenAI(brain, speed=1) as sandbox, dial(sandbox) as client:
        await client.configure()
        await started(client)
        await client.send("response.create", event_id="second")
        refused = (await client.next("error"))["error"]
        await client.send("response.create", response=apart)
        summary = (await client.next("response.done"))["response"]

    assert (refused["code"], refused["event_id"]) == ("conversation_already_has_active_response", "second")
    assert (summary["metadata"], summary["conversation_id"]) == ({"topic": "summary"}, None)
    assert summary["output"][0]["content"] == [{"type": "output_text", "text": "A summary."}]


async def test_a_failed_answer_says_why():
    async with SandboxOpenAI(ScriptedBrain([Reply(failure="rate_limit_exceeded")])) as sandbox, dial(sandbox) as client:
        await client.send("response.create")
        done = (await client.next("response.done"))["response"]

    assert (done["status"], done["status_details"]["error"]["code"]) == ("failed", "rate_limit_exceeded")


async def test_the_brain_is_told_tool_outputs_texts_and_exact_words():
    brain = ScriptedBrain([Reply.of(CallTool("lookup_table", '{"evening": "tonight"}'))])
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create")
        call_id = (await client.next("response.done"))["response"]["output"][0]["call_id"]
        output = {"type": "function_call_output", "call_id": call_id, "output": "A table at six."}
        text = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "The caller pressed 1."}]}
        for item in (output, text):
            await client.send("conversation.item.create", item=item)
            await client.send("response.create", response={"tool_choice": "none"})
            await client.next("response.done")
        await client.send(
            "response.create", response={"instructions": "Say exactly these words to the caller:\nGood bye."}
        )
        await client.next("response.done")

    _, told, written, exact = brain.heard
    assert (told.why, told.outputs[0].name, told.outputs[0].output) == (
        "tool_outputs",
        "lookup_table",
        "A table at six.",
    )
    assert (written.why, written.text, written.tools) == ("text", "The caller pressed 1.", frozenset())
    assert (exact.why, exact.words, exact.tools) == ("exact_words", "Good bye.", {"lookup_table", "end_call"})


async def test_items_keep_their_order_and_can_be_deleted():
    def said(item_id: str) -> dict[str, object]:
        content = [{"type": "input_text", "text": item_id}]
        return {"id": item_id, "type": "message", "role": "user", "content": content}

    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        await client.send("conversation.item.create", item=said("second"))
        await client.send("conversation.item.create", item=said("first"), previous_item_id="root")
        await client.send("conversation.item.create", item=said("third"), previous_item_id="second")
        await client.send("conversation.item.delete", item_id="second")
        await client.next("conversation.item.deleted")
        session = await sandbox.session()

    added = [event["previous_item_id"] for event in client.events if event["type"] == "conversation.item.added"]
    assert added == [None, None, "second"]
    assert [entry.item["id"] for entry in session.conversation] == ["first", "third"]


@pytest.mark.parametrize("chunk", [160, 960, 1001])
@pytest.mark.parametrize("form", ["audio/pcmu", "audio/pcma", "audio/pcm"])
async def test_the_story_is_understood_in_every_format_however_it_is_cut(form, chunk):
    shape = {"type": form} | ({"rate": 24000} if form == "audio/pcm" else {})
    audio = {"input": {"format": shape}, "output": {"format": shape}}
    async with SandboxOpenAI(StoryBrain(), speed=100) as sandbox, dial(sandbox) as client:
        await client.send("session.update", session={"type": "realtime", "audio": audio})
        await client.speak(encode(clip("opening_hours") + QUIET, form), chunk)
        stopped = await client.next("input_audio_buffer.speech_stopped")
        item = (await client.next("response.done"))["response"]["output"][0]

    assert client.audio_of(item["id"]) == encode(clip("opening_sunday"), form)
    assert stopped["audio_end_ms"] == pytest.approx(len(clip("opening_hours")) // 8 + 500, abs=160)


async def test_the_whole_story_is_told():
    async with SandboxOpenAI(StoryBrain(), speed=20) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create")
        greeting = await client.next("response.done")
        await client.speak(clip("table_tonight", "rms") + QUIET)
        first = await client.next("response.done")
        await answer(client, first, "A table at six, and one at half past nine.")
        await client.next("response.output_audio.delta")
        await client.speak(clip("tomorrow_instead", "rms") + QUIET)
        cut = await client.next("response.done")
        second = await client.next("response.done")
        await answer(client, second, "A table at eight.")
        goodbye = await client.next("response.done")

    assert words(greeting) == [text_of("greeting")]
    assert words(first) == ['lookup_table {"evening": "tonight"}']
    assert cut["response"]["status"] == "cancelled"
    assert words(second) == ['lookup_table {"evening": "tomorrow"}']
    assert words(goodbye) == [text_of("tomorrow_goodbye"), "end_call {}"]


async def answer(client: Client, done: dict, output: str) -> None:
    call_id = done["response"]["output"][0]["call_id"]
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    await client.send("conversation.item.create", item=item)
    await client.send("response.create")


def words(done: dict) -> list[str]:
    said = itertools.chain.from_iterable(
        [f"{item['name']} {item['arguments']}"]
        if item["type"] == "function_call"
        else [part["transcript"] for part in item["content"]]
        for item in done["response"]["output"]
    )
    return list(said)
