"""Two tracks on one clock, as heard."""

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio import FRAME_MS, silence, to_base64
from app.call.sound.pieces import Piece, render
from app.call.sound.recorder import KEPT_MS, Recorder
from benchmarks.alignment import agent_errors, caller_errors
from benchmarks.line import Line

FOREVER = 10**9


def speech(ms: int, value: int = 1) -> str:
    return to_base64(bytes([value]) * ms * 8)


def sound(pieces: list[Piece], position: int = 0) -> bytes:
    return b"".join(render(pieces, position))


def frames(recorder: Recorder, from_ms: int, until_ms: int) -> None:
    for at_ms in range(from_ms, until_ms, FRAME_MS):
        recorder.caller(at_ms, speech(FRAME_MS), now_ms=at_ms)


# -- the caller


def test_a_gap_in_the_callers_stream_becomes_silence():
    recorder = Recorder()
    recorder.caller(0, speech(20), now_ms=0)
    recorder.caller(60, speech(20), now_ms=60)

    assert sound(recorder.take(100).caller) == b"\x01" * 160 + silence(40) + b"\x01" * 160


def test_late_and_doubled_frames_change_nothing():
    recorder = Recorder()
    for at_ms in (0, 40, 20, 40, 60):
        recorder.caller(at_ms, speech(20), now_ms=at_ms)

    assert [piece.at_ms for piece in recorder.take(100).caller] == [0, 40, 60]


def test_a_clock_that_runs_wild_makes_no_hours_of_silence():
    recorder = Recorder()
    recorder.caller(10**12, speech(20), now_ms=500)

    assert len(sound(recorder.take(600).caller)) == (1500 + 20) * 8


def test_a_clock_that_runs_a_little_faster_than_ours_is_believed_for_hours():
    recorder = Recorder()
    four_hours_ms = 4 * 3_600_000
    recorder.caller(int(four_hours_ms * 1.0005), speech(20), now_ms=four_hours_ms)

    assert recorder.take(four_hours_ms).caller[0].at_ms == int(four_hours_ms * 1.0005)


def test_a_stream_that_counts_from_nothing_again_goes_on_where_it_was():
    recorder = Recorder()
    recorder.caller(60_000, speech(20), now_ms=60_000)
    recorder.caller(20, speech(20), now_ms=60_020)
    recorder.caller(40, speech(20), now_ms=60_040)

    assert [piece.at_ms for piece in recorder.take(60_060).caller] == [60_000, 60_020, 60_040]


def test_a_frame_that_is_no_audio_leaves_the_others_whole():
    assert sound([Piece(0, "!", 0), Piece(20, speech(20), 20)]) == silence(20) + b"\x01" * 160


# -- the agent


def test_what_was_not_heard_to_its_end_is_not_taken():
    recorder = Recorder()
    frames(recorder, 0, 400)
    recorder.agent("m1", speech(400), now_ms=0)

    assert recorder.take(400).agent == []
    recorder.mark("m1", now_ms=400)
    [piece] = recorder.take(400).agent
    assert abs(piece.end_ms - 400) <= FRAME_MS / 2


def test_chunks_of_one_stretch_lie_end_to_end_however_coarsely_the_marks_come_back():
    recorder = Recorder()
    for number in range(5):
        recorder.agent(f"m{number}", speech(100), now_ms=0)
    for number, back_ms in enumerate((120, 200, 320, 400, 520)):
        frames(recorder, 0 if number == 0 else (120, 200, 320, 400, 520)[number - 1], back_ms)
        recorder.mark(f"m{number}", now_ms=back_ms)

    pieces = recorder.take(600).agent
    assert all(before.end_ms == after.at_ms for before, after in pairwise(pieces))


def test_a_queue_that_ran_dry_leaves_the_gap_that_the_caller_heard():
    recorder = Recorder()
    recorder.agent("m1", speech(100), now_ms=0)
    frames(recorder, 0, 100)
    recorder.agent("m2", speech(100), now_ms=100)  # on its way while the first one ends
    recorder.mark("m1", now_ms=100)
    frames(recorder, 100, 400)
    recorder.mark("m2", now_ms=400)

    first, second = recorder.take(400).agent
    assert second.at_ms - first.end_ms == 200


def test_what_is_dropped_by_a_clear_ends_where_its_marks_come_back():
    recorder = Recorder()
    assert recorder.agent("m1", speech(400), now_ms=0) == "s-m1"
    recorder.agent("m2", speech(400, 2), now_ms=0)
    recorder.agent("m3", speech(400, 3), now_ms=0)
    recorder.mark("s-m1", now_ms=0)
    frames(recorder, 0, 400)
    recorder.mark("m1", now_ms=400)
    frames(recorder, 400, 500)
    recorder.clear(now_ms=500)
    frames(recorder, 500, 600)  # the clear is on its way, and the caller still hears the agent
    recorder.mark("m2", now_ms=600)
    recorder.mark("m3", now_ms=600)

    heard = sound(recorder.take(600).agent)
    assert (heard.count(1), heard.count(2), heard.count(3)) == (3200, 1600, 0)
    assert abs(len(heard) - 600 * 8) <= FRAME_MS / 2 * 8


def test_the_first_chunk_of_an_answer_is_cut_by_the_mark_that_went_ahead_of_it():
    recorder = Recorder()
    frames(recorder, 0, 1000)
    assert recorder.agent("m1", speech(10_000), now_ms=1000) == "s-m1"
    frames(recorder, 1000, 1140)  # the way there and back
    recorder.mark("s-m1", now_ms=1140)
    frames(recorder, 1140, 1500)
    recorder.clear(now_ms=1500)
    frames(recorder, 1500, 1640)
    recorder.mark("m1", now_ms=1640)

    [piece] = recorder.take(1640).agent
    assert (piece.at_ms, piece.ms) == (1150, 500)


def test_what_was_heard_before_the_clear_arrived_is_whole():
    recorder = Recorder()
    recorder.agent("m1", speech(100), now_ms=0)
    recorder.mark("s-m1", now_ms=0)
    frames(recorder, 0, 80)
    recorder.clear(now_ms=80)
    frames(recorder, 80, 100)
    recorder.mark("m1", now_ms=100)

    assert len(sound(recorder.take(100).agent).lstrip(silence(1))) == 800


def test_a_carrier_that_returns_no_marks_gets_its_audio_by_reckoning_and_fills_no_memory():
    recorder = Recorder()
    taken = []
    for second in range(600):
        recorder.agent(f"m{second}", speech(500), now_ms=second * 1000)
        frames(recorder, second * 1000, (second + 1) * 1000)
        taken += recorder.take((second + 1) * 1000).agent

    assert len(taken) > 580
    assert all(abs(piece.at_ms - number * 1000) <= FRAME_MS for number, piece in enumerate(taken))


def test_what_was_not_confirmed_when_the_stream_ends_counts_as_heard_until_then():
    recorder = Recorder()
    recorder.agent("m1", speech(400), now_ms=0)
    recorder.agent("m2", speech(400), now_ms=0)
    frames(recorder, 0, 500)
    recorder.end(now_ms=500)

    assert abs(len(sound(recorder.take(500).agent)) - 500 * 8) <= FRAME_MS * 8


# -- pause, stop, and a disk that refuses


def test_a_pause_is_silent_on_both_tracks():
    recorder = Recorder()
    recorder.agent("m1", speech(1000), now_ms=0)
    frames(recorder, 0, 200)
    recorder.pause(now_ms=200)
    frames(recorder, 200, 400)
    recorder.resume(now_ms=400)
    frames(recorder, 400, 600)
    recorder.pause(now_ms=600)
    frames(recorder, 600, 700)
    recorder.resume(now_ms=700)
    frames(recorder, 700, 1000)
    recorder.mark("m1", now_ms=1000)

    take = recorder.take(1000)
    for track in (sound(take.caller), sound(take.agent)):
        assert track[200 * 8 : 400 * 8] == silence(200)
        assert track[600 * 8 : 700 * 8] == silence(100)
        assert [track[ms * 8] for ms in (190, 410, 590, 710, 980)] == [1] * 5


def test_what_is_still_to_be_heard_when_a_pause_begins_is_silent_as_well():
    recorder = Recorder()
    recorder.agent("m1", speech(1000), now_ms=0)
    recorder.pause(now_ms=0)
    frames(recorder, 0, 1000)
    recorder.mark("m1", now_ms=1000)

    assert recorder.take(1000).agent == recorder.take(1000).caller == []


def test_a_stopped_recorder_has_forgotten_everything_and_takes_nothing_in():
    recorder = Recorder()
    frames(recorder, 0, 100)
    recorder.agent("m1", speech(100), now_ms=0)
    recorder.stop()
    frames(recorder, 100, 200)
    recorder.mark("m1", now_ms=200)

    assert recorder.agent("m2", speech(100), now_ms=200) is None
    assert (recorder.take(FOREVER).caller, recorder.take(FOREVER).agent) == ([], [])


def test_sound_that_nobody_takes_is_kept_for_a_minute_and_the_loss_is_counted():
    recorder = Recorder()
    frames(recorder, 0, KEPT_MS + 5000)

    assert recorder.lost_ms == 5000
    pieces = recorder.take(KEPT_MS + 5000).caller
    assert (pieces[0].at_ms, pieces[-1].end_ms) == (5000, KEPT_MS + 5000)


# -- any line at all

deeds = st.lists(
    st.tuples(st.sampled_from(["play", "play", "play", "clear", "wait"]), st.integers(1, 40)), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(deeds, st.integers(0, 2**32), st.sampled_from([0.0, 0.05]), st.booleans())
def test_on_any_line_nothing_overlaps_and_nothing_is_heard_that_was_not_sent(deeds, seed, lost, marks):
    recorder = Recorder()
    line = Line(recorder, Random(seed), lost=lost, doubled=lost, marks=marks)
    caller, agent = [], []
    for deed, count in deeds:
        if deed == "play":
            line.play(count * FRAME_MS)
        elif deed == "clear":
            line.clear()
        line.run(line.now + count * 10)
        take = recorder.take(line.ours)
        caller, agent = caller + take.caller, agent + take.agent
    recorder.end(line.ours)
    agent += recorder.take(line.ours).agent

    for track in (caller, agent):
        assert all(before.end_ms <= after.at_ms for before, after in pairwise(track))
        assert len(sound(track)) == (track[-1].end_ms * 8 if track else 0)
    sent = {chunk.audio: chunk.ms for chunk in line.chunks}
    assert all(piece.ms <= sent[piece.audio] for piece in agent)
    assert not any(caller_errors(line, caller))


@settings(max_examples=60, deadline=None)
@given(deeds, st.integers(0, 2**32))
def test_on_a_good_line_everything_lies_where_it_was_heard(deeds, seed):
    recorder = Recorder()
    line = Line(recorder, Random(seed))
    for deed, count in deeds:
        if deed == "play":
            line.play(count * FRAME_MS)
        elif deed == "clear":
            line.clear()
        line.run(line.now + count * 10)
    line.run(line.now + 60_000)

    assert max(agent_errors(line, recorder.take(line.ours).agent), default=0) <= 25
