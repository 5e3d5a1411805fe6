"""What a change of sessions costs the caller: redial, speech again, the gap at a rollover; and a call of four hours.

All at real speed but the last.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.call.events import Kind
from app.conf.models import DEFAULT
from app.db.embedded import EmbeddedPostgres
from app.realtime.session import RealtimeSessionSender
from app.sandbox.openai.brain import Heard, Reply, Say
from tests.e2e.rig import QUICK, Rig, open_rig
from tests.unit.call.rehearsal import Rehearsal

STORY = "One two three four five six seven eight nine ten."


class Talker:
    """Always has the same thing to say."""

    def answer(self, heard: Heard) -> Reply:
        return Reply((Say.words(STORY, 4000),), pace=2, think_ms=300)


async def lose(house: Rig, times: int) -> tuple[list[float], list[float]]:
    """Lose sessions while the agent speaks: how long until there is another, and until it speaks."""
    redials, speeches = [], []
    for _ in range(times):
        call = await house.ring()
        await call.wait_heard(1000)
        before = len(house.openai.sessions)
        house.told.clear()
        session = house.openai.sessions[-1]
        lost_s = time.monotonic()
        session.close(1006)
        again = await house.openai.session(before)
        await again.wait_for("response.output_audio.delta")
        speeches.append((time.monotonic() - lost_s) * 1000)
        redials += [event.data["gap_ms"] for event in house.told if event.kind == Kind.MODEL_RECONNECTED]
        await call.hang_up()
    return redials, speeches


async def roll(house: Rig) -> float:
    """The longest time between two frames that went to the model, around a rollover."""
    sent_s: list[float] = []
    spied = _spy(sent_s)
    call = await house.ring()
    await call.wait_heard(500)
    await call.wait_for(lambda _: Kind.SESSION_ROLLED_OVER in [event.kind for event in house.told], timeout_s=200)
    await asyncio.sleep(0.5)
    await call.hang_up()
    spied()
    return max(later - sooner for sooner, later in pairwise(sent_s[-75:])) * 1000


def _spy(sent_s: list[float]) -> Callable[[], None]:
    from app.openai.sender import OpenAIRealtimeSessionSender as Sender

    send: Callable[[RealtimeSessionSender, Any], Awaitable[None]] = Sender.send_audio_delta  # type: ignore[assignment]

    async def timed(self: Any, audio: Any) -> None:
        sent_s.append(time.monotonic())
        await send(self, audio)

    Sender.send_audio_delta = timed  # type: ignore[method-assign]

    def restore() -> None:
        Sender.send_audio_delta = send  # type: ignore[method-assign]

    return restore


async def long_call(hours: float) -> None:
    """So many hours of frames in fast motion, sessions replaced every fifty minutes."""
    frames = int(hours * 3600 * 50)
    with tempfile.TemporaryDirectory() as root:
        began_s = time.monotonic()
        folder = Path(root) / "call"
        call = Rehearsal(folder, frames=frames, on_frame=lambda call, _: call.release.set(), max_call_seconds=14_400)
        await call.run()
    arrived = [number for session in call.sessions for number in session.frames]
    rolled = [event for event in call.events if event.kind == Kind.SESSION_ROLLED_OVER]
    print(  # noqa: T201
        f"{hours:g} h in {time.monotonic() - began_s:.0f} s: {len(rolled)} rollovers, {frames} frames, "
        f"{frames - len(set(arrived))} lost, {len(arrived) - len(set(arrived))} doubled, "
        f"{'in order' if arrived == sorted(arrived) else 'OUT OF ORDER'}"
    )


async def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--hours", type=float, default=4)
    asked = parser.parse_args()
    await long_call(asked.hours)
    with tempfile.TemporaryDirectory() as root:
        await asyncio.to_thread(Path(root).chmod, 0o711)
        server = EmbeddedPostgres(Path(root) / "server", durable=False)
        try:
            url = await server.start()
            async with open_rig(
                url, Path(root) / "data", Talker(), agent={"rollover_minutes": 1}, speed=1.0, deadlines=QUICK
            ) as house:
                await house.put("limits", DEFAULT, {"calls_per_caller_per_minute": None})
                redials, speeches = await lose(house, asked.times)
                gap_ms = await roll(house)
        finally:
            await server.stop()
    for what, ms in (("session again", redials), ("speech again", speeches)):
        print(f"{what}: median {statistics.median(ms):.0f} ms, worst {max(ms):.0f} ms of {len(ms)}")  # noqa: T201
    print(f"longest time between two frames to the model around a rollover: {gap_ms:.0f} ms")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
