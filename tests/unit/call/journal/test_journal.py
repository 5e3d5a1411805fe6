"""The call's folder."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.audio import silence, to_base64
from app.call.events import CallEvent, Kind
from app.call.journal.journal import Journal, read_events, read_record
from app.call.record import CallRecord
from app.call.status import CallStatus

RECORD = CallRecord(
    id="0197", call_sid="CA1", account_sid="AC1", from_number="+15550001", to_number="+15550002", direction="inbound",
    agent="default", agent_version=3, started_at=datetime(2026, 11, 21, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "0197", RECORD, now_ms=lambda: 100.0)


def test_a_finished_folder_tells_the_whole_call(journal):
    journal.add(CallEvent(Kind.CALLER_SPEECH_STARTED, 5, {"item_id": "u1"}))
    journal.recorder.caller(0, to_base64(silence(20)), now_ms=0)
    journal.recorder.agent("m1", to_base64(b"\x01" * 160), now_ms=0)
    journal.recorder.mark("m1", now_ms=0)
    journal.collect()
    journal.write()
    journal.add(CallEvent(Kind.CALLER_TRANSCRIPT, 9, {"item_id": "u1", "text": "Hello"}))
    journal.finish(RECORD)

    assert read_record(journal.folder) == RECORD
    assert [(event.seq, event.kind) for event in read_events(journal.folder)] == [
        (1, "caller.speech_started"), (2, "caller.transcript"),
    ]  # fmt: skip
    assert (journal.folder / "call.wav").read_bytes().endswith(b"\xff\x01" * 80)
    assert json.loads((journal.folder / "transcript.json").read_text())[0]["said"] == "Hello"


def test_a_call_without_a_sound_has_no_recording(tmp_path):
    journal = Journal(tmp_path / "0197", RECORD, now_ms=lambda: 100.0, records=False)
    journal.recorder.caller(0, to_base64(silence(20)), now_ms=0)
    journal.finish(RECORD)

    assert {path.name for path in journal.folder.iterdir()} == {"call.json", "owner", "transcript.json"}


def test_a_write_that_failed_between_two_files_is_repeated_without_doubling(journal):
    journal.add(CallEvent(Kind.CALL_STARTED, 0))
    journal.collect()
    journal.write()
    journal.add(CallEvent(Kind.CALL_ENDED, 9))
    journal.recorder.caller(0, to_base64(silence(20)), now_ms=0)
    journal.collect()
    (journal.folder / "caller.ulaw").mkdir()
    with pytest.raises(IsADirectoryError):
        journal.write()
    (journal.folder / "caller.ulaw").rmdir()
    journal.write()

    assert [event.seq for event in read_events(journal.folder)] == [1, 2]


def test_the_record_on_disk_keeps_up_with_the_call(journal):
    journal.collect()
    journal.write()
    journal.record = replace(RECORD, status=CallStatus.LIVE)
    journal.collect()
    journal.write()

    assert read_record(journal.folder).status is CallStatus.LIVE


def test_a_declined_recording_is_deleted_and_never_comes_back(journal):
    journal.recorder.caller(0, to_base64(silence(20)), now_ms=0)
    journal.collect()
    journal.write()
    assert (journal.folder / "caller.ulaw").exists()
    journal.recorder.caller(20, to_base64(silence(20)), now_ms=20)
    journal.collect()  # on its way to the disk already
    journal.declined()
    journal.write()
    journal.recorder.caller(40, to_base64(silence(20)), now_ms=40)
    journal.finish(journal.record)

    assert read_record(journal.folder).recording == "declined"
    assert not list(journal.folder.glob("*.ulaw")) + list(journal.folder.glob("*.wav"))


def test_an_event_that_cannot_be_written_holds_up_no_other(journal):
    journal.add(CallEvent(Kind.TOOL_ANSWERED, 0, {"output": "\ud800"}))
    journal.add(CallEvent(Kind.CALL_ENDED, 1))
    journal.collect()
    journal.write()

    assert [event.seq for event in read_events(journal.folder)] == [1, 2]


def test_a_write_that_failed_half_way_is_repeated_without_doubling(journal):
    journal.add(CallEvent(Kind.CALL_STARTED, 0))
    journal.collect()
    journal.write()
    events = journal.folder / "events.jsonl"
    events.write_bytes(events.read_bytes() + b'{"seq": 2, "ki')  # what a full disk leaves behind
    journal.add(CallEvent(Kind.CALL_ENDED, 9))
    journal.collect()
    journal.write()

    assert [event.seq for event in read_events(journal.folder)] == [1, 2]


def test_nothing_is_forgotten_while_the_disk_refuses(journal):
    journal.folder.write_text("a file where the folder should be")
    journal.add(CallEvent(Kind.CALL_STARTED, 0))
    journal.collect()
    with pytest.raises(NotADirectoryError):
        journal.write()
    journal.folder.unlink()
    journal.write()

    assert len(list(read_events(journal.folder))) == 1


def test_listeners_are_told_of_everything_and_may_fail(tmp_path):
    told = []

    def broken(_record, _event):
        raise RuntimeError("a listener's own mistake")

    journal = Journal(
        tmp_path / "0197",
        RECORD,
        now_ms=lambda: 0.0,
        listeners=[broken, lambda record, event: told.append((record.id, event.kind, event.seq))],
    )
    journal.add(CallEvent(Kind.AGENT_TRANSCRIPT, 0, {"text": "Hel", "final": False}, fleeting=True))
    journal.add(CallEvent(Kind.AGENT_TRANSCRIPT, 1, {"text": "Hello", "final": True}))
    journal.collect()
    journal.write()

    assert told == [("0197", Kind.AGENT_TRANSCRIPT, 0), ("0197", Kind.AGENT_TRANSCRIPT, 1)]
    assert [event.data["text"] for event in read_events(journal.folder)] == ["Hello"]


def test_a_half_written_last_line_is_left_out(journal):
    journal.add(CallEvent(Kind.CALL_STARTED, 0))
    journal.collect()
    journal.write()
    with (journal.folder / "events.jsonl").open("ab") as lines:
        lines.write(b'{"seq": 2')

    assert len(list(read_events(journal.folder))) == 1


def test_the_character_that_postgres_cannot_keep_is_replaced_when_a_folder_is_read(tmp_path):
    journal = Journal(tmp_path / "0197", replace(RECORD, from_number="a\x00b"), now_ms=lambda: 0.0)
    journal.add(CallEvent(Kind.CALLER_TRANSCRIPT, 0, {"text": "c\x00d"}))
    journal.collect()
    journal.write()

    assert read_record(journal.folder).from_number == "a\ufffdb"
    assert next(read_events(journal.folder)).data == {"text": "c\ufffdd"}
