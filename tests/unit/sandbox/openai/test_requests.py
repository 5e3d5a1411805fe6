"""What a client may ask of one response, and give to it."""

import base64

import pytest

from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.voices.clips import clip, text_of
from tests.unit.sandbox.openai.client import dial

QUIET = b"\xff" * 8000
SHORT = Reply.of(Say.phrase("still_there"))
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
JPEG = "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8\xff rest").decode()


def user(*content, **fields):
    return {"type": "message", "role": "user", "content": list(content), **fields}


def text(words):
    return {"type": "input_text", "text": words}


def image(url):
    return {"type": "input_image", "image_url": url}


async def done(client):
    return (await client.next("response.done"))["response"]


async def test_a_response_has_its_own_instructions_tools_and_metadata_and_the_session_keeps_its_own():
    brain = ScriptedBrain([SHORT, SHORT])
    own = {
        "instructions": "Answer in French.",
        "tools": [{"type": "function", "name": "translate"}],
        "metadata": {"topic": "french"},
        "max_output_tokens": 900,
    }
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        await client.configure(instructions="Answer in English.")
        await client.send("response.create", response=own)
        first = await done(client)
        await client.send("response.create")
        second = await done(client)

    assert [heard.instructions for heard in brain.heard] == ["Answer in French.", "Answer in English."]
    assert [heard.tools for heard in brain.heard] == [{"translate"}, {"lookup_table", "end_call"}]
    assert [(each["metadata"], each["max_output_tokens"]) for each in (first, second)] == [
        ({"topic": "french"}, 900),
        (None, "inf"),
    ]


@pytest.mark.parametrize(
    ("choice", "tools"),
    [
        ("none", set()),
        ("required", {"lookup_table", "end_call"}),
        ({"type": "function", "name": "end_call"}, {"end_call"}),
    ],
)
async def test_a_response_has_its_own_tool_choice(choice, tools):
    brain = ScriptedBrain([SHORT])
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create", response={"tool_choice": choice})
        await done(client)

    assert brain.heard[0].tools == tools


async def test_a_response_may_have_its_own_voice_until_one_was_heard():
    cedar = {"audio": {"output": {"voice": "cedar"}}}
    async with SandboxOpenAI(ScriptedBrain([SHORT, SHORT]), speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create", response=cedar)
        first = await done(client)
        await client.send("response.create", response=cedar)
        error = (await client.next("error"))["error"]

    assert first["audio"]["output"]["voice"] == "cedar"
    assert (error["code"], error["param"]) == ("cannot_update_voice", "response.audio.output.voice")


async def test_a_response_may_be_written_instead_of_spoken():
    async with SandboxOpenAI(ScriptedBrain([Reply.of(Say.words("Two words."))])) as sandbox, dial(sandbox) as client:
        await client.configure(output_modalities=["text"])
        await client.send("response.create")
        answer = await done(client)

    kinds = client.kinds("response.created")
    assert kinds[4:9] == [
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
    ]
    assert answer["output"][0]["content"] == [{"type": "output_text", "text": "Two words."}]


async def test_a_response_may_have_its_own_input_with_references_and_leaves_the_conversation_alone():
    brain = ScriptedBrain([SHORT, Reply.of(Say.words("Hours."))])
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.speak(clip("opening_hours") + QUIET)
        turn = await client.next("input_audio_buffer.committed")
        await client.next("conversation.item.input_audio_transcription.completed")
        await done(client)
        before = client.events[-1]["response"]["usage"]["input_tokens"]
        question = user(text("In one word?"))
        apart = {
            "conversation": "none",
            "output_modalities": ["text"],
            "input": [{"type": "item_reference", "id": turn["item_id"]}, question],
        }
        await client.send("response.create", response=apart)
        topic = await done(client)
        session = await sandbox.session()

    assert brain.heard[1].text == f"{text_of('opening_hours')}\nIn one word?"
    assert topic["conversation_id"] is None
    assert 0 < topic["usage"]["input_tokens"] <= before + 20
    assert len(list(session.conversation)) == 2


async def test_a_reference_to_an_unknown_item_is_refused():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        await client.send("response.create", response={"input": [{"type": "item_reference", "id": "gone"}]})
        error = (await client.next("error"))["error"]

    assert (error["code"], error["param"]) == ("invalid_value", "response.input[0].id")


async def test_words_and_images_of_a_user_reach_the_brain_and_are_counted():
    brain = ScriptedBrain([SHORT, SHORT])
    async with SandboxOpenAI(brain, speed=100) as sandbox, dial(sandbox) as client:
        for item in (user(text("What is this?"), image(PNG), image(JPEG)), user(image(JPEG))):
            await client.send("conversation.item.create", item=item)
            await client.send("response.create")
            answer = await done(client)

    assert [(heard.why, heard.text, heard.images) for heard in brain.heard] == [
        ("text", "What is this?", (PNG, JPEG)),
        ("text", "", (JPEG,)),
    ]
    assert answer["usage"]["input_token_details"]["image_tokens"] > 0


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (image("data:image/png;base64,???"), "item.content[1].image_url"),
        (image(PNG.replace("png", "jpeg")), "item.content[1].image_url"),
        ({"type": "input_audio", "audio": "?"}, "item.content[1].audio"),
    ],
)
async def test_an_image_or_a_sound_that_is_none_is_refused(part, param):
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        await client.send("conversation.item.create", item=user(text("Look."), part, id="mine"))
        error = (await client.next("error"))["error"]
        session = await sandbox.session()

    assert (error["code"], error["param"]) == ("invalid_value", param)
    assert session.conversation.get("mine") is None


async def test_audio_of_a_user_item_is_kept_and_shown_on_retrieval_only():
    sound = base64.b64encode(clip("goodbye")).decode()
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        await client.configure()
        item = user({"type": "input_audio", "audio": sound, "transcript": "Bye."}, id="mine")
        await client.send("conversation.item.create", item=item)
        added = (await client.next("conversation.item.added"))["item"]
        await client.send("conversation.item.retrieve", item_id="mine")
        kept = (await client.next("conversation.item.retrieved"))["item"]

    assert added["content"] == [{"type": "input_audio", "transcript": "Bye."}]
    assert kept["content"][0]["audio"] == sound


async def test_instructions_and_tools_can_change_in_the_middle_of_an_answer():
    brain = ScriptedBrain([Reply.of(Say.words("On and on.", audio_ms=2000)), Reply.of(CallTool("new_tool"))])
    async with SandboxOpenAI(brain, speed=10) as sandbox, dial(sandbox) as client:
        await client.configure(instructions="Old.")
        await client.send("response.create")
        await client.next("response.output_audio.delta")
        tools = [{"type": "function", "name": "new_tool"}]
        await client.send("session.update", session={"type": "realtime", "instructions": "New.", "tools": tools})
        await client.next("session.updated")
        first = await done(client)
        await client.send("response.create")
        await done(client)

    assert first["status"] == "completed"
    assert (brain.heard[1].instructions, brain.heard[1].tools) == ("New.", {"new_tool"})


async def test_a_response_apart_can_be_cancelled_by_its_id_and_the_other_one_goes_on():
    long = Reply.of(Say.words("On and on.", audio_ms=8000))
    async with SandboxOpenAI(ScriptedBrain([long, long]), speed=4) as sandbox, dial(sandbox) as client:
        await client.send("response.create")
        await client.next("response.output_audio.delta")
        await client.send("response.create", response={"conversation": "none"})
        apart = (await client.next("response.created"))["response"]
        await client.send("response.cancel", response_id=apart["id"])
        first, second = await done(client), await done(client)

    assert (first["id"], first["status"]) == (apart["id"], "cancelled")
    assert second["status"] == "completed"
