"""Pausing, resuming and declining, here and at the carrier."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.audio import silence, to_base64
from app.call.events import Kind
from app.call.journal.journal import JournalWriter
from app.call.registry import Registry
from app.call.sound.recording import DECLINED, NOT_RECORDED, NOT_YET_DELETED, CallRecording
from app.conf.models import RecordingPolicy
from app.errors import CarrierError
from tests.unit.call.journal.test_journal import RECORD


class FakeCarrier:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[], Awaitable[None]] = self.agree

    async def agree(self) -> None:
        pass

    async def pause_recording(self, call_sid: str) -> None:
        self.asked.append(f"pause {call_sid}")
        await self.answer()

    async def resume_recording(self, call_sid: str) -> None:
        self.asked.append(f"resume {call_sid}")
        await self.answer()

    async def stop_recording(self, call_sid: str) -> None:
        self.asked.append(f"stop {call_sid}")
        await self.answer()


class House:
    def __init__(self, root, source="both", registry=None):
        self.told = []
        self.carrier = FakeCarrier()
        self.registry = registry or Registry(max_calls=1)
        journals = JournalWriter(root, period_s=1, listeners=[lambda _, event: self.told.append(event.kind)])
        self.journal = journals.open(RECORD, now_ms=lambda: 100.0)
        self.recording = CallRecording(
            RecordingPolicy(source=source),
            call_sid="CA1",
            journal=self.journal,
            journals=journals,
            carrier=self.carrier,
            carrier_s=0.01,
            registry=self.registry,
            now_ms=lambda: 100.0,
        )
        self.recording.begin()


async def test_a_pause_reaches_both_recordings_once(tmp_path):
    house = House(tmp_path)
    results = [
        await house.recording.resume(), await house.recording.pause(), await house.recording.pause(),
        await house.recording.resume(), await house.recording.resume(),
    ]  # fmt: skip

    assert results == [False, True, False, True, False]
    assert house.told == [Kind.RECORDING_STARTED, Kind.RECORDING_PAUSED, Kind.RECORDING_RESUMED]
    assert house.carrier.asked == ["pause CA1", "resume CA1"]


async def test_declining_deletes_before_it_answers_and_ends_the_carriers_recording(tmp_path):
    house = House(tmp_path)
    house.journal.recorder.caller(0, to_base64(silence(20)), 0)
    house.journal.collect()
    house.journal.write()
    assert list(house.journal.folder.glob("*.ulaw"))

    assert await house.recording.decline() == DECLINED
    assert not list(house.journal.folder.glob("*.ulaw"))
    assert house.carrier.asked == ["stop CA1"]
    assert house.registry.wished("CA1") == "declined"
    assert await house.recording.decline() == NOT_RECORDED
    assert [await house.recording.pause(), await house.recording.resume()] == [False, False]


async def test_the_caller_is_not_told_of_a_deletion_that_the_disk_refused(tmp_path):
    house = House(tmp_path)
    house.journal.folder.write_text("a file where the folder should be")

    assert await house.recording.decline() == NOT_YET_DELETED


@pytest.mark.parametrize("trouble", [CarrierError("no"), None])
async def test_a_carrier_that_refuses_or_hangs_changes_nothing_for_the_call(tmp_path, trouble):
    async def answer():
        if trouble:
            raise trouble
        await asyncio.Event().wait()

    house = House(tmp_path)
    house.carrier.answer = answer

    assert await house.recording.pause()
    assert house.journal.recorder.paused


@pytest.mark.parametrize(("source", "asked"), [("own", []), ("twilio", ["pause CA1"]), ("none", [])])
async def test_only_who_records_is_asked_to_pause(tmp_path, source, asked):
    house = House(tmp_path, source)

    assert await house.recording.pause() is (source != "none")
    assert house.carrier.asked == asked


async def test_a_pause_outlives_the_stream(tmp_path):
    first = House(tmp_path / "1")
    await first.recording.pause()
    second = House(tmp_path / "2", registry=first.registry)

    assert second.journal.recorder.paused
    assert second.told == [Kind.RECORDING_STARTED, Kind.RECORDING_PAUSED]
