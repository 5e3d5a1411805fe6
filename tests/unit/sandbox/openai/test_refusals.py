"""Wrong client events, and the code and field with which each is refused."""

import json

import pytest

from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.client_events import check, parse
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.session_config import default_config, updated
from tests.unit.sandbox.openai.client import dial
from tests.unit.sandbox.openai.wrong_client_events import INPUT, TRUNCATE, WRONG, item, message, update


@pytest.mark.parametrize(("event", "code", "param"), WRONG, ids=[json.dumps(event)[:90] for event, _, _ in WRONG])
def test_a_wrong_event_is_refused_with_its_code_and_field(event, code, param):
    with pytest.raises(Refusal) as refused:
        check(event)

    assert (refused.value.code, refused.value.param) == (code, param)


@pytest.mark.parametrize("frame", ["", "{", "[]", '"text"', "null", "[" * 100_000])
def test_a_frame_that_is_no_json_object_is_refused(frame):
    with pytest.raises(Refusal):
        parse(frame)


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ({"model": "gpt-realtime-1.5"}, "session.model"),
        ({"type": "transcription"}, "session.type"),
        ({"tracing": None}, "session.tracing"),
        ({"reasoning": {"effort": "low"}}, "session.reasoning"),
        ({"audio": {"output": {"voice": "cedar"}}}, "session.audio.output.voice"),
        ({"audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}, f"{INPUT}.transcription.model"),
    ],
)
def test_what_may_not_change_any_more_is_refused(update, param):
    config = default_config("gpt-realtime-1.5-x") | {"tracing": "auto"}
    with pytest.raises(Refusal) as refused:
        updated(config, update, has_spoken=True)

    assert refused.value.param == param


def test_an_update_changes_only_what_it_names():
    before = default_config("gpt-realtime-2.1")
    after = updated(before, {"audio": {"output": {"voice": "cedar"}}, "instructions": ""}, has_spoken=False)

    assert after["audio"]["output"] == before["audio"]["output"] | {"voice": "cedar"}
    assert after["audio"]["input"] == before["audio"]["input"]
    assert (before["audio"]["output"]["voice"], after["instructions"]) == ("marin", "")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "response.cancel"}, "response_cancel_not_active"),
        ({"type": "response.cancel", "response_id": "resp_gone"}, "response_cancel_not_active"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "input_audio_buffer.append", "audio": "=="}, "invalid_value"),
        (TRUNCATE, "item_truncate_invalid_item_id"),
        ({"type": "conversation.item.delete", "item_id": "gone"}, "item_delete_invalid_item_id"),
        ({"type": "conversation.item.retrieve", "item_id": "gone"}, "item_retrieve_invalid_item_id"),
        (item(type="function_call_output", call_id="gone", output=""), "invalid_tool_call_id"),
        (message("user") | {"previous_item_id": "gone"}, "item_create_invalid_previous_item_id"),
        (update(voice="x"), "unknown_parameter"),
    ],
)
async def test_a_refusal_reaches_the_client_and_leaves_the_session_open(event, code):
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        await client.websocket.send(json.dumps(event | {"event_id": "mine"}))
        error = (await client.next("error"))["error"]
        await client.configure()

    assert (error["code"], error["event_id"]) == (code, "mine")


async def test_an_update_that_changes_the_voice_after_speech_changes_nothing_at_all():
    async with (
        SandboxOpenAI(ScriptedBrain([Reply.of(Say.phrase("still_there"))]), speed=100) as sandbox,
        dial(sandbox) as client,
    ):
        await client.configure()
        await client.send("response.create")
        await client.next("response.done")
        change = update(instructions="New.", audio={"output": {"voice": "cedar"}})
        await client.send("session.update", session=change["session"])
        error = (await client.next("error"))["error"]
        session = await sandbox.session()

    assert error["code"] == "cannot_update_voice"
    assert session.config["instructions"] != "New."
