"""What was said by the journal beside what the recording has: only what matters is a difference."""

import pytest

from app.call.journal.transcript import Turn
from app.recordings.compare import Difference, differences
from app.recordings.numbers import tokens
from app.recordings.segments import Segment


def compared(said: str, heard: str, *, cut: bool = False) -> list[Difference]:
    turn = Turn("agent", 1000, until_ms=4000, said=said, heard=said if cut else None)
    return differences([turn], [Segment("agent", 1050, 4100, heard)])


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Hello, this is Bella's Table!", "hello this is bellas table"),
        ("We open at 9:30.", "We open at nine thirty."),
        ("Call 555-0100.", "Call five five five, oh one zero zero."),
        ("That is 23 people.", "That is twenty-three people."),
        ("It costs $1,250.", "It costs one thousand two hundred fifty."),
        ("Thank you, Mrs. Schmitt.", "Thank you, Mrs Schmidt."),
        ("", ""),
    ],
)
def test_the_same_words_written_otherwise_are_no_difference(said, heard):
    assert compared(said, heard) == []


@pytest.mark.parametrize(
    ("said", "heard", "difference"),
    [
        ("We open at nine.", "We open at ten.", ("9", "10")),
        ("Your table is at 19:30.", "Your table is at 19:00.", ("1930", "1900")),
        ("Yes, we are open on Sunday.", "Yes, we are open.", ("on sunday", "")),
        ("You can come.", "You cannot come.", ("can", "cannot")),
        ("You can come.", "You can't come.", ("can", "cant")),
        ("We deliver.", "We deliver for free.", ("", "for free")),
    ],
)
def test_other_words_are_a_difference_with_its_place(said, heard, difference):
    [found] = compared(said, heard)
    assert (found.said, found.heard) == difference
    assert found.at_ms in {1000, 1050}


def test_of_a_turn_that_was_cut_the_heard_words_count_and_their_end_is_an_estimate():
    assert compared("Our opening hours are from", "Our opening hours are from nine", cut=True) == []
    assert compared("Our opening hours", "Our kitchen hours", cut=True) != []
    unheard = Turn("agent", 0, until_ms=100, said="Never heard.", heard="")
    assert differences([unheard], []) == []


def test_turns_and_segments_meet_by_time_however_they_are_cut():
    turns = [
        Turn("agent", 0, until_ms=2000, said="Good morning."),
        Turn("caller", 2500, until_ms=3000, said="What?"),
        Turn("agent", 3500, until_ms=5000, said="Good evening."),
        Turn("agent", 90_000, said="Goodbye now."),
    ]
    segments = [
        Segment("agent", 100, 4900, "Good morning. Good evening."),
        Segment("caller", 2500, 3000, "Something else."),
        Segment("agent", 90_100, 91_000, "Goodbye then."),
    ]
    assert differences(turns, segments) == [Difference(90_000, "now", "then")]


def test_words_that_only_one_side_has_are_differences():
    turn = Turn("agent", 60_000, until_ms=61_000, said="Hello.")
    assert differences([turn], []) == [Difference(60_000, "hello", "")]
    assert differences([], [Segment("agent", 500, 900, "Hello?")]) == [Difference(500, "", "hello")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't  SHOUT", ["dont", "shout"]),
        ("twenty one", ["21"]),
        ("two hundred and five", ["200", "and", "5"]),
        ("one hundred twenty three", ["123"]),
        ("nine thirty", ["930"]),
        ("one thousand two hundred fifty", ["1250"]),
        ("Größe №5", ["grösse", "no", "5"]),
        ("約束 ok", ["約束", "ok"]),
    ],
)
def test_words_are_compared_without_case_marks_and_ways_to_write_numbers(text, expected):
    assert tokens(text) == expected
