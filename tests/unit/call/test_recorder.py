"""Two tracks on one clock, as heard."""

from app.audio import silence, to_base64
from app.call import wav
from app.call.recorder import Piece, Recorder, render


def speech(ms: int, value: int = 1) -> str:
    return to_base64(bytes([value]) * ms * 8)


def test_a_gap_in_the_callers_stream_becomes_silence():
    recorder = Recorder()
    recorder.caller(0, speech(20), now_ms=0)
    recorder.caller(60, speech(20), now_ms=60)

    assert render(recorder.take(100).caller, 0) == b"\x01" * 160 + silence(40) + b"\x01" * 160


def test_a_clock_that_runs_wild_makes_no_hours_of_silence():
    recorder = Recorder()
    recorder.caller(10**12, speech(20), now_ms=500)

    assert len(render(recorder.take(600).caller, 0)) == (1500 + 20) * 8


def test_frames_that_come_before_their_time_follow_those_that_are_there():
    assert render([Piece(0, speech(20), 20), Piece(-5, speech(20, 2), 20)], 0) == b"\x01" * 160 + b"\x02" * 160


def test_a_frame_that_is_no_audio_leaves_the_others_whole():
    assert render([Piece(0, "!", 0), Piece(20, speech(20), 20)], 0) == silence(20) + b"\x01" * 160


def test_the_agents_track_ends_where_the_caller_interrupted():
    recorder = Recorder()
    recorder.agent(0, speech(400))
    recorder.agent(400, speech(400, 2))
    recorder.agent(800, speech(400, 3))
    recorder.cut(550)

    assert render(recorder.take(float("inf")).agent, 0) == b"\x01" * 3200 + b"\x02" * 1200


def test_what_may_still_be_interrupted_is_not_taken():
    recorder = Recorder()
    recorder.agent(0, speech(400))
    recorder.agent(400, speech(400))

    assert len(recorder.take(500).agent) == 1
    assert recorder.take(700).agent == []
    assert len(recorder.take(800).agent) == 1


def test_the_recording_is_a_stereo_wav_with_the_caller_on_the_left():
    data = wav.stereo(b"\x01\x02", b"\x03")

    assert data[:4] == b"RIFF"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert data[20:24] == bytes([7, 0, 2, 0])
    assert data[-4:] == b"\x01\x03\x02\xff"
