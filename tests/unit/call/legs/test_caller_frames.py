"""What comes over the stream."""

from app.audio import FRAME_BYTES, to_base64
from app.call.legs.caller_frames import ONE_WAY_MS, CallerFrames
from app.twilio.media_protocol import Media

SILENT, NOISE = to_base64(b"\xff" * FRAME_BYTES), to_base64(b"\xff" * (FRAME_BYTES - 1) + b"\xfe")


def test_late_and_doubled_frames_are_no_next_ones_and_gaps_are_counted():
    frames = CallerFrames()
    assert [frames.is_next(Media(NOISE, 0, chunk)) for chunk in (1, 2, 2, 1, 5)] == [True, True, False, False, True]
    assert frames.oddities == {"late_or_doubled": 2, "gaps": 1}


def test_a_line_of_digital_silence_is_told_of_once():
    frames = CallerFrames()
    told = []
    for at_ms in range(0, 3 * ONE_WAY_MS, 250):
        frames.is_next(Media(SILENT, at_ms, at_ms // 250 + 1))
        told.append(frames.one_way_ms(at_ms))
    assert [ms for ms in told if ms] == [ONE_WAY_MS]


def test_the_faintest_noise_is_a_line_that_works():
    frames = CallerFrames()
    for at_ms in range(0, 3 * ONE_WAY_MS, 250):
        frames.is_next(Media(NOISE if at_ms % 5000 == 0 else SILENT, at_ms, at_ms // 250 + 1))
        assert frames.one_way_ms(at_ms) is None
