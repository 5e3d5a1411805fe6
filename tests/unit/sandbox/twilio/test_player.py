from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.audio import BYTES_PER_MS, FRAME_BYTES, SILENCE, silence
from app.sandbox.twilio.player import MarkReached, Microphone, Player, PlayerEvent, VoiceStarted, VoiceStopped


def voice(ms: int, byte: bytes = b"\x10") -> bytes:
    return byte * (ms * BYTES_PER_MS)


def test_a_mark_on_an_empty_queue_is_reached_at_once():
    assert Player().mark("now", at_ms=5) == [MarkReached(5, "now")]


def test_a_mark_is_reached_when_the_audio_before_it_has_been_played():
    player = Player()
    player.play(voice(300), at_ms=0)
    assert player.mark("end", at_ms=1) == [VoiceStarted(0)]

    assert player.advance(299) == []
    assert player.advance(300) == [MarkReached(300, "end")]


def test_clear_drops_the_queue_and_reaches_every_pending_mark_in_order():
    player = Player()
    for name in ("one", "two", "three"):
        player.play(voice(100), at_ms=0)
        player.mark(name, at_ms=0)

    player.advance(150)

    assert player.clear(at_ms=160) == [
        VoiceStopped(160, cleared=True),
        MarkReached(160, "two"),
        MarkReached(160, "three"),
    ]
    player.advance(400)
    assert player.heard == voice(160) + silence(240)
    assert player.cleared_bytes == 140 * BYTES_PER_MS


def test_clear_with_nothing_queued_does_nothing():
    player = Player()
    player.play(voice(20), at_ms=0)
    player.advance(40)

    assert player.clear(at_ms=50) == []


def test_frames_that_arrive_just_in_time_are_one_stretch_of_voice():
    player = Player()
    events: list[PlayerEvent] = []
    for at_ms in range(0, 100, 20):
        events += player.play(voice(20), at_ms)
    events += player.advance(150)

    assert events == [VoiceStarted(0), VoiceStopped(100, cleared=False)]


def test_a_gap_in_the_server_s_audio_is_heard_as_silence():
    player = Player()
    player.play(voice(20), at_ms=0)
    player.play(voice(20), at_ms=30)
    player.advance(60)

    assert player.heard == voice(20) + silence(10) + voice(20) + silence(10)


def test_the_end_of_the_stream_leaves_the_rest_unheard_and_its_marks_unreached():
    player = Player()
    player.play(voice(100), at_ms=0)
    player.mark("never", at_ms=0)
    player.advance(20)

    assert player.end(at_ms=40) == [VoiceStopped(40, cleared=True)]
    assert player.advance(200) == []


actions = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.binary(max_size=400)),
        st.tuples(st.just("mark"), st.just(b"")),
        st.tuples(st.just("clear"), st.just(b"")),
        st.tuples(st.just("wait"), st.integers(0, 60)),
    ),
    max_size=60,
)


@given(actions)
def test_whatever_is_sent_is_heard_in_order_or_cleared_and_no_mark_is_early(script):
    player, at_ms = Player(), 0.0
    marks = 0
    sent_before: dict[str, int] = {}  # bytes that must have been played or cleared before a mark
    sent = 0
    reached: list[str] = []

    def note(events: list[PlayerEvent]) -> None:
        for event in events:
            if isinstance(event, MarkReached):
                assert player.played_bytes + player.cleared_bytes >= sent_before[event.name]
                reached.append(event.name)

    for kind, value in script:
        match kind:
            case "wait":
                at_ms += value
                note(player.advance(at_ms))
            case "play":
                note(player.play(value, at_ms))
                sent += len(value)
            case "mark":
                sent_before[f"m{marks}"] = sent
                note(player.mark(f"m{marks}", at_ms))
                marks += 1
            case "clear":
                note(player.clear(at_ms))
                assert player.queued_bytes == 0
                assert len(reached) == marks
        played = player.played_bytes + player.cleared_bytes + player.queued_bytes
        assert played == sent
        assert len(player.heard) == int(at_ms * BYTES_PER_MS)
    note(player.advance(at_ms + 10_000))

    assert reached == [f"m{number}" for number in range(marks)]
    assert player.played_bytes + player.cleared_bytes == sent
    assert player.queued_bytes == 0


@given(actions)
def test_heard_is_what_was_sent_minus_what_was_cleared(script):
    player, at_ms = Player(), 0.0
    expected = b""
    alphabet = bytes(range(0xFF))  # never 0xFF, so that silence can be told from voice
    for kind, value in script:
        match kind:
            case "wait":
                at_ms += value
                player.advance(at_ms)
            case "play":
                audio = bytes(alphabet[byte % 0xFF] for byte in value)
                player.play(audio, at_ms)
                expected += audio
            case "clear":
                player.clear(at_ms)
                expected = expected[: player.played_bytes]
    player.advance(at_ms + 10_000)

    assert player.heard.replace(SILENCE, b"") == expected


@given(actions)
def test_voice_starts_and_stops_take_turns_and_never_go_back_in_time(script):
    player, at_ms = Player(), 0.0
    events: list[PlayerEvent] = []
    for kind, value in script:
        match kind:
            case "wait":
                at_ms += value
                events += player.advance(at_ms)
            case "play":
                events += player.play(value, at_ms)
            case "mark":
                events += player.mark("m", at_ms)
            case "clear":
                events += player.clear(at_ms)
    events += player.end(at_ms + 10_000)

    voices = [type(event) for event in events if not isinstance(event, MarkReached)]
    assert voices == [VoiceStarted, VoiceStopped] * (len(voices) // 2)
    assert all(one.at_ms <= other.at_ms for one, other in pairwise(events))


def test_the_microphone_is_silent_until_something_is_said_and_pads_the_last_frame():
    microphone = Microphone()
    assert microphone.frame() is None
    end = microphone.say(voice(30))

    assert microphone.frame() == voice(20)
    assert microphone.taken_bytes < end
    assert microphone.frame() == voice(10) + silence(10)
    assert microphone.taken_bytes == end
    assert microphone.frame() is None
    assert microphone.spoken == silence(20) + voice(30) + silence(10) + silence(20)
    assert len(microphone.spoken) == 4 * FRAME_BYTES
