"""From a stored recording to its transcript: asked for once, each piece kept, one end, whatever happens between."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import Kind, NumberedEvent
from app.conf.models import Known
from app.conf.secrets import load_key_ring
from app.conf.store import ConfStore
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.recordings import add_recording, change_recording, find_recording, find_transcript
from app.db.tables import Job as JobRow
from app.db.tables import Recording, Transcript, TranscriptPiece, WebhookMessage
from app.jobs.calls.delete import request_deletion
from app.jobs.context import JobContext
from app.jobs.job import GiveUp, Job, JobKind, PauseKind, TryAgain
from app.jobs.recordings.transcribe import transcribe_handler
from app.jobs.recordings.transcripts import want_transcript
from app.jobs.workroom import Workroom
from app.openai.rules import OPENAI_RULES
from app.recordings.storage import open_storage
from app.timing import Deadlines
from tests.db.test_calls import a_call, ended
from tests.unit.recordings.sounds import silence, speech, stereo, wav

URL = "https://api.test/v1/audio/transcriptions"
STORED_AS = "2026/11/sound.wav"
AGENT = speech(2000, -18)
CALLER = np.concatenate([silence(3000), speech(1000), silence(3000), speech(1000), silence(500)])
SAID = [
    NumberedEvent(1, Kind.AGENT_SPEECH_STARTED, 0, {"item_id": "a"}),
    NumberedEvent(2, Kind.AGENT_TRANSCRIPT, 500, {"item_id": "a", "text": "We open at nine.", "final": True}),
    NumberedEvent(3, Kind.AGENT_SPEECH_ENDED, 2000, {}),
    NumberedEvent(4, Kind.CALLER_SPEECH_STARTED, 3300, {"item_id": "c"}),
    NumberedEvent(5, Kind.CALLER_SPEECH_ENDED, 4500, {"item_id": "c"}),
    # and the process was killed: of the caller's last words the journal knows nothing
]
WORDS = ["We open at ten.", "Thank you.", "Goodbye."]

Answerer = Callable[["Asked"], httpx.Response]


class Asked:
    """A request as the API got it."""

    def __init__(self, request: httpx.Request) -> None:
        self.authorization = request.headers["authorization"]
        body = message_from_bytes(
            b"Content-Type: " + request.headers["content-type"].encode() + b"\n\n" + request.read()
        )
        self.fields: dict[str, list[str]] = {}
        for part in body.get_payload():
            assert not isinstance(part, str)
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            if name == "file":
                with wave.open(io.BytesIO(content)) as sound:
                    assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
                    self.ms = sound.getnframes() * 1000 // sound.getframerate()
            else:
                self.fields.setdefault(name, []).append(content.decode())


class OpenAI:
    """Answers each request with the next of its answers; the last one for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answerer | BaseException] = [said(text) for text in WORDS]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(Asked(request))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer(self.asked[-1])


def said(text: str, **more: Any) -> Answerer:
    def answer(asked: Asked) -> httpx.Response:
        usage = {"type": "duration", "seconds": -(-asked.ms // 1000)}
        return httpx.Response(200, json={"text": text, "languages": [{"code": "en"}], "usage": usage} | more)

    return answer


def refusal(status: int, code: str, headers: dict[str, str] | None = None, **details: str) -> Answerer:
    error = {"message": "no", "type": "x", "code": code, **details}
    return lambda _: httpx.Response(status, json={"error": error}, headers=headers)


@pytest.fixture
def openai() -> OpenAI:
    return OpenAI()


@pytest.fixture
async def context(engine: AsyncEngine, tmp_path: Path, openai: OpenAI) -> AsyncIterator[JobContext]:
    conf = ConfStore(engine, load_key_ring(None, tmp_path), Known(providers={"openai": OPENAI_RULES}), tmp_path)
    await conf.put("openai", "default", {"openai_api_key": "sk-test"}, by="test")
    asked = {"languages": ["en"], "keywords": ["Bella"], "prompt": "A restaurant."}
    await conf.put("agent", "default", {"recording": {"transcription": asked}}, by="test")
    async with httpx.AsyncClient(transport=httpx.MockTransport(openai.handle)) as http:
        yield JobContext(
            engine=engine,
            conf=conf,
            storage=open_storage(None, tmp_path / "data"),
            workroom=Workroom(tmp_path / "work"),
            http=http,
            twilio_api_base_url="http://127.0.0.1:9",
            transcription_url=URL,
            deadlines=Deadlines(),
        )


async def stored(context: JobContext, file: Path, **values: Any) -> Recording:
    """A stored recording of a call that is over, whose transcript is wanted."""
    call = ended(a_call())
    await context.storage.put(STORED_AS, file)
    about = {"call_sid": call.call_sid, "account_sid": call.account_sid, "agent": call.agent, "source": "own"}
    row = about | {"id": UUID(call.id), "call_id": UUID(call.id), "state": "stored", "key": STORED_AS} | values
    async with db_session(context.engine) as db:
        await record_call(db, call, SAID)
        recording = await add_recording(db, **row)
        assert recording
        await want_transcript(db, recording)
    return recording


@pytest.fixture
async def recording(context: JobContext, tmp_path: Path) -> Recording:
    return await stored(context, wav(tmp_path / "call.wav", stereo(CALLER, AGENT), tag=7))


async def run(context: JobContext, recording: Recording, job_id: str = "job-1") -> None:
    await transcribe_handler(context)(Job(job_id, JobKind.TRANSCRIBE, str(recording.id), attempt=1))


async def transcript_of(context: JobContext, recording: Recording) -> Transcript:
    async with db_session(context.engine) as db:
        found = await find_transcript(db, recording.id)
    assert found
    return found


async def pieces(context: JobContext) -> list[TranscriptPiece]:
    async with db_session(context.engine) as db:
        return list(await db.scalars(select(TranscriptPiece).order_by(TranscriptPiece.seq)))


async def messages(context: JobContext) -> list[WebhookMessage]:
    async with db_session(context.engine) as db:
        return list(await db.scalars(select(WebhookMessage)))


async def test_a_recording_becomes_a_conversation_with_speakers_times_and_cost(context, recording, openai):
    await run(context, recording)

    made = await transcript_of(context, recording)
    assert (made.state, made.reason, made.language, made.model) == ("done", None, "en", "gpt-transcribe")
    assert made.text == "We open at ten.\nThank you.\nGoodbye."
    assert [(each["speaker"], each["text"]) for each in made.segments] == [
        ("agent", "We open at ten."),
        ("caller", "Thank you."),
        ("caller", "Goodbye."),
    ]
    for each, (start_ms, end_ms) in zip(made.segments, [(0, 2000), (3000, 4000), (7000, 8000)], strict=True):
        assert (each["start_ms"], each["end_ms"]) == (pytest.approx(start_ms, abs=100), pytest.approx(end_ms, abs=100))
    assert made.differences == [{"at_ms": 0, "said": "9", "heard": "10"}]
    assert made.duration_ms == 8500
    seconds = sum(-(-asked.ms // 1000) for asked in openai.asked)
    assert made.cost_usd == pytest.approx(Decimal("0.0045") * seconds / 60, abs=Decimal("0.000002"))
    assert made.done_at
    assert await pieces(context) == []


async def test_what_the_agent_knows_is_told_to_the_model(context, recording, openai):
    await run(context, recording)

    [first, *_] = openai.asked
    assert first.authorization == "Bearer sk-test"
    assert first.fields["model"] == ["gpt-transcribe"]
    assert (first.fields["languages[]"], first.fields["keywords[]"]) == (["en"], ["Bella"])
    assert first.fields["prompt"] == ["A restaurant."]


async def test_servers_are_told_once_with_facts_and_without_words(context, recording):
    await run(context, recording)
    await run(context, recording, "job-2")

    [message] = await messages(context)
    assert (message.kind, message.subject) == ("transcript.ready", str(recording.id))
    assert message.data["call_sid"] == recording.call_sid
    assert "Thank" not in str(message.data)


async def test_it_is_wanted_once_and_waits_from_then_on(context, recording):
    assert (await transcript_of(context, recording)).state == "waiting"
    async with db_session(context.engine) as db:
        assert not await want_transcript(db, recording)
        assert [job.subject for job in await db.scalars(select(JobRow))] == [str(recording.id)]


async def test_what_is_done_is_made_again_only_for_a_person_and_its_words_stay_until_then(context, recording, openai):
    await run(context, recording)
    async with db_session(context.engine) as db:
        (await db.scalars(select(JobRow))).one().state = "done"
        assert not await want_transcript(db, recording)
        assert await want_transcript(db, recording, again=True)
    waiting = await transcript_of(context, recording)
    assert (waiting.state, waiting.text) == ("waiting", "We open at ten.\nThank you.\nGoodbye.")

    openai.answers = [said("Again.")]
    await run(context, recording, "job-2")
    assert (await transcript_of(context, recording)).text == "Again.\nAgain.\nAgain."
    assert len(await messages(context)) == 2


@pytest.mark.parametrize("killed_at", [0, 1, 2])
async def test_f24_a_worker_killed_in_a_request_repeats_that_one_only(context, recording, openai, killed_at):
    openai.answers.insert(killed_at, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await run(context, recording)
    assert [piece.text for piece in await pieces(context)] == WORDS[:killed_at]
    assert (await transcript_of(context, recording)).state == "waiting"

    await run(context, recording)
    assert (await transcript_of(context, recording)).text == "\n".join(WORDS)
    assert len(openai.asked) == len(WORDS) + 1
    assert await pieces(context) == []


async def test_two_workers_at_once_leave_one_transcript(context, recording, openai):
    openai.answers = [said("Same.")]
    await asyncio.gather(run(context, recording), run(context, recording))
    assert (await transcript_of(context, recording)).text == "Same.\nSame.\nSame."
    assert len(await messages(context)) == 1


async def test_pieces_that_were_cut_otherwise_are_not_used(context, recording, openai):
    openai.answers.insert(1, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await run(context, recording)
    async with db_session(context.engine) as db:
        (await db.scalars(select(TranscriptPiece))).one().until_ms += 1
    openai.answers = [said("New.")]
    await run(context, recording)
    assert (await transcript_of(context, recording)).text == "New.\nNew.\nNew."


async def test_the_other_side_away_is_tried_again_when_it_says(context, recording, openai):
    openai.answers = [said(WORDS[0]), refusal(429, "rate_limit_exceeded", {"retry-after": "17"}), said("x")]
    with pytest.raises(TryAgain) as later:
        await run(context, recording)
    assert later.value.after_s == 17
    assert (await transcript_of(context, recording)).state == "waiting"
    assert len(await pieces(context)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(502, html="<html><title>Bad Gateway</title></html>"),
        lambda _: httpx.Response(200, text='{"text": "half'),
        httpx.ConnectError("refused"),
    ],
)
async def test_f25_errors_that_pass_leave_it_waiting(context, recording, openai, answer):
    openai.answers = [answer]
    with pytest.raises(TryAgain):
        await run(context, recording)
    assert (await transcript_of(context, recording)).state == "waiting"


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (refusal(401, "invalid_api_key"), "system.key_rejected"),
        (refusal(429, "insufficient_quota"), "system.quota"),
    ],
)
async def test_a_key_or_a_quota_at_fault_pauses_all_and_the_operator_hears_of_it_once(
    context, recording, openai, refused, kind
):
    openai.answers = [refused]
    for _ in range(2):
        with pytest.raises(PauseKind):
            await run(context, recording)
    [message] = await messages(context)
    assert (message.kind, message.data["provider"], message.data["account"]) == (kind, "openai", "default")
    assert "sk-test" not in str(message.data)
    assert (await transcript_of(context, recording)).state == "waiting"


async def test_a_key_that_is_not_set_pauses_too(context, recording):
    await context.conf.delete("openai", "default", by="test")
    with pytest.raises(PauseKind, match="openai/default is not set"):
        await run(context, recording)


async def test_one_refused_piece_is_noted_and_the_others_go_on(context, recording, openai):
    openai.answers[1:1] = [refusal(400, "audio_too_short", param="file")]
    await run(context, recording)
    made = await transcript_of(context, recording)
    assert made.state == "done"
    assert made.text == "We open at ten.\nThank you."
    assert made.reason
    assert "audio_too_short" in made.reason


async def test_a_failed_job_that_is_sent_round_again_asks_for_what_was_refused(context, recording, openai):
    openai.answers = [refusal(413, "file_too_large")]
    with pytest.raises(GiveUp):
        await run(context, recording)
    openai.answers = [said("Now.")]
    await run(context, recording)
    assert (await transcript_of(context, recording)).text == "Now.\nNow.\nNow."


async def test_what_failed_is_made_anew_for_a_person_with_nothing_of_before(context, recording, openai):
    openai.answers = [said("Before."), refusal(400, "invalid_value", param="prompt")]
    with pytest.raises(GiveUp):
        await run(context, recording)
    async with db_session(context.engine) as db:
        (await db.scalars(select(JobRow))).one().state = "failed"
        assert await want_transcript(db, recording, again=True)
    openai.answers = [said("Now.")]
    await run(context, recording, "job-2")
    assert (await transcript_of(context, recording)).text == "Now.\nNow.\nNow."


async def test_a_refusal_of_every_piece_is_a_failure_with_its_reason(context, recording, openai):
    openai.answers = [refusal(400, "invalid_value", param="file")]
    with pytest.raises(GiveUp, match="invalid_value"):
        await run(context, recording)
    failed = await transcript_of(context, recording)
    assert failed.state == "failed"
    assert "invalid_value" in (failed.reason or "")
    async with db_session(context.engine) as db:
        kept = await find_recording(db, recording.id)
    assert kept
    assert kept.state == "stored"


async def test_a_refusal_of_how_we_ask_ends_it_at_once(context, recording, openai):
    openai.answers = [refusal(400, "unsupported_value", param="prompt")]
    with pytest.raises(GiveUp):
        await run(context, recording)
    assert len(openai.asked) == 1
    assert (await transcript_of(context, recording)).state == "failed"

    openai.answers = [said("Now.")]  # a person tries again
    await run(context, recording)
    assert (await transcript_of(context, recording)).state == "done"


async def test_a_model_that_is_gone_is_replaced_once_for_all_pieces(context, recording, openai):
    openai.answers.insert(0, refusal(404, "model_not_found"))
    await run(context, recording)
    assert [asked.fields["model"] for asked in openai.asked] == [
        ["gpt-transcribe"],
        ["gpt-4o-transcribe"],
        ["gpt-4o-transcribe"],
        ["gpt-4o-transcribe"],
    ]
    assert (await transcript_of(context, recording)).model == "gpt-4o-transcribe"


async def test_empty_words_are_fine(context, recording, openai):
    openai.answers = [said("")]
    await run(context, recording)
    made = await transcript_of(context, recording)
    assert (made.state, made.text, made.segments, made.language) == ("done", "", [], None)


async def test_a_character_that_postgres_cannot_keep_does_not_lose_the_rest(context, recording, openai):
    openai.answers = [said("He\0llo.")]
    await run(context, recording)
    assert (await transcript_of(context, recording)).text == "Hello.\nHello.\nHello."


async def test_a_card_number_is_written_down_nowhere_also_where_it_was_told_in_two_goes(context, recording, openai):
    openai.answers = [said("Is it 5555 5555 5555 4444?"), said("No: 4111 1111 1111."), refusal(503, "away")]
    with pytest.raises(TryAgain):
        await run(context, recording)
    assert [piece.text for piece in await pieces(context)] == ["Is it [card number]?", "No: 4111 1111 1111."]

    openai.answers = [said("1111 it is.")]
    await run(context, recording)
    made = await transcript_of(context, recording)
    assert made.text == "Is it [card number]?\nNo: 4111 1111 1111.\n[card number] it is."
    assert [each["text"] for each in made.segments] == made.text.splitlines()


async def test_a_recording_of_somebody_elses_is_cut_by_its_sound_alone(context, tmp_path, openai):
    sound = wav(tmp_path / "twilio.wav", stereo(AGENT, CALLER))
    theirs = await stored(context, sound, source="twilio", twilio_sid="RE1", caller_channel="right", id=UUID(int=7))
    await run(context, theirs)
    made = await transcript_of(context, theirs)
    assert [each["speaker"] for each in made.segments] == ["agent", "caller", "caller"]
    assert made.differences == []  # its clock is not the journal's


async def test_one_channel_has_one_speaker_whom_nobody_knows(context, tmp_path, openai):
    mono = await stored(context, wav(tmp_path / "mono.wav", CALLER), source="twilio")
    await run(context, mono)
    assert {each["speaker"] for each in (await transcript_of(context, mono)).segments} == {"unknown"}


async def test_a_silent_track_is_named_and_the_other_written_down(context, tmp_path, openai):
    half = await stored(context, wav(tmp_path / "half.wav", stereo(silence(0), AGENT)))
    await run(context, half)
    made = await transcript_of(context, half)
    assert (made.state, made.reason) == ("done", "nothing can be heard of the caller")


@pytest.mark.parametrize(
    ("sound", "reason"), [(silence(5000), "nobody speaks in it"), (speech(200), "it lasts 200 ms only")]
)
async def test_what_has_nothing_to_write_down_is_skipped_without_a_request(context, tmp_path, openai, sound, reason):
    nothing = await stored(context, wav(tmp_path / "none.wav", sound))
    await run(context, nothing)
    await run(context, nothing)
    skipped = await transcript_of(context, nothing)
    assert (skipped.state, skipped.reason) == ("skipped", reason)
    assert openai.asked == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the recording is empty"), (b"<html>", "the recording is not a WAV file"), (b"RIFF\0\0\0\0WAVE", "broken")],
)
async def test_what_is_no_sound_fails_with_its_reason_and_is_kept(context, tmp_path, openai, content, reason):
    (tmp_path / "bad.wav").write_bytes(content)
    bad = await stored(context, tmp_path / "bad.wav")
    with pytest.raises(GiveUp, match=reason):
        await run(context, bad)
    assert (await transcript_of(context, bad)).state == "failed"
    assert await context.storage.size(STORED_AS) == len(content)


async def test_a_file_that_the_storage_has_lost_is_a_failure_with_its_reason(context, recording):
    await context.storage.delete(STORED_AS)
    with pytest.raises(GiveUp):
        await run(context, recording)
    assert STORED_AS in ((await transcript_of(context, recording)).reason or "")


async def test_a_recording_that_is_not_there_yet_is_waited_for_and_one_that_never_was_is_not(context, recording):
    async with db_session(context.engine) as db:
        await change_recording(db, recording.id, state="expected")
        expected = replace_state(recording, "expected")
        assert not await want_transcript(db, expected)
    with pytest.raises(TryAgain, match="expected"):
        await run(context, recording)
    async with db_session(context.engine) as db:
        await change_recording(db, recording.id, state="absent", reason="silent")
    await run(context, recording)
    assert (await transcript_of(context, recording)).reason == "silent"


def replace_state(recording: Recording, state: str) -> Recording:
    recording.state = state
    return recording


async def test_of_a_deleted_recording_nothing_is_written_down(context, recording, openai):
    async with db_session(context.engine) as db:
        await request_deletion(db, recording.id, "by a person")
    await run(context, recording)
    assert openai.asked == []
    async with db_session(context.engine) as db:
        assert await find_transcript(db, recording.id) is None


@pytest.mark.parametrize("at", [0, 2])
async def test_a_recording_deleted_while_it_is_written_down_leaves_no_word(context, recording, openai, at):
    class Deleting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if len(openai.asked) == at:
                async with db_session(context.engine) as db:
                    await request_deletion(db, recording.id, "by a person")
            return openai.handle(request)

    async with httpx.AsyncClient(transport=Deleting()) as http:
        await run(replace(context, http=http), recording)
    assert len(openai.asked) == at + 1
    assert await pieces(context) == []
    async with db_session(context.engine) as db:
        assert await find_transcript(db, recording.id) is None
    assert "transcript.ready" not in {message.kind for message in await messages(context)}
