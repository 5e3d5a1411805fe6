"""The caller's audio on its way to the model: each frame reaches exactly one session, or is given up and counted."""

from collections import deque

from app.errors import SessionLost
from app.realtime.session import RealtimeSessionSender

HELD_FRAMES = 250
"""Five seconds of caller audio wait for a session that is not ready yet."""


class CallerAudio:
    """Passes frames on to the session that hears, and holds the newest while there is none."""

    def __init__(self) -> None:
        self._given_up = 0
        self._to: RealtimeSessionSender | None = None
        self._held: deque[str] = deque()

    @property
    def flows(self) -> bool:
        """Whether a session hears."""
        return self._to is not None

    async def send(self, frame: str) -> None:
        """The next frame of the caller's; raises `SessionLost`, and then the frame waits for the next session."""
        if self._to is None:
            self._hold(frame)
            return
        try:
            await self._to.send_audio_delta(frame)
        except SessionLost:
            self.hold()
            self._hold(frame)
            raise

    def take_given_up(self) -> int:
        """How many frames waited so long that newer ones took their place, since this was asked last."""
        given_up, self._given_up = self._given_up, 0
        return given_up

    def hold(self) -> None:
        """There is no session from now on."""
        self._to = None

    async def release(self, sender: RealtimeSessionSender) -> None:
        """This session hears from now on, what was held first; raises `SessionLost`."""
        while self._held:
            await sender.send_audio_delta(self._held[0])
            self._held.popleft()
        self._to = sender

    def turn(self, sender: RealtimeSessionSender) -> None:
        """Another session hears from the next frame on."""
        self._to = sender

    def _hold(self, frame: str) -> None:
        self._held.append(frame)
        if len(self._held) > HELD_FRAMES:
            self._held.popleft()
            self._given_up += 1
