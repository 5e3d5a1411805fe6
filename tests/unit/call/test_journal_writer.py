"""Who writes the journals, and what a disk that refuses does to calls."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from app.audio import silence, to_base64
from app.call.events import CallEvent, Kind
from app.call.journal.journal import JournalWriter, read_events
from app.call.sound.recorder import KEPT_MS
from tests.unit.call.journal.test_journal import RECORD

FRAME = to_base64(silence(20))


@pytest.fixture
def writer(tmp_path):
    return JournalWriter(tmp_path, period_s=0.001)


async def test_a_folder_is_told_of_once_when_it_is_complete(writer, tmp_path):
    told = []
    journal = writer.open(RECORD, now_ms=lambda: 0.0)
    journal.add(CallEvent(Kind.CALL_STARTED, 0))
    await writer.close(journal, RECORD, told.append)

    assert told == [tmp_path / RECORD.id]
    assert len(list(read_events(tmp_path / RECORD.id))) == 1


async def test_a_call_that_ends_while_the_disk_refuses_is_finished_as_soon_as_it_takes_it(writer, tmp_path):
    (tmp_path / RECORD.id).write_text("a file where the folder should be")
    told, complete = [], asyncio.Event()

    def finished(folder):
        told.append(folder)
        complete.set()

    journal = writer.open(RECORD, now_ms=lambda: 0.0)
    journal.add(CallEvent(Kind.CALL_STARTED, 0))
    journal.recorder.caller(0, FRAME, 0)
    await writer.close(journal, RECORD, finished)
    assert (told, writer.refused) == ([], 1)

    (tmp_path / RECORD.id).unlink()
    running = asyncio.create_task(writer.run())
    async with asyncio.timeout(5):
        await complete.wait()
    running.cancel()
    await asyncio.wait([running])
    assert (told, writer.refused) == ([tmp_path / RECORD.id], 0)
    assert (tmp_path / RECORD.id / "call.wav").exists()


async def test_trouble_is_reported_once_and_no_event_is_lost_but_sound_beyond_a_minute_is_and_told(writer, tmp_path):
    blocked = tmp_path / RECORD.id
    blocked.write_text("a file where the folder should be")
    journal = writer.open(RECORD, now_ms=lambda: 0.0)
    with capture_logs() as logs:
        assert not await writer.flush(journal)
        for second in range(KEPT_MS // 1000 + 60):
            journal.add(CallEvent(Kind.CALLER_DTMF, second * 1000, {"digit": "1"}))
            for frame in range(50):
                at_ms = second * 1000 + frame * 20
                journal.recorder.caller(at_ms, FRAME, at_ms)
            assert not await writer.flush(journal)
        blocked.unlink()
        assert await writer.flush(journal)
        assert await writer.flush(journal)

    assert [log["event"] for log in logs] == ["journal_not_written", "journal_written_again"]
    events = list(read_events(blocked))
    assert [event.seq for event in events] == list(range(1, KEPT_MS // 1000 + 60 + 2))
    [gap] = [event for event in events if event.kind == Kind.RECORDING_GAP]
    assert gap.data == {"lost_ms": 60_000}
    assert (blocked / "caller.ulaw").stat().st_size == (KEPT_MS + 60_000) * 8  # with silence where it is missing


async def test_one_calls_trouble_is_not_anothers(writer, tmp_path):
    (tmp_path / "0001").write_text("a file where the folder should be")
    told = []
    for name in ("0001", "0002"):
        record = replace(RECORD, id=name)
        await writer.close(writer.open(record, now_ms=lambda: 0.0), record, told.append)

    assert [folder.name for folder in told] == ["0002"]
