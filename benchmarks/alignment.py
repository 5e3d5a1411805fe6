"""How exactly both tracks of a recording lie where they were spoken and heard, over one hour of a talkative call."""

import argparse
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from app.audio import FRAME_MS
from app.call.sound.pieces import Piece
from app.call.sound.recorder import Recorder
from benchmarks.line import Line

HOUR_MS = 3_600_000
LINES: dict[str, dict[str, Any]] = {"good line": {}, "bad line ": {"lost": 0.001, "doubled": 0.001}}
"""Delays of 30 to 120 ms and clocks that drift apart on both; on the bad one frames are missing or come twice."""


def talk(line: Line, random: Random, until_ms: float) -> None:
    """Answer after answer: at the model's pace, with stalls, often interrupted."""
    at_ms = 500.0
    while at_ms < until_ms - 30_000:
        said_ms, pace, send_ms = 0, random.uniform(1.2, 8), at_ms
        for _ in range(random.randint(1, 30)):
            ms = FRAME_MS * random.randint(1, 25)
            line.at(send_ms, partial(line.play, ms))
            said_ms += ms
            send_ms += ms / pace + (random.uniform(100, 1500) if random.random() < 0.05 else 0)
        over_ms = max(send_ms, at_ms + said_ms)
        if random.random() < 0.4:
            over_ms = random.uniform(send_ms, over_ms + 300)
            line.at(over_ms, line.clear)
        at_ms = over_ms + random.uniform(100, 4000)


def hour(seed: int = 1, **conditions: Any) -> tuple[Line, list[Piece], list[Piece]]:
    """A whole hour of it: the line with the truth, and what was recorded of caller and agent."""
    random = Random(seed)  # noqa: S311
    recorder = Recorder()
    call = Line(recorder, random, **conditions)
    talk(call, random, HOUR_MS)
    caller: list[Piece] = []
    agent: list[Piece] = []
    for second in range(1, HOUR_MS // 1000 + 1):
        call.run(second * 1000.0)
        take = recorder.take(call.ours)
        caller += take.caller
        agent += take.agent
    recorder.end(call.ours)
    return call, caller, agent + recorder.take(call.ours).agent


def caller_errors(line: Line, pieces: list[Piece]) -> Iterator[float]:
    """How far each frame lies from where it was spoken."""
    numbers = {payload: number for number, payload in enumerate(line.frames)}
    for piece in pieces:
        yield abs(piece.at_ms - numbers[piece.audio] * FRAME_MS)


def agent_errors(line: Line, pieces: list[Piece]) -> Iterator[float]:
    """How far the beginning and the end of each chunk lie from where they were heard; one that is missing counts."""
    placed = {piece.audio: piece for piece in pieces}
    for chunk in line.chunks:
        piece = placed.get(chunk.audio)
        if chunk.heard_from_ms is None or chunk.heard_until_ms is None:
            yield piece.ms if piece else 0.0
        elif piece is None:
            yield chunk.heard_until_ms - chunk.heard_from_ms
        else:
            yield abs(piece.at_ms - chunk.heard_from_ms)
            yield abs(piece.end_ms - chunk.heard_until_ms)


def report(track: str, errors: Iterator[float]) -> None:
    """One line of figures."""
    found = sorted(errors)
    p99 = found[int(len(found) * 0.99)]
    print(f"{track}: {len(found)} edges, max {found[-1]:.1f} ms, p99 {p99:.1f} ms, p50 {found[len(found) // 2]:.1f} ms")  # noqa: T201


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=int, default=1, help="so many different hours")
    arguments = parser.parse_args()
    for seed in range(arguments.seed, arguments.seed + arguments.hours):
        for name, conditions in LINES.items():
            line, caller, agent = hour(seed, **conditions)
            report(f"{name}, caller", caller_errors(line, caller))
            report(f"{name}, agent ", agent_errors(line, agent))


if __name__ == "__main__":
    main()
