"""The samples that ship, judged by the official package's models."""

import json
from pathlib import Path
from typing import get_args

import pytest
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

import app.sandbox
from app.sandbox.openai.client_events import check

DATA = Path(app.sandbox.__file__).parent / "data"
SERVER = sorted((DATA / "openai").glob("*.json"))
CLIENT = sorted((DATA / "openai" / "client").glob("*.json"))
WEBRTC_ONLY = "output_audio_buffer.clear"


def types_of(union: object) -> set[str]:
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0] for member in members}


@pytest.mark.parametrize("path", SERVER, ids=lambda path: path.stem)
def test_a_server_event_is_one_of_the_official_package_and_nothing_in_it_is_unknown(path):
    sample = json.loads(path.read_text())
    event = TypeAdapter(RealtimeServerEvent).validate_python(sample)

    assert event.type == sample["type"] == path.stem
    assert not event.model_extra


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: path.stem)
def test_a_client_event_is_one_of_the_official_package_and_the_sandbox_accepts_it(path):
    sample = json.loads(path.read_text())
    event = TypeAdapter(RealtimeClientEvent).validate_python(sample)

    assert event.type == sample["type"] == path.stem
    assert not event.model_extra
    if path.stem != WEBRTC_ONLY:
        assert check(sample).type == path.stem


def test_there_is_a_sample_of_every_event_that_the_official_package_knows():
    assert {path.stem for path in SERVER} == types_of(RealtimeServerEvent)
    assert {path.stem for path in CLIENT} == types_of(RealtimeClientEvent)
