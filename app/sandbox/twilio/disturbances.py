"""Bad lines: what may happen to the caller's frames on their way (a stream's `disturbance`)."""

from app.sandbox.twilio.stream import Disturbance


def missing(every: int) -> Disturbance:
    """Each so-many-th frame is lost."""
    return lambda chunk, message: [] if chunk % every == 0 else [message]


def repeated(every: int) -> Disturbance:
    """Each so-many-th frame comes twice."""
    return lambda chunk, message: [message] * (2 if chunk % every == 0 else 1)


def swapped(every: int) -> Disturbance:
    """Each so-many-th frame comes after the one that follows it."""
    late: list[str] = []

    def disturb(chunk: int, message: str) -> list[str]:
        if chunk % every == 0:
            late.append(message)
            return []
        messages = [message, *late]
        late.clear()
        return messages

    return disturb
