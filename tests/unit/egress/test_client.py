"""The client against a canary on loopback, which must hear nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.egress.addresses import AllowList
from app.egress.client import GuardedBackend, guarded_client
from app.egress.exchange import Answer, exchange
from app.errors import EgressFailed, EgressRefused
from tests.unit.egress.test_addresses import LOCAL_SPELLINGS

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Canary:
    """A server on loopback that counts who comes, and answers everyone the same."""

    answer: bytes = OK
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    port: int = 0
    hold: asyncio.Event | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer)
            await writer.drain()
            if self.hold:
                await self.hold.wait()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@asynccontextmanager
async def canary(answer: bytes = OK, *, hold: asyncio.Event | None = None) -> AsyncIterator[Canary]:
    bird = Canary(answer, hold=hold)
    server = await asyncio.start_server(bird.serve, "127.0.0.1", 0)
    bird.port = server.sockets[0].getsockname()[1]
    async with server:
        yield bird


async def sent(client: httpx.AsyncClient, url: str, *, within_s: float = 5, most_bytes: int = 100) -> Answer:
    return await exchange(client, client.build_request("GET", url), within_s=within_s, most_bytes=most_bytes)


def names(*answers: Sequence[str]) -> "Names":
    return Names(list(answers))


@dataclass
class Names:
    """A name server that answers each question with its next answer, the last one for ever."""

    answers: list[Sequence[str]]
    asked: int = 0

    async def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_a_local_address_reaches_the_canary(scheme: str) -> None:
    async with canary() as bird, guarded_client(timeout_s=1) as client:
        for host in LOCAL_SPELLINGS:
            with pytest.raises((EgressRefused, httpx.InvalidURL)):
                await client.get(f"{scheme}://{host}:{bird.port}/")
        assert bird.connections == 0


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "127.0.0.1", "::1"])
async def test_the_connection_itself_refuses_what_a_url_check_might_have_missed(host: str) -> None:
    async with canary() as bird:
        with pytest.raises(EgressRefused):
            await GuardedBackend(AllowList(), plain=False).connect_tcp(host, bird.port, timeout=2)
        assert bird.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["fe80::1%eth0"], ["?"]],
)
async def test_a_name_with_one_refused_address_is_refused_without_telling_where_it_leads(addresses: list[str]) -> None:
    async with canary() as bird, guarded_client(resolve=names(addresses)) as client:
        with pytest.raises(EgressRefused, match=r"hooks\.example\.com leads to") as refused:
            await client.get(f"https://hooks.example.com:{bird.port}/")
        assert bird.connections == 0
        assert "127.0.0.1" not in str(refused.value)


async def test_a_name_that_changes_its_answer_is_asked_once_and_the_checked_address_is_the_one_connected_to() -> None:
    # 127.0.0.1 is let in, and stands for the public address; 127.0.0.2, the same machine, for the private one
    rebinding = names(["127.0.0.1"], ["127.0.0.2"])
    async with canary() as bird, guarded_client(["127.0.0.1"], resolve=rebinding) as client:
        answer = await sent(client, f"http://hooks.example.com:{bird.port}/")
        assert (answer.status, rebinding.asked) == (200, 1)
        assert b"host: hooks.example.com:" in bird.requests[0].lower()

    async with canary() as bird, guarded_client(["127.0.0.1"], resolve=rebinding) as client:
        with pytest.raises(EgressRefused):
            await sent(client, f"http://hooks.example.com:{bird.port}/")
        assert bird.connections == 0


async def test_plain_http_to_a_name_must_lead_to_what_is_let_in() -> None:
    async with guarded_client(["10.0.0.0/8"], resolve=names(["8.8.8.8"])) as client:
        with pytest.raises(EgressRefused, match="https://"):
            await client.get("http://hooks.example.com/")


@pytest.mark.parametrize("follow", [False, True])
async def test_a_redirect_to_a_place_we_do_not_go_to_is_not_followed(follow: bool) -> None:
    async with canary() as bird:
        redirect = (
            f"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.2:{bird.port}/\r\ncontent-length: 0\r\n\r\n".encode()
        )
        async with canary(redirect) as first, guarded_client(["127.0.0.1"]) as client:
            if follow:
                with pytest.raises(EgressRefused):
                    await client.get(first.url, follow_redirects=True)
            else:
                assert (await client.get(first.url)).status_code == 302
            assert (first.connections, bird.connections) == (1, 0)


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with canary() as proxy, canary() as bird:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with guarded_client(["127.0.0.1"]) as client:
            assert (await client.get(bird.url)).text == "ok"
        assert (proxy.connections, bird.connections) == (0, 1)


async def test_the_next_address_is_tried_where_one_takes_no_connection() -> None:
    async with canary() as bird, guarded_client(["127.0.0.0/8"], resolve=names(["127.0.0.2", "127.0.0.1"])) as client:
        assert (await sent(client, f"http://hooks.example.com:{bird.port}/")).status == 200


async def test_a_long_body_is_cut_at_its_limit() -> None:
    long = b"HTTP/1.1 500 Oh\r\n\r\n" + b"x" * 100_000
    async with canary(long) as bird, guarded_client(["127.0.0.1"]) as client:
        answer = await sent(client, bird.url, most_bytes=4096)
        assert (answer.status, len(answer.body), answer.whole) == (500, 4096, False)


async def test_a_body_that_never_ends_costs_the_time_limit_and_its_status_counts() -> None:
    over = asyncio.Event()
    async with canary(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab", hold=over) as bird:
        async with guarded_client(["127.0.0.1"]) as client:
            answer = await sent(client, bird.url, within_s=0.1)
        over.set()
        assert (answer.status, answer.body, answer.whole) == (200, b"ab", False)


async def test_no_answer_in_time_is_an_error_in_words() -> None:
    over = asyncio.Event()
    async with canary(b"", hold=over) as bird:
        async with guarded_client(["127.0.0.1"]) as client:
            with pytest.raises(EgressFailed, match="no answer within"):
                await sent(client, bird.url, within_s=0.1)
        over.set()


async def test_a_server_that_is_away_is_an_error_in_words() -> None:
    async with canary() as bird:
        url = bird.url
    async with guarded_client(["127.0.0.1"]) as client:
        with pytest.raises(EgressFailed, match="does not take connections"):
            await sent(client, url)


async def test_a_name_that_does_not_resolve_is_an_error_in_words() -> None:
    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    async with guarded_client(resolve=nowhere) as client:
        with pytest.raises(EgressFailed, match="does not resolve"):
            await sent(client, "https://hooks.example.com/")


async def test_tls_names_the_host_and_trusts_nobody_else_at_that_address(tmp_path: Path) -> None:
    named: list[str | None] = []
    server_tls = self_signed(tmp_path)
    server_tls.sni_callback = lambda _socket, name, _context: named.append(name)
    server = await asyncio.start_server(Canary().serve, "127.0.0.1", 0, ssl=server_tls)
    async with server, guarded_client(["127.0.0.1"], resolve=names(["127.0.0.1"])) as client:
        with pytest.raises(EgressFailed, match="certificate"):
            await sent(client, f"https://hooks.example.com:{server.sockets[0].getsockname()[1]}/")
    assert named == ["hooks.example.com"]


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server that says it is hooks.example.com, and nobody vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_many_requests_wait_for_their_answers_at_once() -> None:
    all_there = asyncio.Barrier(30)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await all_there.wait()
        writer.write(OK)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, guarded_client(["127.0.0.1"]) as client, asyncio.TaskGroup() as asking:
        for _ in range(30):
            asking.create_task(sent(client, url))


async def test_s22_a_cookie_of_one_answer_goes_along_with_no_other_request() -> None:
    baker = b"HTTP/1.1 200 OK\r\nset-cookie: session=1; path=/\r\ncontent-length: 0\r\n\r\n"
    async with canary(baker) as bird, guarded_client(["127.0.0.1"]) as client:
        await sent(client, bird.url)
        await sent(client, bird.url)
        assert len(bird.requests) == 2
        assert not [request for request in bird.requests if b"cookie" in request.lower()]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_no_kind_of_redirect_is_followed(status: str) -> None:
    async with canary() as bird:
        redirect = (
            f"HTTP/1.1 {status}\r\nlocation: {bird.url}\r\nrefresh: 0; url={bird.url}\r\ncontent-length: 0\r\n\r\n"
        )
        async with canary(redirect.encode()) as first, guarded_client(["127.0.0.1"]) as client:
            assert (await sent(client, first.url)).status == int(status[:3])
            assert (first.connections, bird.connections) == (1, 0)
