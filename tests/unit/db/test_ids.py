import time

from app.db.ids import uuid7


def test_an_id_is_a_version_7_uuid_of_this_millisecond():
    before_ms = time.time_ns() // 1_000_000
    made = uuid7()
    after_ms = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before_ms <= made.int >> 80 <= after_ms


def test_ids_of_one_millisecond_differ():
    assert len({uuid7() for _ in range(1000)}) == 1000
