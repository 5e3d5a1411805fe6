"""µ-law and PCM: exact tables, seamless resampling, nothing lost at an item's end."""

import hashlib
import math
import struct
import subprocess
import sys

import pytest

from app.audio import from_base64, to_base64
from app.openai.transcode import (
    PHONE_HZ,
    SESSION_HZ,
    FromPhone,
    ToPhone,
    Transcoding,
    from_ulaw,
    to_session_format,
    to_ulaw,
)
from app.realtime.events import AudioDelta, AudioDone, RealtimeInEvent, ResponseDone

EVERY_SAMPLE = struct.pack("<65536h", *range(-32768, 32768))
EVERY_CODE = bytes(range(256))
RECORDED_CODES = "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a"
"""SHA-256 of what `audioop.lin2ulaw` of Python 3.11 makes of every sample."""
RECORDED_SAMPLES = "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"
"""SHA-256 of what `audioop.ulaw2lin` of Python 3.11 makes of every code."""
SEGMENT_ENDS = (0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF)
FRAME = 160


def reference_code(sample: int) -> int:
    """G.711 with its segments' ends written out, as the classic C code has it."""
    sample >>= 2
    mask = 0x7F if sample < 0 else 0xFF
    magnitude = min(abs(sample), 8159) + 33
    for segment, end in enumerate(SEGMENT_ENDS):
        if magnitude <= end:
            return ((segment << 4) | (magnitude >> (segment + 1)) & 0x0F) ^ mask
    return 0x7F ^ mask


def tone(hz: float, rate_hz: int, ms: int, peak: int = 8000) -> bytes:
    count = rate_hz * ms // 1000
    return struct.pack(f"<{count}h", *(round(peak * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(count)))


def samples(pcm: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


def level_db(pcm: bytes, hz: float, rate_hz: int) -> float:
    """How strong one frequency is in the middle of it, against the tone of that peak."""
    middle = samples(pcm)[rate_hz // 10 : -rate_hz // 10]
    angles = [2 * math.pi * hz * n / rate_hz for n in range(len(middle))]
    across = sum(value * math.cos(angle) for value, angle in zip(middle, angles, strict=True))
    along = sum(value * math.sin(angle) for value, angle in zip(middle, angles, strict=True))
    return 20 * math.log10(2 * math.hypot(across, along) / len(middle) / 8000 + 1e-9)


def test_every_sample_gets_the_code_that_audioop_gave_it():
    codes = to_ulaw(EVERY_SAMPLE)
    assert list(codes) == [reference_code(sample) for sample in range(-32768, 32768)]
    assert hashlib.sha256(codes).hexdigest() == RECORDED_CODES


def test_every_code_gets_the_sample_that_audioop_gave_it():
    assert hashlib.sha256(from_ulaw(EVERY_CODE)).hexdigest() == RECORDED_SAMPLES
    negative_zero = 0x7F
    back = to_ulaw(from_ulaw(EVERY_CODE))
    assert [code for code in EVERY_CODE if back[code] != code] == [negative_zero]


def test_the_telephone_band_passes_unchanged_in_both_directions():
    for hz in (300, 1000, 3400):
        up, down = FromPhone(), ToPhone(SESSION_HZ)
        wide = up.feed(to_ulaw(tone(hz, PHONE_HZ, 1000)))
        narrow = from_ulaw(down.feed(tone(hz, SESSION_HZ, 1000)) + down.flush())
        assert level_db(wide, hz, SESSION_HZ) == pytest.approx(0, abs=0.2)
        assert level_db(narrow, hz, PHONE_HZ) == pytest.approx(0, abs=0.2)


def test_what_a_phone_cannot_carry_does_not_fold_back_into_the_voice():
    voice = ToPhone(SESSION_HZ)
    heard = from_ulaw(voice.feed(tone(5000, SESSION_HZ, 1000)) + voice.flush())
    assert max(abs(value) for value in samples(heard)[800:-800]) <= 8


def test_silence_stays_silence():
    assert set(samples(FromPhone().feed(b"\xff" * 8000))) == {0}
    assert set(to_session_format(bytes(48_000), SESSION_HZ)) == {0xFF}


@pytest.mark.parametrize("piece", [1, 7, 320, 4801, 96_000])
def test_a_voice_cut_into_pieces_of_any_length_sounds_as_if_it_came_whole(piece):
    pcm = tone(440, SESSION_HZ, 1000)
    pieces, whole = ToPhone(SESSION_HZ), ToPhone(SESSION_HZ)
    cut = b"".join(pieces.feed(pcm[at : at + piece]) for at in range(0, len(pcm), piece)) + pieces.flush()
    assert cut == whole.feed(pcm) + whole.flush()
    assert len(cut) == PHONE_HZ


def test_the_caller_reaches_the_session_within_80_ms():
    up = FromPhone()
    behind_ms = [20 * (frame + 1) for frame in range(100)]
    sent = 0
    for frame in range(100):
        sent += len(up.feed(b"\xff" * FRAME))
        behind_ms[frame] -= sent / (SESSION_HZ * 2 / 1000)
    assert max(behind_ms) < 80


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_r3_14_audio_of_any_rate_has_its_pitch_and_length_in_the_sessions_format(rate_hz):
    ulaw = to_session_format(tone(1000, rate_hz, 500), rate_hz)
    assert len(ulaw) == pytest.approx(4000, abs=1)
    assert level_db(from_ulaw(ulaw), 1000, PHONE_HZ) == pytest.approx(0, abs=0.2)


def deltas(pcm: bytes, item_id: str) -> list[RealtimeInEvent]:
    return [AudioDelta(to_base64(pcm[at : at + 9999]), item_id, "resp_1") for at in range(0, len(pcm), 9999)]


def told(transcoding: Transcoding, events: list[RealtimeInEvent]) -> list[RealtimeInEvent]:
    return [told for event in events for told in transcoding.to_call(event)]


def audio_of(events: list[RealtimeInEvent], item_id: str) -> bytes:
    mine = (event for event in events if isinstance(event, AudioDelta) and event.item_id == item_id)
    return b"".join(from_base64(event.audio) for event in mine)


def test_each_item_keeps_all_of_its_audio_and_none_of_another():
    low, high = tone(400, SESSION_HZ, 300), tone(2000, SESSION_HZ, 300)
    events = told(Transcoding(), [*deltas(low, "a"), *deltas(high, "b"), AudioDone("b", "resp_1"), ResponseDone()])
    assert audio_of(events, "a") == to_session_format(low, SESSION_HZ)
    assert audio_of(events, "b") == to_session_format(high, SESSION_HZ)
    assert events[-2:] == [AudioDone("b", "resp_1"), ResponseDone()]


def test_what_is_no_audio_passes():
    assert told(Transcoding(), [ResponseDone("resp_1"), AudioDone("a")]) == [ResponseDone("resp_1"), AudioDone("a")]


def test_caller_audio_becomes_pcm_of_the_sessions_rate():
    transcoding = Transcoding()
    wide = b"".join(from_base64(transcoding.to_session(to_base64(b"\xff" * FRAME))) for _ in range(50))
    assert set(wide) == {0}
    assert len(wide) > SESSION_HZ * 2 * 0.9


def test_what_is_no_base64_is_no_audio():
    transcoding = Transcoding()
    assert transcoding.to_session("%%%") == ""
    assert told(transcoding, [AudioDelta("%%%", "a"), AudioDone("a")]) == [AudioDone("a")]


@pytest.mark.parametrize(("module", "heavy"), [("app.openai.realtime", {"numpy", "soxr"}), ("app.main", {"soxr"})])
def test_an_ordinary_session_loads_nothing_to_resample_with(module: str, heavy: set[str]):
    script = f"import sys, {module}; sys.exit(bool({heavy} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
