"""Sessions over real sockets, against a small scripted server on loopback."""

import asyncio
import logging
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from app.audio import silence, to_base64
from app.conf.models import AgentConf, OpenAICoreConf
from app.errors import ConfMissing, SessionLost, SessionUnavailable, SettingsError
from app.openai import (
    OpenAIProvider,
    connect,
    create_openai_realtime_session,
    realtime_url,
)
from app.realtime.events import (
    AudioDelta,
    RateLimits,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    ToolCall,
)
from tests.unit.openai.scripted import (
    ACCESS,
    CONFIG,
    HURRIED,
    KEY,
    QUICK,
    Peer,
    Server,
    failing,
    greet,
    hang,
    heard,
    open_session,
    playing,
    until_lost,
)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com", "wss://api.openai.com/realtime?model=m"),
        ("https://api.openai.com/", "wss://api.openai.com/realtime?model=m"),
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?model=m"),
        ("http://localhost:8080/v1/", "ws://localhost:8080/v1/realtime?model=m"),
        ("wss://host/openai", "wss://host/openai/realtime?model=m"),
        ("wss://api.openai.com/v1/realtime", "wss://api.openai.com/v1/realtime?model=m"),
        ("wss://host/custom/path", "wss://host/custom/path?model=m"),
        ("wss://host/v1?a=1&b=%20", "wss://host/v1/realtime?a=1&b=%20&model=m"),
        ("wss://host/v1?model=other", "wss://host/v1/realtime?model=other"),
    ],
)
def test_r0_4_r3_28_the_url_is_built_by_one_rule(base_url: str, url: str):
    assert realtime_url(base_url, "m") == url


def test_a_models_name_is_quoted_in_the_url():
    assert realtime_url("wss://host/v1", "a b&c").endswith("?model=a%20b%26c")


@pytest.mark.parametrize(
    "base_url", ["", "api.openai.com/v1", "ftp://host", "wss://", "wss://host:port", "wss://[host"]
)
def test_a_base_that_is_no_url_stops_the_start(base_url: str):
    with pytest.raises(SettingsError, match="OPENAI_REALTIME_BASE_URL"):
        OpenAIProvider(lambda _: ACCESS, base_url=base_url)


async def test_r0_3_r0_6_r0_7_r3_13_a_session_is_opened_with_our_key_our_model_and_our_configuration():
    asked: dict[str, Any] = {}

    async def script(peer: Peer) -> None:
        asked.update(await peer.greet())

    access = OpenAICoreConf(openai_api_key=SecretStr(KEY), organization="org-1", project="proj-1")
    async with playing(script) as server:
        sender, _ = await create_openai_realtime_session(CONFIG, access, base_url=server.base_url)
        await sender.close()
        [request] = server.requests

    assert asked == CONFIG.wire()
    assert request.path == "/v1/realtime?model=gpt-realtime-2.1"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["OpenAI-Organization"] == "org-1"
    assert request.headers["OpenAI-Project"] == "proj-1"
    assert "OpenAI-Beta" not in request.headers
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_unknown_events_and_broken_frames_do_not_disturb_the_handshake():
    async def script(peer: Peer) -> None:
        await peer.connection.send("{broken")
        await peer.send("session.created", session={})
        session = (await peer.receive("session.update"))["session"]
        await peer.send("conversation.created", conversation={"id": "conv_1"})
        await peer.send("session.news")
        await peer.send("session.updated", session=session)

    async with playing(script) as server:
        sender, _ = await open_session(server)
        await sender.close()


async def test_a_wrong_key_told_in_band_is_final():
    async def script(peer: Peer) -> None:
        await peer.error("invalid_api_key")
        await peer.connection.close(3000, "invalid_request_error.invalid_api_key")

    async with playing(script) as server:
        error = await failing(server)
    assert (error.code, error.retryable, len(server.requests)) == ("invalid_api_key", False, 1)


async def test_a_refused_field_without_which_there_is_no_call_is_named_and_final():
    async def script(peer: Peer) -> None:
        await peer.send("session.created", session={})
        await peer.receive("session.update")
        await peer.error("unknown_parameter", param="session.instructions")

    async with playing(script) as server:
        error = await failing(server)
    assert "session.instructions" in str(error)
    assert (error.code, error.retryable, len(server.requests)) == ("unknown_parameter", False, 1)


async def test_another_audio_format_than_asked_for_is_no_session():
    async def script(peer: Peer) -> None:
        await peer.send("session.created", session={})
        for _ in range(2):
            session = (await peer.receive("session.update"))["session"]
            session["audio"]["output"]["format"] = {"type": "audio/pcma"}
            await peer.send("session.updated", session=session)

    async with playing(script) as server:
        error = await failing(server)
        await server.closed.wait()
    assert "session.audio.output.format" in str(error)
    assert error.code == "audio_format_refused"


async def test_a_failing_server_gets_a_second_try():
    async def script(peer: Peer) -> None:
        await peer.error(None, kind="server_error")

    async with playing(script, greet) as server:
        sender, _ = await open_session(server)
        await sender.close()
    assert len(server.requests) == 2


async def test_two_tries_are_all():
    async def script(peer: Peer) -> None:
        await peer.connection.close(1011, "internal")

    async with playing(script) as server:
        error = await failing(server)
    assert (error.code, error.retryable, len(server.requests)) == ("closed_1011", True, 2)


@pytest.mark.parametrize(
    ("code", "reason", "named"),
    [
        (4000, "invalid_request_error.beta_api_shape_disabled", "beta_api_shape_disabled"),
        (4004, "invalid_request_error.model_not_found", "model_not_found"),
        (3999, "", "closed_3999"),
    ],
)
async def test_a_configuration_close_is_final(code: int, reason: str, named: str):
    async def script(peer: Peer) -> None:
        await peer.connection.close(code, reason)

    async with playing(script) as server:
        error = await failing(server)
    assert (error.code, error.retryable, len(server.requests)) == (named, False, 1)


@pytest.mark.parametrize("stage", ["silent", "unconfirmed"])
async def test_a_server_that_hangs_fails_within_the_limit_and_leaves_no_socket(stage: str):
    async def script(peer: Peer) -> None:
        if stage == "unconfirmed":
            await peer.send("session.created", session={})
            await peer.receive("session.update")
        await hang(peer)

    began = time.monotonic()
    async with playing(script) as server:
        error = await failing(server, deadlines=HURRIED)
        assert time.monotonic() - began < HURRIED.session_s + 0.5
        await asyncio.wait_for(server.closed.wait(), 1)
    assert (error.code, error.retryable) == ("timeout", True)


async def test_whoever_gives_up_waiting_leaves_no_socket():
    async with playing(hang) as server:
        waiting = asyncio.create_task(open_session(server))
        await server.asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(server.closed.wait(), 1)


async def test_nobody_listening_is_unreachable():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base_url = f"ws://127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(SessionUnavailable) as refusal:
            await create_openai_realtime_session(CONFIG, ACCESS, base_url=base_url, deadlines=QUICK)
    assert (refusal.value.code, refusal.value.retryable) == ("unreachable", True)


def http(status: HTTPStatus, *, body: bytes = b"", **headers: str) -> Response:
    named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    named["Content-Length"] = str(len(body))
    return Response(status.value, status.phrase, named, body)


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "tries"),
    [
        (http(HTTPStatus.UNAUTHORIZED), "invalid_api_key", False, 1),
        (http(HTTPStatus.FORBIDDEN), "forbidden", False, 1),
        (http(HTTPStatus.NOT_FOUND), "model_not_found", False, 1),
        (http(HTTPStatus.FOUND, Location="ws://127.0.0.1:9/elsewhere"), "http_302", False, 1),
        (http(HTTPStatus.SERVICE_UNAVAILABLE), "http_503", True, 2),
        (http(HTTPStatus.TOO_MANY_REQUESTS), "http_429", True, 1),
        (http(HTTPStatus.TOO_MANY_REQUESTS, Retry_After="0.1"), "http_429", True, 2),
        (http(HTTPStatus.TOO_MANY_REQUESTS, Retry_After="3"), "http_429", True, 1),
        (http(HTTPStatus.TOO_MANY_REQUESTS, Retry_After="soon"), "http_429", True, 1),
        (
            http(HTTPStatus.TOO_MANY_REQUESTS, body=b'{"error":{"code":"insufficient_quota"}}', Retry_After="0"),
            "insufficient_quota",
            False,
            1,
        ),
    ],
)
async def test_an_http_refusal_is_weighed(answer: Response, code: str, retryable: bool, tries: int):
    async with playing(greet) as server:
        server.answer_upgrade = lambda _: answer
        error = await failing(server)
    assert (error.code, error.retryable, len(server.requests)) == (code, retryable, tries)


async def test_the_key_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture):
    async def script(peer: Peer) -> None:
        await peer.error("invalid_value")

    async def close(peer: Peer) -> None:
        await peer.connection.close(1011, f"bad {KEY}")

    with caplog.at_level(logging.DEBUG):
        for script_of_failure in (script, close):
            async with playing(script_of_failure) as server:
                error = await failing(server)
            chain: BaseException | None = error
            while chain:
                assert KEY not in str(chain)
                assert KEY not in repr(chain)
                chain = chain.__cause__ or chain.__context__
    ours = [record for record in caplog.records if not record.name.startswith("websockets.server")]
    assert KEY not in "".join(record.getMessage() for record in ours)


@pytest.mark.parametrize("key", ["", "sk-\r\nX-Evil: 1", "sk-ключ"])
async def test_a_key_that_cannot_be_one_is_never_sent(key: str):
    async with playing(greet) as server:
        with pytest.raises(SessionUnavailable, match="API key"):
            await create_openai_realtime_session(
                CONFIG, OpenAICoreConf(openai_api_key=SecretStr(key)), base_url=server.base_url
            )
    assert not server.requests


def certificate(folder: Path) -> Path:
    """A key and a certificate for this machine that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return pem


async def test_a_certificate_counts_only_when_it_is_trusted(tmp_path: Path):
    pem = certificate(tmp_path)
    server = Server([greet])
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(pem)
    async with serve(
        server.on_connection, "localhost", 0, ssl=server_tls, process_request=server.on_request
    ) as running:
        server.base_url = f"https://localhost:{running.sockets[0].getsockname()[1]}/v1"
        error = await failing(server)
        assert (error.code, error.retryable) == ("tls", False)
        assert not server.requests, "the key never left"

        sender, _ = await open_session(server, ssl_context=ssl.create_default_context(cafile=pem))
        await sender.close()


def test_r3_15_this_process_makes_one_tls_context_for_all_its_sessions():
    assert connect.tls() is connect.tls()


async def test_r3_24_events_reach_the_call_and_broken_frames_are_counted_and_the_end_is_told():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("rate_limits.updated", rate_limits=[])
        await peer.connection.send("{broken")
        await peer.connection.send(b"\x00\x01")
        await peer.send("response.output_audio.delta", delta="//8=", item_id="item_1", response_id="resp_1")
        await peer.connection.close()

    async with playing(script) as server:
        _, receiver = await open_session(server)
        events = await until_lost(receiver, "1000")
    assert events == [RateLimits(), AudioDelta("//8=", "item_1", "resp_1")]
    assert receiver.unreadable_frames == 2


async def test_r3_31_r3_32_the_events_end_quietly_after_our_own_close_and_closing_twice_is_fine():
    async with playing(greet) as server:
        sender, receiver = await open_session(server)
        reading = asyncio.create_task(anext(heard(receiver), None))
        await asyncio.sleep(0)
        await sender.close()
        await sender.close()
        assert await reading is None
        with pytest.raises(SessionLost):
            await sender.start_response()


async def test_a_mute_server_cannot_hold_up_our_close():
    async def script(peer: Peer) -> None:
        await peer.greet()
        peer.connection.transport.pause_reading()

    async with playing(script) as server:
        sender, _ = await open_session(server)
        began = time.monotonic()
        await sender.close()
        assert time.monotonic() - began < QUICK.close_s + 0.3


async def test_r0_11_caller_audio_goes_out_unopened_and_raw_audio_encoded():
    async def script(peer: Peer) -> None:
        await peer.greet()
        assert (await peer.receive("input_audio_buffer.append"))["audio"] == "//8="
        assert (await peer.receive("input_audio_buffer.append"))["audio"] == to_base64(silence(20))
        await peer.connection.close()

    async with playing(script) as server:
        sender, _ = await open_session(server)
        await sender.send_audio_delta("//8=")
        await sender.send_audio_delta(silence(20))
        await server.closed.wait()


async def test_what_a_call_asks_for_arrives_as_the_wire_has_it():
    async def script(peer: Peer) -> None:
        await peer.greet()
        say = await peer.receive("conversation.item.create")
        assert say["item"]["role"] == "system"
        assert "Hello there." in say["item"]["content"][0]["text"]
        assert (await peer.receive("response.create"))["event_id"] == "create_1"
        await peer.send("response.created", response={"id": "resp_1"})
        text = await peer.receive("conversation.item.create")
        assert text["item"]["content"] == [{"type": "input_text", "text": "Key 5"}]
        assert (await peer.receive("response.cancel"))["response_id"] == "resp_1"
        cut = await peer.receive("conversation.item.truncate")
        assert (cut["item_id"], cut["audio_end_ms"], cut["content_index"]) == ("item_1", 640, 0)
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.cancel()  # nothing to cancel: nothing is sent
        await sender.say("Hello there.")
        assert await anext(heard(receiver)) == ResponseStarted("resp_1")
        await sender.send_text("Key 5", respond=False)
        await sender.cancel()
        await sender.truncate("item_1", 640)
        await server.closed.wait()


async def test_r0_12_two_tool_calls_reach_the_call_once_each_and_get_one_answer_after_both():
    def item(call_id: str) -> dict[str, str]:
        return {"type": "function_call", "status": "completed", "call_id": call_id, "name": "f", "arguments": "{}"}

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("response.created", response={"id": "resp_1"})
        for call_id in ("call_1", "call_2", "call_2"):
            await peer.send("response.output_item.done", response_id="resp_1", item=item(call_id))
        await peer.send("response.done", response={"id": "resp_1", "status": "completed"})
        outputs = [await peer.receive("conversation.item.create") for _ in range(2)]
        assert [output["item"]["call_id"] for output in outputs] == ["call_1", "call_2"]
        await peer.receive("response.create")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        events = heard(receiver)
        seen = [await anext(events) for _ in range(4)]
        await sender.send_tool_response("call_1", "f", "one")
        await sender.send_tool_response("call_2", "f", "two")
        await server.closed.wait()
    assert [type(event) for event in seen] == [ResponseStarted, ToolCall, ToolCall, ResponseDone]


async def test_a_refused_create_comes_again_when_the_active_response_is_done():
    async def script(peer: Peer) -> None:
        await peer.greet()
        create = await peer.receive("response.create")
        await peer.error("conversation_already_has_active_response", event_id=create["event_id"])
        await peer.send("response.done", response={"id": "resp_0", "status": "completed"})
        assert (await peer.receive("response.create"))["event_id"] != create["event_id"]
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        await sender.start_response()
        events = await until_lost(receiver)
    assert [event.severity for event in events if isinstance(event, SessionProblem)] == ["harmless"]


async def test_a_wish_is_not_forgotten_when_the_server_does_not_answer_the_caller():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_1")
        await peer.send("input_audio_buffer.speech_stopped", audio_end_ms=500, item_id="item_1")
        await peer.receive("response.create")
        await peer.connection.close()

    async with playing(script) as server:
        sender, receiver = await open_session(server)
        events = heard(receiver)
        await anext(events)
        await sender.start_response()
        assert len(await until_lost(receiver)) == 1


async def test_with_a_stalled_server_caller_audio_never_waits_and_only_the_newest_is_kept():
    resume = asyncio.Event()
    arrived: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.greet()
        peer.connection.transport.pause_reading()
        await resume.wait()
        peer.connection.transport.resume_reading()
        while not arrived or arrived[-1] != "last":
            arrived.append((await peer.receive("input_audio_buffer.append"))["audio"])
            if len(arrived) % 100 == 0:
                await peer.send("rate_limits.updated", rate_limits=[])
        await peer.send("rate_limits.updated", rate_limits=[])
        await peer.connection.close()

    second = to_base64(silence(1000))
    async with playing(script) as server:
        sender, receiver = await open_session(server)
        link = sender._link
        link._socket.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        async with asyncio.timeout(5):
            for _ in range(3000):
                await sender.send_audio_delta(second)
        assert link._socket.transport.get_write_buffer_size() < 64_000
        assert len(link._backlog) == 4
        resume.set()
        while link._backlog:
            await asyncio.sleep(0.01)
            await sender.send_audio_delta("last")
        [problem] = [event for event in await until_lost(receiver) if isinstance(event, SessionProblem)]
    assert (problem.code, problem.severity) == ("caller_audio_dropped", "harmless")
    assert len([audio for audio in arrived if audio == second]) < 3000


async def test_a_provider_opens_an_agents_session_with_its_accounts_key():
    async with playing(greet) as server:
        provider = OpenAIProvider({"agency": ACCESS}.__getitem__, server.base_url, QUICK)
        provider.warm_up()
        sender, _ = await provider.open(AgentConf(account="agency"))
        await sender.close()
        assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
        assert provider.compile(AgentConf()) == CONFIG.wire()


async def test_an_agent_without_an_account_has_no_session_and_no_second_try():
    def missing(name: str) -> OpenAICoreConf:
        raise ConfMissing(f"no row openai/{name}")

    with pytest.raises(SessionUnavailable, match="no row openai/default") as refusal:
        await OpenAIProvider(missing).open(AgentConf())
    assert (refusal.value.code, refusal.value.retryable) == ("not_configured", False)
