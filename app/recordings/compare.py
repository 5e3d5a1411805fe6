"""What the agent said by its call's journal, beside what can be heard of it in the recording."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.call.journal.transcript import Turn
from app.recordings.numbers import tokens
from app.recordings.segments import Segment

SAME_SOUND = 0.75
"""Two ways to write one name are as alike as this."""
NOT = "nt"
"""`can` and `cant` are alike, and the opposite."""
CUT_WORDS = 3
"""Where a turn was cut, we only estimate the last words that were heard."""
LATE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where the recording has other words than the journal."""

    at_ms: int
    said: str
    heard: str


def differences(turns: Sequence[Turn], segments: Sequence[Segment]) -> list[Difference]:
    """Where the agent's words differ materially; punctuation, case and ways to write numbers and names do not."""
    agents = [turn for turn in turns if turn.speaker == "agent" and (turn.said if turn.heard is None else turn.heard)]
    heard = [segment for segment in segments if segment.speaker == "agent"]
    return [found for group in _groups(agents, heard) for found in _compare(*group)]


def _groups(turns: list[Turn], segments: list[Segment]) -> Iterator[tuple[list[Turn], list[Segment]]]:
    """Turns with the segments that were spoken at the same time, as small as possible."""
    waiting: list[tuple[int, int, Turn | Segment]] = [
        (turn.at_ms, max(turn.until_ms or 0, turn.at_ms) + LATE_MS, turn) for turn in turns
    ]
    waiting += [(segment.start_ms, segment.end_ms, segment) for segment in segments]
    group: tuple[list[Turn], list[Segment]] = ([], [])
    over_ms = 0
    for start_ms, end_ms, item in sorted(waiting, key=lambda each: each[:2]):
        if start_ms >= over_ms:
            yield group
            group = ([], [])
        over_ms = max(over_ms, end_ms)
        if isinstance(item, Turn):
            group[0].append(item)
        else:
            group[1].append(item)
    yield group


def _compare(turns: list[Turn], segments: list[Segment]) -> Iterator[Difference]:
    said = [(word, turn.at_ms) for turn in turns for word in tokens(turn.said if turn.heard is None else turn.heard)]
    heard = [(word, segment.start_ms) for segment in segments for word in tokens(segment.text)]
    cut = bool(turns) and turns[-1].heard is not None
    matcher = SequenceMatcher(None, [word for word, _ in said], [word for word, _ in heard], autojunk=False)
    for kind, since, until, from_, to in matcher.get_opcodes():
        ours, theirs = [word for word, _ in said[since:until]], [word for word, _ in heard[from_:to]]
        estimated = cut and until == len(said) and max(len(ours), len(theirs)) <= CUT_WORDS
        if kind == "equal" or estimated or _sound_alike(ours, theirs):
            continue
        at_ms = said[since][1] if since < until else heard[from_][1]
        yield Difference(at_ms, " ".join(ours), " ".join(theirs))


def _sound_alike(ours: list[str], theirs: list[str]) -> bool:
    one, other = "".join(ours), "".join(theirs)
    if one.isdecimal() or other.isdecimal() or one.endswith(NOT) != other.endswith(NOT):
        return one == other
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= SAME_SOUND
