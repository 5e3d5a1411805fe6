"""What can be ordered to go wrong inside a session that has begun."""

import pytest

from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.voices.clips import clip
from tests.unit.sandbox.openai.client import PHONE, dial

QUIET = b"\xff" * 8000
LONG = Reply.of(Say.words("A long sentence.", audio_ms=20_000))
SHORT = Reply.of(Say.phrase("still_there"))
SPEECH = "response.output_audio.delta"
TRANSCRIBED = "conversation.item.input_audio_transcription"


def sandbox_with(*replies, speed=100, **faults):
    return SandboxOpenAI(ScriptedBrain(replies), speed=speed, faults=[Faults(**faults)])


@pytest.mark.parametrize(("times", "errors"), [(1, 1), (None, 3)])
async def test_an_update_that_holds_a_field_is_refused_once_or_always(times, errors):
    param = "session.audio.input.transcription"
    faults = {"refuse_update": "invalid_value", "refuse_param": param, "refuse_times": times}
    async with sandbox_with(**faults) as sandbox, dial(sandbox) as client:
        for _ in range(3):
            await client.send("session.update", session=PHONE)
        await client.send("session.update", session={"type": "realtime", "instructions": "Last."})
        await client.next("session.updated", lambda event: event["session"]["instructions"] == "Last.")

    params = [event["error"]["param"] for event in client.events if event["type"] == "error"]
    assert params == [param] * errors


@pytest.mark.parametrize(
    ("override", "granted"),
    [
        ({"audio": {"input": {"noise_reduction": None}}}, lambda audio: audio["input"]["noise_reduction"] is None),
        ({"audio": {"output": {"voice": "cedar"}}}, lambda audio: audio["output"]["voice"] == "cedar"),
    ],
    ids=["dropped", "changed"],
)
async def test_a_field_is_granted_otherwise_than_it_was_asked(override, granted):
    asked = {"input": {"noise_reduction": {"type": "near_field"}}, "output": {"voice": "marin"}}
    async with sandbox_with(override=override) as sandbox, dial(sandbox) as client:
        updated = await client.configure(audio=asked)

    assert granted(updated["session"]["audio"])


async def test_a_create_can_cross_with_a_response_that_the_server_has_begun():
    async with sandbox_with(LONG, SHORT, crossed_creates={0}) as sandbox, dial(sandbox) as client:
        await client.send("response.create", event_id="mine")
        error = (await client.next("error"))["error"]
        await client.next("response.done")
        await client.send("response.create")
        await client.next("response.done")

    assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "mine")
    kinds = client.kinds()
    assert kinds.index("response.created") < kinds.index("error")
    assert kinds.count("response.done") == 2


async def test_audio_of_a_response_can_still_come_after_it_was_cancelled():
    async with sandbox_with(LONG, speed=1, late_deltas=3) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create")
        item_id = (await client.next(SPEECH))["item_id"]
        await client.send("response.cancel")
        done = await client.next("response.done")
        late = [await client.next(SPEECH) for _ in range(3)]
        await client.configure()

    assert {delta["item_id"] for delta in late} == {item_id}
    assert client.events[client.events.index(done) + 1 : -1] == late


async def test_an_event_can_come_twice():
    async with sandbox_with(SHORT, doubled={"response.done"}) as sandbox, dial(sandbox) as client:
        await client.send("response.create")
        first, second = [await client.next("response.done") for _ in range(2)]

    assert first == second


@pytest.mark.parametrize(("late", "order"), [(False, ["completed", "done"]), (True, ["done", "completed"])])
async def test_the_callers_words_can_come_after_the_answer_to_them(late, order):
    async with sandbox_with(SHORT, late_transcription=late) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.speak(clip("opening_hours") + QUIET)
        for kind in order:
            await client.next("response.done" if kind == "done" else f"{TRANSCRIBED}.completed")


async def test_an_input_transcription_can_fail_and_the_answer_still_comes():
    async with sandbox_with(SHORT, transcription_failure="audio_unintelligible") as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.speak(clip("opening_hours") + QUIET)
        failed = await client.next(f"{TRANSCRIBED}.failed")
        await client.next("response.done")

    assert failed["error"]["code"] == "audio_unintelligible"
    assert f"{TRANSCRIBED}.completed" not in client.kinds()


@pytest.mark.parametrize("place", ["before", "after"])
async def test_the_agents_words_can_come_before_or_after_its_audio(place):
    async with sandbox_with(Reply((Say.phrase("greeting"),), transcript=place)) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create")
        done = (await client.next("response.done"))["response"]

    deltas = [kind for kind in client.kinds() if kind.endswith(".delta")]
    words = "response.output_audio_transcript.delta"
    assert deltas == ([words, SPEECH] if place == "before" else [SPEECH, words])
    told = "".join(event["delta"] for event in client.events if event["type"] == words)
    assert told == done["output"][0]["content"][0]["transcript"]
    assert client.audio_of(done["output"][0]["id"]) == clip("greeting")


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
async def test_an_answer_can_end_incomplete(reason):
    async with (
        sandbox_with(Reply((CallTool("end_call"), *SHORT.parts), incomplete=reason)) as sandbox,
        dial(sandbox) as client,
    ):
        await client.send("response.create")
        done = (await client.next("response.done"))["response"]

    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", reason)
    assert [item["status"] for item in done["output"]] == ["completed", "incomplete"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("rate_limit_exceeded", "invalid_request_error"),
        ("insufficient_quota", "insufficient_quota"),
        ("server_error", "server_error"),
    ],
)
async def test_an_answer_can_fail_before_or_after_its_words(code, kind):
    async with sandbox_with(Reply(SHORT.parts, failure=code), Reply(failure=code)) as sandbox, dial(sandbox) as client:
        for items in (1, 0):
            await client.send("response.create")
            done = (await client.next("response.done"))["response"]
            assert (done["status"], len(done["output"])) == ("failed", items)
            assert (done["status_details"]["error"]["type"], done["status_details"]["error"]["code"]) == (kind, code)


async def test_an_answer_stops_where_its_tokens_run_out():
    async with sandbox_with(LONG) as sandbox, dial(sandbox) as client:
        await client.configure()
        await client.send("response.create", response={"max_output_tokens": 40})
        done = (await client.next("response.done"))["response"]

    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert done["max_output_tokens"] == 40
    assert len(client.audio_of(done["output"][0]["id"])) // 8 == pytest.approx(40 * 50, abs=400)
