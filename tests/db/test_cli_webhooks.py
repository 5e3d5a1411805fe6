"""`parley webhooks` as the shell has it."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner

from app.cli.webhooks import app
from app.db.engine import create_engine, db_session
from app.jobs.webhooks.emit import emit, message_id
from app.settings import Settings


class Hook(HTTPServer):
    """A server in a thread of its own: the command has the event loop."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[dict[str, str], bytes]] = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hook)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cli(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def shown_secret(output: str) -> str:
    return output.strip().rpartition(" ")[2]


def test_a_server_is_added_tried_and_its_secret_changed(cli, hook: Hook):
    url = f"http://127.0.0.1:{hook.server_port}/"
    added = cli("add", "crm", url, "--event", "call.*", "--allow-private", "127.0.0.1")
    assert added.exit_code == 0
    first = shown_secret(added.stdout)
    assert first.startswith("whsec_")

    tried = cli("test", "crm")
    assert (tried.exit_code, tried.stdout.splitlines()[0]) == (0, "200 thanks")
    second = shown_secret(cli("rotate", "crm").stdout)
    cli("test", "crm")
    cli("rotate", "crm", "--finish")
    cli("test", "crm")

    assert [len(headers["webhook-signature"].split()) for headers, _ in hook.received] == [1, 2, 1]
    for secret, (headers, body) in zip((first, second, second), hook.received, strict=True):
        assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"

    listed = cli("list").stdout
    assert "call.*" in listed
    assert second[6:] not in listed


def test_a_server_that_does_not_take_it_is_an_error_that_says_why(cli, hook: Hook):
    hook.status = 500
    cli("add", "crm", f"http://127.0.0.1:{hook.server_port}/", "--allow-private", "127.0.0.1")

    done = cli("test", "crm")

    assert done.exit_code == 1
    assert "it answered 500" in done.stderr
    assert "500 thanks" in done.stdout


def test_what_is_refused_is_one_line_of_reason(cli):
    for arguments, reason in (
        (("add", "crm", "https://127.0.0.1/"), "this machine itself"),
        (("test", "crm"), "webhook/crm is not set"),
        (("replay", "msg_nothing"), "nothing to send"),
        (("replay", "nothing"), "nothing to send"),
    ):
        done = cli(*arguments)
        assert done.exit_code == 1
        assert reason in done.stderr
        assert "Traceback" not in done.stderr


def test_deliveries_are_listed_and_sent_again(cli, empty_database_url: str):
    async def happens() -> None:
        engine = create_engine(empty_database_url)
        async with db_session(engine) as db:
            await emit(db, "call.ended", "1", {"agent": "sales"})
        await engine.dispose()

    cli("add", "crm", "https://hooks.example.com/")
    asyncio.run(happens())

    listed = cli("deliveries").stdout
    assert message_id("call.ended", "1") in listed
    assert "waiting" in listed
    assert message_id("call.ended", "1") not in cli("deliveries", "--failed").stdout
    assert cli("replay", message_id("call.ended", "1")).exit_code == 0
