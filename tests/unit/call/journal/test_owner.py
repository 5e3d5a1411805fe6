"""Folders whose process died."""

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from app.audio import silence, to_base64
from app.call.events import CallEvent, Kind
from app.call.journal import folder as folders
from app.call.journal.journal import Journal, read_events, read_record
from app.call.journal.owner import Owner, end_crashed, orphans
from app.call.status import CallStatus, EndReason
from tests.unit.call.journal.test_journal import RECORD

DIED_AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def left_behind(root: Path, *, name: str = "0197", owner: str = "gone", recorded: bool = True) -> Path:
    """What a process leaves that dies in the middle of a write."""
    journal = Journal(root / name, replace(RECORD, id=name, recording="on"), now_ms=lambda: 100.0, records=recorded)
    journal.add(CallEvent(Kind.CALL_STARTED, 0))
    journal.add(CallEvent(Kind.CALLER_SPEECH_STARTED, 5, {"item_id": "u1"}))
    journal.add(CallEvent(Kind.CALLER_TRANSCRIPT, 9, {"item_id": "u1", "text": "Hello"}))
    journal.recorder.caller(0, to_base64(b"\x01" * 160), now_ms=0)
    journal.recorder.caller(20, to_base64(b"\x02" * 160), now_ms=20)
    journal.collect()
    journal.write(owner)
    with (journal.folder / "events.jsonl").open("ab") as lines:
        lines.write(b'{"seq": 4, "kind": "call.en')
    for path in journal.folder.iterdir():
        os.utime(path, (DIED_AT.timestamp(), DIED_AT.timestamp()))
    return journal.folder


def test_a_folder_is_an_orphan_when_nobody_holds_its_owners_lock(tmp_path):
    ours = Owner(tmp_path)
    left_behind(tmp_path, name="0001", owner=ours.token)
    dead = left_behind(tmp_path, name="0002")
    ended = left_behind(tmp_path, name="0003")
    folders.write_record(ended, replace(RECORD, end_reason=EndReason.CALLER_HANGUP))

    assert orphans(tmp_path) == [dead]
    ours.leave()
    assert orphans(tmp_path) == [tmp_path / "0001", dead]


def test_a_process_that_is_killed_lets_go_of_its_folders(tmp_path):
    script = f"""
        from pathlib import Path
        from app.call.journal.owner import Owner
        owner = Owner(Path({str(tmp_path)!r}))
        print(owner.token, flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        folder = left_behind(tmp_path, owner=process.stdout.readline().strip())
        assert orphans(tmp_path) == []
        process.kill()
    assert orphans(tmp_path) == [folder]
    assert list((tmp_path / ".owners").iterdir()) == []


def test_a_crashed_call_ends_with_what_was_written(tmp_path):
    folder = left_behind(tmp_path)
    record = end_crashed(folder)

    assert record == read_record(folder)
    assert (record.end_reason, record.status, record.ended_at) == (
        EndReason.SERVER_CRASH, CallStatus.ENDED, DIED_AT,
    )  # fmt: skip
    events = list(read_events(folder))
    assert [event.seq for event in events] == [1, 2, 3, 4]
    assert (events[-1].kind, events[-1].at_ms, events[-1].data) == ("call.ended", 40, {"reason": "server_crash"})
    assert (folder / "call.wav").read_bytes().endswith(b"\x01\xff" * 160 + b"\x02\xff" * 160)
    assert b"Hello" in (folder / "transcript.json").read_bytes()


def test_ending_it_twice_changes_nothing(tmp_path):
    folder = left_behind(tmp_path)
    record = end_crashed(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    assert end_crashed(folder) == record
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["write_stereo", "write_record"])
def test_whoever_dies_while_ending_it_is_succeeded_by_the_next(tmp_path, monkeypatch, name):
    folder = left_behind(tmp_path)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(folders.wav if name == "write_stereo" else folders, name, die)
        with pytest.raises(KeyboardInterrupt):
            end_crashed(folder)
    record = end_crashed(folder)

    assert record.ended_at == DIED_AT
    assert [event.seq for event in read_events(folder)] == [1, 2, 3, 4]
    assert (folder / "call.wav").exists()


def test_a_call_that_had_ended_keeps_its_own_reason(tmp_path):
    folder = left_behind(tmp_path)
    line = b'{"seq": 4, "kind": "call.ended", "at_ms": 50, "data": {"reason": "agent_hangup"}}\n'
    events = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(events[: events.rfind(b"\n") + 1] + line)

    assert end_crashed(folder).end_reason is EndReason.AGENT_HANGUP
    assert len(list(read_events(folder))) == 4


def test_a_declined_recording_stays_deleted(tmp_path):
    folder = left_behind(tmp_path)
    line = b'{"seq": 4, "kind": "recording.declined", "at_ms": 50}\n'
    events = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(events[: events.rfind(b"\n") + 1] + line)

    assert end_crashed(folder).recording == "declined"
    assert not list(folder.glob("*.ulaw")) + list(folder.glob("*.wav"))


def test_a_folder_with_nothing_but_its_record_ends_too(tmp_path):
    folder = tmp_path / "0197"
    folder.mkdir()
    folders.write_record(folder, RECORD)

    assert end_crashed(folder).end_reason is EndReason.SERVER_CRASH
    assert [event.seq for event in read_events(folder)] == [1]
    assert not (folder / "call.wav").exists()


def test_a_folder_that_does_not_say_whose_call_it_was_is_left_alone(tmp_path):
    folder = left_behind(tmp_path)
    (folder / "call.json").write_bytes(b'{"id": ')

    assert orphans(tmp_path) == []
    with pytest.raises(msgspec.DecodeError):
        end_crashed(folder)


def test_a_folder_appears_with_its_owner_in_it(tmp_path):
    journal = Journal(tmp_path / "0197", RECORD, now_ms=lambda: 0.0)
    journal.recorder.caller(0, to_base64(silence(20)), now_ms=0)
    journal.write("me")

    assert {path.name: path.read_bytes() for path in journal.folder.iterdir()}["owner"] == b"me"
    assert read_record(journal.folder) == RECORD
