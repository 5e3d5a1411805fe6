"""From the words of pieces to one conversation on one clock."""

from hypothesis import given
from hypothesis import strategies as st

from app.recordings.cutting import Piece
from app.recordings.segments import Segment, Words, from_json, main_language, stitch
from app.recordings.spans import Span

CALLER, AGENT = 0, 1
SPEAKERS = ["caller", "agent"]


def piece(channel: int, from_ms: int, until_ms: int) -> Piece:
    return Piece(channel, Span(from_ms - 200, until_ms + 200), Span(from_ms, until_ms))


def test_pieces_become_segments_in_the_order_they_were_spoken_and_empty_ones_none():
    pieces = [piece(AGENT, 1000, 3000), piece(CALLER, 3500, 4000), piece(AGENT, 5000, 6000), piece(CALLER, 7000, 7500)]
    words = {0: Words("Hello,\n who is there?"), 1: Words("Me."), 2: Words("  ")}  # the last was refused
    assert stitch(pieces, words, SPEAKERS) == [
        Segment("agent", 1000, 3000, "Hello, who is there?"),
        Segment("caller", 3500, 4000, "Me."),
    ]


def test_times_that_the_model_told_are_put_on_the_recordings_clock():
    parts = (Segment("", 100, 900, " One. "), Segment("", 900, 99_000, "Two."), Segment("", 1000, 1100, " "))
    assert stitch([piece(CALLER, 10_000, 12_000)], {0: Words("One. Two.", parts)}, SPEAKERS) == [
        Segment("caller", 9900, 10_700, "One."),
        Segment("caller", 10_700, 12_200, "Two."),
    ]


def test_voices_that_a_model_tells_apart_are_named_within_their_piece_and_only_in_one_channel():
    parts = (Segment("A", 0, 500, "Hi."), Segment("B", 500, 900, "Hello."))
    words = Words("Hi. Hello.", parts)
    one = stitch([piece(0, 1000, 2000)], {0: words}, ["unknown"])
    assert [each.speaker for each in one] == ["A", "B"]
    two = stitch([piece(0, 1000, 2000), piece(0, 5000, 6000)], {0: words, 1: words}, ["unknown"])
    assert [each.speaker for each in two] == ["A1", "B1", "A2", "B2"]
    call = stitch([piece(CALLER, 1000, 2000)], {0: words}, SPEAKERS)
    assert [each.speaker for each in call] == ["caller", "caller"]


def test_the_language_is_the_one_of_most_words():
    words = {
        0: Words("Guten Tag zusammen", (), "de"),
        1: Words("Hi", (), "en"),
        2: Words("Bye", (), "en"),
        3: Words("x"),
    }
    assert main_language(words) == "de"
    assert main_language({0: Words("", (), "en")}) is None


def test_a_row_has_the_segments_again():
    rows = [{"speaker": "agent", "start_ms": 1, "end_ms": 2, "text": "x"}]
    assert from_json(rows) == [Segment("agent", 1, 2, "x")]


SPANS = st.tuples(st.integers(0, 1), st.integers(200, 10**6), st.integers(1, 60_000))
PARTS = st.lists(st.tuples(st.integers(-100, 90_000), st.integers(-100, 90_000)), max_size=4)


@given(st.lists(st.tuples(SPANS, PARTS), max_size=8))
def test_stitched_times_never_go_back_and_never_leave_their_piece(given_pieces):
    pieces = [piece(channel, at, at + ms) for (channel, at, ms), _ in given_pieces]
    words = {
        seq: Words("words", tuple(Segment("", since, until, "words") for since, until in parts))
        for seq, (_, parts) in enumerate(given_pieces)
    }
    found = stitch(pieces, words, SPEAKERS)
    assert [each.start_ms for each in found] == sorted(each.start_ms for each in found)
    for each in found:
        assert each.start_ms <= each.end_ms
        assert any(piece.sent.from_ms <= each.start_ms and each.end_ms <= piece.sent.until_ms for piece in pieces)
