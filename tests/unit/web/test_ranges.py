"""Parts of a file, as HTTP asks for them."""

import pytest

from app.web.ranges import Part, Unsatisfiable, parse_range

WHOLE = None


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, WHOLE),
        ("", WHOLE),
        ("bytes=0-", Part(0, 1000)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-999", Part(0, 1000)),
        ("bytes=500-", Part(500, 1000)),
        ("bytes=500-10000", Part(500, 1000)),
        ("bytes=999-999", Part(999, 1000)),
        ("bytes=-1", Part(999, 1000)),
        ("bytes=-5000", Part(0, 1000)),
        ("BYTES = 1-2 ", Part(1, 3)),
        ("bytes=5-4", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=0-1,5-6", WHOLE),
        ("frames=0-1", WHOLE),
        ("bytes=٣-٤", WHOLE),
        ("bytes=" + "9" * 19 + "-", WHOLE),
    ],
)
def test_a_part_of_a_thousand_bytes(header, part):
    assert parse_range(header, 1000) == part


@pytest.mark.parametrize(
    ("header", "size"),
    [("bytes=1000-", 1000), ("bytes=5000-6000", 1000), ("bytes=-0", 1000), ("bytes=0-", 0), ("bytes=-5", 0)],
)
def test_bytes_that_the_file_has_not(header, size):
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


def test_a_part_says_where_it_belongs():
    assert Part(10, 20).content_range(1000) == "bytes 10-19/1000"
