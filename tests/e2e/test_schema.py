"""The API does what its description says, whatever it is asked: nothing breaks, and nothing wrong is taken."""

import os
import socket
from pathlib import Path

import pytest

from app.web import bad_keys
from tests.e2e.calls_api import KEY, Api, event, over
from tests.e2e.fuzz import fuzz

SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
"""How long `make fuzz` goes on."""
ONE_OF_EACH = r"^/api/v1/(calls$|calls/[^/]*$|keys|config/openai/[^/]*$)"
"""Sections of the configuration have the same routes: one of them shows what all do."""


@pytest.fixture
def nobody_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up webhooks have made-up hosts, which may be somebody's."""
    resolve = socket.getaddrinfo

    def only_this_machine(host, *arguments, **options):
        if host not in {None, "127.0.0.1", "localhost", b"127.0.0.1"}:
            raise socket.gaierror(socket.EAI_NONAME, "nobody is there in a test")
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", only_this_machine)


@pytest.mark.usefixtures("nobody_outside")
async def test_every_operation_keeps_to_its_description(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bad_keys, "LIMIT", 10**9)  # a wrong key is one of the wrong things
    call = over()
    await api.keep(call, *(event(seq) for seq in range(1, 6)))
    await api.record(call, [{"speaker": "caller", "start_ms": 0, "end_ms": 900, "text": "Hello."}])

    if SECONDS:
        fuzzed = await fuzz(api.house.url, KEY, tmp_path, examples=100, seconds=SECONDS)
    else:
        fuzzed = await fuzz(api.house.url, KEY, tmp_path, examples=1, coverage=ONE_OF_EACH)

    assert fuzzed.passed, fuzzed.said
    assert fuzzed.answers[401] + fuzzed.answers[429] < fuzzed.answers.total() / 4, "the key was not taken"
    assert len(fuzzed.succeeded) > 70, "too few operations did what they are for"
