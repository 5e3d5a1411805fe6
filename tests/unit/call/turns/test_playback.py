"""What the caller has heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.turns.playback import Cut, Playback


def test_heard_is_the_last_mark_plus_the_time_since():
    playback = Playback()
    first = playback.queue("item_1", 400, at_ms=0)
    playback.queue("item_1", 400, at_ms=5)
    playback.reached(first.mark, at_ms=430)  # the line was 30 ms slow

    assert playback.interrupt(at_ms=580) == [Cut("item_1", heard_ms=550)]


def test_heard_never_exceeds_what_was_sent():
    playback = Playback()
    playback.queue("item_1", 400, at_ms=0)

    assert playback.interrupt(at_ms=10_000) == [Cut("item_1", heard_ms=400)]


def test_an_item_heard_to_its_end_is_not_cut():
    playback = Playback()
    playback.queue("item_1", 400, at_ms=0)
    playback.finish("item_1")

    assert playback.interrupt(at_ms=500) == []


def test_items_queued_behind_the_one_being_heard_are_cut_at_nothing():
    playback = Playback()
    for item in ("item_1", "item_2", "item_3"):
        playback.queue(item, 1000, at_ms=0)
        playback.finish(item)

    assert playback.interrupt(at_ms=1250) == [Cut("item_2", 250), Cut("item_3", 0)]


def test_the_second_chunk_of_an_item_counts_from_where_the_first_ended():
    playback = Playback()
    playback.queue("item_1", 300, at_ms=0)
    playback.queue("item_1", 300, at_ms=0)

    assert playback.interrupt(at_ms=450) == [Cut("item_1", 450)]


def test_marks_dropped_by_a_clear_prove_nothing():
    playback = Playback()
    queued = playback.queue("item_1", 400, at_ms=0)
    playback.interrupt(at_ms=100)

    assert not playback.reached(queued.mark, at_ms=101)
    assert not playback.unheard


def test_padding_takes_time_but_is_not_the_items():
    playback = Playback()
    playback.queue("item_1", 5, at_ms=0, padding_ms=15)
    playback.queue("item_2", 100, at_ms=0)

    assert playback.plays_until_ms == 120
    assert playback.interrupt(at_ms=30) == [Cut("item_1", 5), Cut("item_2", 10)]


def test_chunks_of_one_stretch_join_without_a_gap_however_late_the_marks_come_back():
    playback = Playback()
    first = playback.queue("item_1", 400, at_ms=0)
    playback.queue("item_1", 400, at_ms=5)
    playback.reached(first.mark, at_ms=437)

    assert playback.queue("item_1", 400, at_ms=450).plays_from_ms == 800


def test_a_chunk_plays_after_those_before_it_or_at_once():
    playback = Playback()
    first = playback.queue("item_1", 400, at_ms=100)
    second = playback.queue("item_1", 400, at_ms=110)
    playback.reached(second.mark, at_ms=905)
    third = playback.queue("item_2", 400, at_ms=2000)

    assert [first.plays_from_ms, second.plays_from_ms, third.plays_from_ms] == [100, 500, 2000]


@pytest.mark.parametrize("mark", ["m2", "", "somebody else's"])
def test_a_mark_that_is_not_ours_changes_nothing(mark):
    playback = Playback()
    playback.queue("item_1", 400, at_ms=0)

    assert not playback.reached(mark, at_ms=50)
    assert playback.unheard


chunks = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 2000), st.integers(0, 500)), min_size=1, max_size=30
)


@given(chunks, st.integers(0, 30), st.integers(0, 100_000))
def test_heard_is_between_nothing_and_all_that_was_sent_and_every_item_is_cut_once(queued, returned, pause_ms):
    playback = Playback()
    now, marks, sent = 0, [], {}
    for item, ms, gap in queued:
        now += gap
        marks.append(playback.queue(item, ms, now).mark)
        sent[item] = sent.get(item, 0) + ms
    confirmed: dict[str, int] = {}
    for mark, (item, ms, _) in zip(marks[:returned], queued, strict=False):
        playback.reached(mark, now)
        confirmed[item] = confirmed.get(item, 0) + ms

    cuts = playback.interrupt(now + pause_ms)

    assert len({cut.item_id for cut in cuts}) == len(cuts)
    assert {cut.item_id for cut in cuts} == {item for item, _, _ in queued[returned:]}
    for cut in cuts:
        assert confirmed.get(cut.item_id, 0) <= cut.heard_ms <= sent[cut.item_id]
    assert not playback.unheard
    assert playback.interrupt(now + pause_ms) == []
