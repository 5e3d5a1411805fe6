"""A `<Record>`: the person at the phone speaks after the tone, and the carrier keeps it."""

import asyncio
from dataclasses import dataclass

import numpy as np

from app.audio import BYTES_PER_MS, ms_of, ulaw_samples
from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.recordings import SandboxRecording, wav
from app.sandbox.twilio.twiml import Verb

VERB = "RecordVerb"


@dataclass(slots=True)
class LeftMessage(SandboxRecording):
    """What the person has said, without the silence around it; on one channel only."""

    sound: bytes = b""

    @property
    def ms(self) -> float:
        """How long it is."""
        return ms_of(len(self.sound))

    def wav(self, requested_channels: int | None) -> bytes:
        """The sound as 16-bit PCM."""
        codes = np.frombuffer(self.sound, np.uint8)
        return wav(np.array(ulaw_samples(), np.int16)[codes].astype("<i2").tobytes(), channels=1)

    def acted(self, digits: str) -> dict[str, str]:
        """What the verb's action is told."""
        found = {"RecordingSid": self.sid, "RecordingUrl": self.origin, "RecordingDuration": str(int(self.ms / 1000))}
        return found | ({"Digits": digits} if digits else {})


async def listen(call: SandboxCall, verb: Verb, message: LeftMessage) -> str:
    """Record until a key, a silence or the greatest length; answers the key."""
    pause_ms, most_ms = (float(verb.get(*limit)) * 1000 for limit in (("timeout", "5"), ("maxLength", "3600")))
    try:
        async with asyncio.timeout(min(pause_ms, most_ms) / 1000 / call.network.speed):
            sound, key = await call.messages.get()
    except TimeoutError:
        return ""
    message.sound = sound[: int(most_ms) * BYTES_PER_MS]
    await call.network.pass_ms(message.ms)
    if key and key in verb.get("finishOnKey", "1234567890*#"):
        return key
    await call.network.pass_ms(min(pause_ms, most_ms - message.ms))
    return ""
