"""Sessions that only write down what they hear."""

from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.voices.clips import clip, text_of
from tests.unit.sandbox.openai.client import dial

QUIET = b"\xff" * 8000
EARS = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": "gpt-4o-transcribe-diarize"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        }
    },
}
TRANSCRIPTION = "conversation.item.input_audio_transcription"
INTENT = "?intent=transcription"


async def test_a_transcription_session_writes_down_and_answers_nothing():
    brain = ScriptedBrain([])
    async with SandboxOpenAI(brain) as sandbox, dial(sandbox, INTENT) as client:
        created = await client.next("session.created")
        await client.send("session.update", session=EARS)
        updated = await client.next("session.updated")
        await client.speak(clip("opening_hours") + QUIET)
        segment = await client.next(f"{TRANSCRIPTION}.segment")
        first = await client.next(f"{TRANSCRIPTION}.completed")
        await client.speak(clip("goodbye") + QUIET)
        second = await client.next(f"{TRANSCRIPTION}.completed")

    assert (created["session"]["type"], created["session"]["object"]) == (
        "transcription",
        "realtime.transcription_session",
    )
    assert set(updated["session"]["audio"]) == {"input"}
    assert updated["session"]["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 400,
    }
    assert (segment["text"], segment["speaker"]) == (text_of("opening_hours"), "A")
    assert [first["transcript"], second["transcript"]] == [text_of("opening_hours"), text_of("goodbye")]
    assert "response.created" not in client.kinds()
    assert brain.heard == []


async def test_a_transcription_session_cannot_be_made_to_answer_or_to_change_its_kind():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox, INTENT) as client:
        await client.send("response.create")
        answer = (await client.next("error"))["error"]
        await client.send("session.update", session={"type": "realtime", "instructions": "Speak."})
        change = (await client.next("error"))["error"]

    assert (answer["code"], change["param"]) == ("invalid_value", "session.type")
