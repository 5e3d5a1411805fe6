"""Whole frames out of deltas of any length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import from_base64, to_base64
from app.call.turns.framing import Framer


def test_a_delta_of_whole_frames_passes_through_unopened():
    delta = to_base64(bytes(320))

    assert Framer().push(delta) is delta


def test_the_tail_is_filled_up_with_silence():
    framer = Framer()
    framer.push(to_base64(b"\x01" * 165))

    assert framer.flush() == (to_base64(b"\x01" * 5 + b"\xff" * 155), 5)
    assert framer.flush() == ("", 0)


def test_what_is_left_of_a_cut_item_does_not_reach_the_next_one():
    framer = Framer()
    framer.push(to_base64(b"\x01" * 10))
    framer.drop()

    assert from_base64(framer.push(to_base64(b"\x02" * 170))) == b"\x02" * 160


def test_a_delta_that_is_no_base64_is_a_value_error():
    with pytest.raises(ValueError, match="base64"):
        Framer().push("not base64 at all")


@given(st.lists(st.binary(max_size=700), max_size=12))
def test_no_byte_is_lost_or_doubled_and_every_push_gives_whole_frames(deltas):
    framer = Framer()
    pieces = [from_base64(framer.push(to_base64(delta))) for delta in deltas]
    tail, real = framer.flush()

    assert all(len(piece) % 160 == 0 for piece in pieces)
    assert b"".join(pieces) + from_base64(tail)[:real] == b"".join(deltas)
