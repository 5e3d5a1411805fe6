"""Odd answers of the transcription API, and odd settings, without a network."""

import json

import httpx
import pytest

from app.conf.models import OpenAICoreConf
from app.errors import ConfMissing, SettingsError, TranscriptionKeyRejected, TranscriptionUnavailable
from app.openai import Transcriber, TranscriptionRequest
from app.openai.connect import tls
from tests.unit.openai.sound_files import silent_wav
from tests.unit.openai.transcription_house import CALL, KEY, conf

URL = "https://api.example.com/v1/audio/transcriptions"


def mocked(answer, key=conf, url=URL):
    return Transcriber(httpx.AsyncClient(transport=httpx.MockTransport(answer)), key, url)


async def test_r0_48_the_url_is_as_set_and_says_so_when_it_is_none():
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"text": "Hi"})

    await mocked(answer, lambda: conf(organization="org-1", project="proj-1")).transcribe(TranscriptionRequest(CALL))
    [request] = asked
    assert str(request.url) == URL
    assert request.headers["openai-organization"] == "org-1"
    assert request.headers["openai-project"] == "proj-1"
    for wrong in ("", "api.openai.com", "wss://api.openai.com/v1", "https://", "http://a:99999/x", "http://a:0/"):
        with pytest.raises(SettingsError, match="OPENAI_TRANSCRIPTION_URL"):
            mocked(answer, url=wrong)


@pytest.mark.parametrize(
    "url",
    [
        "https://mine.openai.azure.com/openai/v1/audio/transcriptions",
        "https://mine.openai.azure.com/openai/deployments/stt/audio/transcriptions?api-version=2025-04-01",
    ],
)
async def test_azure_gets_the_key_in_its_own_header_and_the_query_as_it_is(url):
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"text": "Hi"})

    await mocked(answer, url=url).transcribe(TranscriptionRequest(CALL))
    assert str(asked[0].url) == url
    assert asked[0].headers["api-key"] == KEY
    assert "authorization" not in asked[0].headers


async def test_an_answer_without_an_end_is_not_read_for_ever():
    async def endless():
        while True:
            yield b"x" * (8 << 20)

    for media in ("application/json", "text/event-stream"):
        transcriber = mocked(
            lambda _, media=media: httpx.Response(200, headers={"content-type": media}, content=endless())
        )
        with pytest.raises(TranscriptionUnavailable, match="does not end"):
            await transcriber.transcribe(TranscriptionRequest(CALL))


class Measuring(httpx.AsyncBaseTransport):
    """Notes the largest piece in which a request goes out."""

    largest = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            self.largest = max(self.largest, len(piece))
        return httpx.Response(200, json={"text": "Hi"})


@pytest.mark.parametrize("body", ["{}", '{"text": null}', '{"result": "Hi"}', '{"text": ["Hi"]}'])
async def test_an_answer_without_its_text_may_come_whole_at_the_next_try(body):
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=body, headers={"content-type": "application/json", "x-request-id": "req_1"})

    with pytest.raises(TranscriptionUnavailable, match=r"its answer has no text \[request req_1\]") as caught:
        await mocked(answer).transcribe(TranscriptionRequest(CALL))
    assert (caught.value.status, caught.value.code) == (200, "half_answer")


async def test_a_large_file_goes_out_in_pieces_as_one_block_would_hold_up_every_call():
    transport = Measuring()
    async with httpx.AsyncClient(transport=transport) as http:
        await Transcriber(http, conf, URL).transcribe(TranscriptionRequest(silent_wav(600)))
    assert 0 < transport.largest <= 1 << 16


async def test_json_that_comes_where_text_was_asked_for_is_read_as_json():
    transcriber = mocked(lambda _: httpx.Response(200, json={"text": "Hi"}))
    told = await transcriber.transcribe(TranscriptionRequest(CALL, model="gpt-4o-transcribe", response_format="text"))
    assert told.text == "Hi"


async def test_events_may_be_cut_anywhere_and_may_hold_what_we_do_not_know():
    done = {"type": "transcript.text.done", "text": "Grüße", "usage": {"type": "duration", "seconds": 1}}
    text = (
        ': comment\r\nevent: x\r\ndata: {"type":"new.event"}\r\n\r\ndata: not json\n\ndata: 7\n\n'
        f"data: {json.dumps(done, ensure_ascii=False)}\n\ndata: [DONE]"
    ).encode()

    async def drops():
        for at in range(len(text)):
            yield text[at : at + 1]

    transcriber = mocked(lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, content=drops()))
    assert (await transcriber.transcribe(TranscriptionRequest(CALL, stream=True))).text == "Grüße"


async def test_without_a_usable_key_the_reason_is_told_and_nothing_is_sent():
    def missing() -> OpenAICoreConf:
        raise ConfMissing("openai/default is not set")

    for key, why in ((missing, "openai/default is not set"), (lambda: conf("sk-a b\n"), "holds characters")):
        transcriber = mocked(lambda _: httpx.Response(200, json={"text": "Hi"}), key)
        with pytest.raises(TranscriptionKeyRejected, match=why) as rejected:
            await transcriber.transcribe(TranscriptionRequest(CALL))
        assert rejected.value.code == "not_configured"
        assert "a b" not in str(rejected.value)


async def test_nobody_listening_is_told_without_a_request_that_holds_the_key():
    async with httpx.AsyncClient(trust_env=False, verify=tls()) as http:
        transcriber = Transcriber(http, conf, "http://127.0.0.1:9/v1/audio/transcriptions")
        with pytest.raises(TranscriptionUnavailable, match="cannot be reached") as failed:
            await transcriber.transcribe(TranscriptionRequest(CALL))
    assert failed.value.__cause__ is None
