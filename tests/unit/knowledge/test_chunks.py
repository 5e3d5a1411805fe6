"""Where a document is cut."""

from itertools import pairwise

from app.knowledge.chunks import ENOUGH_CHARACTERS, HEADING_CHARACTERS, MOST_CHARACTERS, OVERLAP_CHARACTERS, cut
from app.knowledge.sections import Section

SENTENCES = [f"This is sentence number {number} of a very long paragraph." for number in range(80)]


def texts(*paragraphs: str) -> list[str]:
    return [chunk.text for chunk in cut("Title", [Section((), paragraphs)])]


def test_short_paragraphs_stay_together_until_there_is_enough():
    paragraphs = [f"{number} " + "word " * 40 for number in range(12)]
    cuts = texts(*paragraphs)
    assert "\n".join(cuts).split("\n") == [each.strip() for each in paragraphs]
    assert all(ENOUGH_CHARACTERS <= len(each) <= MOST_CHARACTERS for each in cuts[:-1])


def test_a_long_paragraph_is_cut_after_sentences_and_goes_on_with_the_last_ones():
    cuts = texts(" ".join(SENTENCES))
    assert len(cuts) == 4
    assert all(each.startswith("This is") and each.endswith(".") and len(each) <= MOST_CHARACTERS for each in cuts)
    for before, after in pairwise(cuts):
        assert any(before.endswith(after[:each]) for each in range(50, OVERLAP_CHARACTERS))
    assert {sentence for sentence in SENTENCES if any(sentence in each for each in cuts)} == set(SENTENCES)


def test_what_has_no_sentences_is_cut_between_words_and_what_has_no_words_anywhere():
    words = texts("word " * 1000)
    assert all(set(each.split()) == {"word"} and len(each) <= MOST_CHARACTERS for each in words)
    assert sum(each.count("word") for each in words) == 1000
    assert "".join(texts("x" * 3000)) == "x" * 3000


def test_pieces_under_different_headings_are_never_mixed_and_a_heading_stays_short():
    sections = [Section(("A",), ("one",)), Section(("A", "B" * 500), ("two",)), Section(("Title", "C"), ("three",))]
    chunks = list(cut("Title", sections))
    assert [chunk.text for chunk in chunks] == ["one", "two", "three"]
    assert chunks[0].heading == "Title > A"
    assert len(chunks[1].heading) == HEADING_CHARACTERS
    assert chunks[2].heading == "Title > C"
