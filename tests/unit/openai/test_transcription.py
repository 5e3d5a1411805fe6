"""Recordings written down, between us and the sandbox's API over real sockets."""

import asyncio
from datetime import date

import pytest

from app.errors import TranscriptionKeyRejected, TranscriptionRefused, TranscriptionUnavailable
from app.openai import KnownSpeaker, Transcriber, TranscriptionRequest
from app.openai import transcription as module
from app.openai.constants import FILE_TRANSCRIPTION_MODELS
from app.openai.transcription_form import form_of
from app.openai.transcription_rules import default_format, measured
from app.sandbox.openai.transcription_desk import TranscriptionFault
from app.sandbox.voices.clips import clip, text_of
from tests.unit.openai import sound_files as files
from tests.unit.openai.transcription_house import CALL, DIARIZER, GAP, WORDS, conf, house


async def test_r0_35_every_model_and_format_gives_the_words_of_both_speakers():
    async with house() as at:
        for model, known in FILE_TRANSCRIPTION_MODELS.items():
            for form in known.formats:
                told = await at.ask(model=model, response_format=form)
                assert told.text == WORDS, (model, form)
                assert (told.model, told.warnings) == (model, ())
                assert told.duration == pytest.approx(6.592, abs=0.01)
                assert told.request_id == at.desk.requests[-1].request_id
                if form in {"verbose_json", "diarized_json", "srt", "vtt"}:
                    assert told.segments is not None
                    assert [segment.text for segment in told.segments] == [
                        text_of("greeting"),
                        text_of("table_tonight"),
                    ]
                    assert [round(segment.start) for segment in told.segments] == [0, 4]


async def test_r0_36_r0_37_r0_38_r0_39_r0_40_the_request_goes_over_the_wire_as_documented():
    async with house() as at:
        await at.ask(
            model="whisper-1",
            language="en",
            prompt='Harbour "Bistro"\r\n--x',
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
            temperature=0.2,
            filename="C:\\calls\\private.wav",
        )
        [seen] = at.desk.requests
    assert (seen.model, seen.filename, seen.content_type, seen.file_bytes) == (
        "whisper-1", "audio.wav", "audio/wav", len(CALL))  # fmt: skip
    assert seen.seconds == pytest.approx(6.592, abs=0.01)
    assert seen.headers["authorization"].startswith("Bearer ")
    assert dict(seen.fields) == {
        "model": ["whisper-1"],
        "language": ["en"],
        "prompt": ['Harbour "Bistro"\r\n--x'],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["word", "segment"],
        "temperature": ["0.2"],
    }


async def test_hints_for_the_default_model_are_repeated_fields():
    async with house() as at:
        await at.ask(languages=["en", "de"], keywords=["Bistro", "Müller"], prompt="A bistro.")
        [seen] = at.desk.requests
    assert seen.fields["languages[]"] == ["en", "de"]
    assert seen.fields["keywords[]"] == ["Bistro", "Müller"]


async def test_words_come_with_their_times():
    async with house() as at:
        told = await at.ask(model="whisper-1")
    assert told.words is not None
    assert [word.word for word in told.words] == [word.strip(".,?!") for word in WORDS.split()]
    assert all(
        word.start < word.end <= after.start + 0.01 for word, after in zip(told.words, told.words[1:], strict=False)
    )


async def test_known_speakers_are_named_and_strangers_have_letters():
    async with house() as at:
        voice = files.wav(clip("tomorrow_goodbye"))
        named = await at.ask(model=DIARIZER, known_speakers=[KnownSpeaker("Ann", voice)])
        strangers = await at.ask(model=DIARIZER)
    assert named.segments is not None
    assert strangers.segments is not None
    assert [segment.speaker for segment in named.segments] == ["Ann", "A"]
    assert [segment.speaker for segment in strangers.segments] == ["A", "B"]


async def test_a_long_call_reaches_the_diarizing_model_in_chunks():
    async with house() as at:
        told = await at.ask(files.wav(clip("greeting") + GAP * 30), model=DIARIZER)
    assert told.text == text_of("greeting")


@pytest.mark.parametrize("model", ["gpt-transcribe", "gpt-4o-transcribe", DIARIZER, "whisper-1"])
async def test_a_streamed_answer_is_the_same_as_a_whole_one_and_tells_its_words_as_they_come(model):
    heard: list[str] = []
    async with house() as at:
        whole = await at.ask(model=model)
        streamed = await at.ask(model=model, stream=True, on_text=heard.append)
    assert (streamed.text, streamed.segments, streamed.language) == (whole.text, whole.segments, whole.language)
    assert streamed.duration == pytest.approx(whole.duration)
    if model != "whisper-1":
        assert len(heard) > 1
        assert "".join(heard).strip() == WORDS


async def test_a_ulaw_wav_is_written_down_too():
    async with house() as at:
        data = files.ulaw_wav(0)
        sound = clip("goodbye") + GAP
        data = data[:-4] + len(sound).to_bytes(4, "little") + sound
        mono = data[:22] + b"\x01\x00" + data[24:28] + (8000).to_bytes(4, "little") + b"\x01\x00" + data[34:]
        told = await at.ask(mono)
    assert told.text == text_of("goodbye")
    assert told.duration == pytest.approx(len(sound) / 8000)


async def test_silence_is_an_empty_text_and_its_language_unknown():
    async with house() as at:
        told = await at.ask(files.silent_wav(2))
    assert (told.text, told.language, told.duration) == ("", None, 2)


async def test_what_is_refused_or_too_short_is_never_sent():
    async with house() as at:
        assert (await at.ask(files.silent_wav(0.2))).text == ""
        for wrong in ({"data": b"no sound"}, {"response_format": "srt"}, {"keywords": ["<"]}, {"filename": "x"}):
            with pytest.raises(TranscriptionRefused):
                await at.ask(**wrong)
        assert at.desk.requests == []


async def test_a_model_that_is_gone_is_replaced_once_and_the_response_says_so():
    async with house() as at:
        at.desk.gone.add("gpt-transcribe")
        told = await at.ask(languages=["en"], keywords=["Bistro"])
        assert (told.text, told.model) == (WORDS, "gpt-4o-transcribe")
        assert "gpt-4o-transcribe was used instead" in told.warnings[0]
        assert [seen.model for seen in at.desk.requests] == ["gpt-transcribe", "gpt-4o-transcribe"]
        assert at.desk.requests[1].fields["language"] == ["en"]

        with pytest.raises(TranscriptionRefused) as refused:
            await at.ask(fallback_model=None)
        assert refused.value.code == "model_not_found"
        at.desk.gone.add("gpt-4o-transcribe")
        with pytest.raises(TranscriptionRefused, match="nor did the fallback model gpt-4o-transcribe work"):
            await at.ask()
        assert len(at.desk.requests) == 5


async def test_a_fallback_that_cannot_do_what_was_asked_is_not_tried():
    async with house() as at:
        at.desk.gone.add("whisper-1")
        with pytest.raises(TranscriptionRefused, match="verbose_json") as refused:
            await at.ask(model="whisper-1", response_format="verbose_json")
        assert refused.value.code == "model_not_found"
        assert len(at.desk.requests) == 1


async def test_a_model_that_ends_soon_is_a_warning_in_the_response():
    async with house() as at:
        transcriber = Transcriber(
            at.transcriber._http,
            lambda: conf(at.sandbox.api_key),
            at.sandbox.transcription_url,
            today=lambda: date(2026, 12, 24),
        )
        told = await transcriber.transcribe(TranscriptionRequest(CALL, model="whisper-1"))
    assert told.warnings == ("whisper-1: last day is 2027-02-26; use gpt-transcribe before that",)


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        (TranscriptionFault(429, "rate_limit_exceeded", headers={"retry-after": "7"}), TranscriptionUnavailable, "429"),
        (TranscriptionFault(429, "insufficient_quota"), TranscriptionKeyRejected, "insufficient_quota"),
        (TranscriptionFault(500, "server_error"), TranscriptionUnavailable, "server_error"),
        (TranscriptionFault(401, "invalid_api_key"), TranscriptionKeyRejected, "refused the API key"),
        (TranscriptionFault(413, message="Too large."), TranscriptionRefused, "Too large"),
        (TranscriptionFault(502, body="<html><title>Bad gateway</title>", content_type="text/html"),
         TranscriptionUnavailable, "a web page: Bad gateway"),
        (TranscriptionFault(200, body="<html>Sign in</html>", content_type="text/html"),
         TranscriptionUnavailable, "JSON"),
        (TranscriptionFault(200, body='{"text": "Hel'), TranscriptionUnavailable, "JSON"),
        (TranscriptionFault(200, body=""), TranscriptionUnavailable, "JSON"),
        (TranscriptionFault(cut_after_bytes=20), TranscriptionUnavailable, "cannot be reached"),
        (TranscriptionFault(307, body="", headers={"location": "http://elsewhere.example.com/"}),
         TranscriptionRefused, "HTTP 307"),
    ],
)  # fmt: skip
async def test_each_fault_of_the_other_side_is_told_by_who_can_mend_it(fault, kind, told):
    async with house() as at:
        at.desk.faults.append(fault)
        with pytest.raises(kind, match=told) as failed:
            await at.ask()
        assert type(failed.value) is kind
        assert at.sandbox.api_key not in f"{failed.value!r}"
        assert len(at.desk.requests) == 1
        assert (await at.ask()).text == WORDS


async def test_a_stream_that_ends_before_it_is_done_is_no_answer():
    async with house() as at:
        at.desk.faults.append(TranscriptionFault(without_done=True))
        with pytest.raises(TranscriptionUnavailable, match="before it was done"):
            await at.ask(stream=True)


async def test_an_error_in_the_middle_of_a_stream_is_told():
    body = 'data: {"type":"transcript.text.delta","delta":"Hel"}\n\n' + (
        'data: {"type":"error","error":{"code":"insufficient_quota","message":"No more."}}\n\n'
    )
    async with house() as at:
        at.desk.faults.append(TranscriptionFault(body=body, content_type="text/event-stream"))
        with pytest.raises(TranscriptionKeyRejected, match="No more"):
            await at.ask(stream=True)


async def test_an_answer_that_never_comes_is_given_up_in_time_and_nothing_is_left():
    async with house() as at:
        at.desk.faults.append(TranscriptionFault(hang=True))
        transcriber = Transcriber(
            at.transcriber._http, lambda: conf(at.sandbox.api_key), at.sandbox.transcription_url, answer_s=0.1
        )
        with pytest.raises(TranscriptionUnavailable, match=r"within 0\.1 s"):
            await transcriber.transcribe(TranscriptionRequest(CALL))


async def test_a_held_answer_can_be_cancelled():
    async with house() as at:
        with at.desk.held():
            asking = asyncio.create_task(at.ask())
            seen = await at.desk.request()
            assert seen.model == "gpt-transcribe"
            assert not asking.done()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking


async def test_quick_retries_are_made_only_when_asked_for_and_wait_as_they_are_told():
    async with house() as at:
        busy = TranscriptionFault(429, "rate_limit_exceeded", headers={"retry-after-ms": "30"})
        at.desk.faults += [busy, TranscriptionFault(500)]
        assert (await at.ask(retries=2)).text == WORDS
        assert at.pauses[0] == 0.03
        assert 0.75 <= at.pauses[1] <= 1
        at.desk.faults += [busy] * 3
        with pytest.raises(TranscriptionUnavailable):
            await at.ask(retries=2)
        assert len(at.desk.requests) == 6


async def test_who_asks_for_minutes_gets_no_quick_retry():
    async with house() as at:
        at.desk.faults.append(TranscriptionFault(429, headers={"retry-after": "600"}))
        with pytest.raises(TranscriptionUnavailable) as failed:
            await at.ask(retries=2)
        assert failed.value.after_s == 600
        assert at.pauses == []


async def test_what_no_retry_mends_is_not_retried():
    async with house() as at:
        at.desk.faults.append(TranscriptionFault(400, "unsupported_value"))
        with pytest.raises(TranscriptionRefused):
            await at.ask(retries=2)
        assert len(at.desk.requests) == 1


async def test_r0_34_in_a_server_the_bytes_alone_are_enough():
    async with house() as at:
        with module.use(at.transcriber):
            told = await module.transcribe_audio(CALL)
            full = await module.transcribe_audio_with_options(TranscriptionRequest(CALL, model="whisper-1"))
        assert (told.text, told.model, full.model) == (WORDS, "gpt-transcribe", "whisper-1")
        at.desk.faults += [TranscriptionFault(500), TranscriptionFault(503)]
        with module.use(at.transcriber):
            assert (await module.transcribe_audio(CALL)).text == WORDS


async def test_the_stand_in_refuses_what_we_refuse():
    # our table of models against the sandbox's, which was written from the documentation by itself
    formats = ["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
    async with house() as at:
        for model, known in FILE_TRANSCRIPTION_MODELS.items():
            for form in formats:
                request = TranscriptionRequest(files.silent_wav(0.5), model=model, response_format=form)
                sent = form_of(request, *measured(request))
                answer = await at.transcriber._http.post(
                    at.sandbox.transcription_url,
                    headers={"authorization": f"Bearer {at.sandbox.api_key}"},
                    data=sent.fields,
                    files={"file": sent.file},
                )
                assert answer.is_success is (form in known.formats), (model, form)
            assert default_format(TranscriptionRequest(CALL, model=model), known) == known.formats[0]
