from app.audio import silence, to_base64
from app.openai.backlog import Backlog


def audio(ms: int, letter: bytes) -> str:
    return to_base64(letter * len(silence(ms)))


def test_what_does_not_fit_is_dropped_oldest_first_and_counted():
    backlog = Backlog(limit_ms=50)
    for letter in (b"a", b"b", b"c"):
        backlog.keep(audio(20, letter))

    assert backlog.dropped_ms == 20
    assert [backlog.take() for _ in range(len(backlog))] == [audio(20, b"b"), audio(20, b"c")]


def test_taken_audio_makes_room():
    backlog = Backlog(limit_ms=40)
    for _ in range(10):
        backlog.keep(audio(20, b"a"))
        backlog.keep(audio(20, b"b"))
        backlog.take()
        backlog.take()

    assert backlog.dropped_ms == 0
