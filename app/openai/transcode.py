"""The phone's µ-law to and from 16-bit PCM, for a session that was not granted µ-law.

Imports numpy and soxr, which no ordinary call needs: import this module where it is used, off the event loop.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import soxr

from app.audio import BYTES_PER_MS, from_base64, to_base64, ulaw_samples
from app.realtime.events import AudioDelta, AudioDone, RealtimeInEvent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.int16]

PHONE_HZ = BYTES_PER_MS * 1000
SESSION_HZ = 24_000
"""The only rate at which a session speaks PCM."""
SAMPLE_BYTES = 2
_BIAS, _LOUDEST = 33, 8191


def from_ulaw(ulaw: bytes) -> bytes:
    """µ-law as 16-bit little-endian PCM."""
    return np.take(_pcm_of_ulaw(), np.frombuffer(ulaw, np.uint8)).astype("<i2").tobytes()


def to_ulaw(pcm: bytes) -> bytes:
    """16-bit little-endian PCM as µ-law, bit for bit what `audioop.lin2ulaw` makes of it."""
    return np.take(_ulaw_of_pcm(), np.frombuffer(pcm, "<i2").astype(np.uint16)).tobytes()


def to_session_format(pcm: bytes, rate_hz: int) -> bytes:
    """A whole piece of 16-bit mono PCM of any rate as the µ-law that `send_audio_delta` takes."""
    voice = ToPhone(rate_hz)
    return voice.feed(pcm) + voice.flush()


class FromPhone:
    """The caller's µ-law as PCM for the session, piece by piece; it runs up to 73 ms behind."""

    def __init__(self) -> None:
        self._resampler = _Resampler(PHONE_HZ, SESSION_HZ)

    def feed(self, ulaw: bytes) -> bytes:
        """What comes out with this piece."""
        return self._resampler.feed(from_ulaw(ulaw))


class ToPhone:
    """16-bit mono PCM of any rate as µ-law, in pieces of any length, even odd ones; its tail comes with `flush`."""

    def __init__(self, rate_hz: int) -> None:
        self._resampler = _Resampler(rate_hz, PHONE_HZ)
        self._half_sample = b""

    def feed(self, pcm: bytes) -> bytes:
        """What comes out with this piece."""
        pcm = self._half_sample + pcm
        whole = len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES
        self._half_sample = pcm[whole:]
        return to_ulaw(self._resampler.feed(pcm[:whole]))

    def flush(self) -> bytes:
        """What is still on its way; nothing can be fed afterwards."""
        return to_ulaw(self._resampler.feed(b"", last=True))


class Transcoding:
    """Stands between a call, which speaks µ-law, and a session that speaks 24 kHz PCM."""

    def __init__(self) -> None:
        self._caller = FromPhone()
        self._agent: ToPhone | None = None
        self._playing = AudioDelta("")  # the item whose audio is coming in

    def to_session(self, audio: str) -> str:
        """Caller audio, base64 of µ-law, as base64 of the session's PCM."""
        return to_base64(self._caller.feed(_opened(audio)))

    def to_call(self, event: RealtimeInEvent) -> Iterator[RealtimeInEvent]:
        """That event as a call knows it; an item's last audio comes before whatever ends the item."""
        match event:
            case AudioDelta():
                if event.item_id != self._playing.item_id:
                    yield from self._end_item()
                self._playing = event
                self._agent = self._agent or ToPhone(SESSION_HZ)
                yield from self._audio(self._agent.feed(_opened(event.audio)))
            case AudioDone():
                yield from self._end_item()
                yield event
            case _:
                yield event

    def _end_item(self) -> Iterator[RealtimeInEvent]:
        ended, self._agent = self._agent, None
        if ended:
            yield from self._audio(ended.flush())

    def _audio(self, ulaw: bytes) -> Iterator[RealtimeInEvent]:
        if ulaw:
            yield AudioDelta(to_base64(ulaw), self._playing.item_id, self._playing.response_id)


class _Resampler:
    """A stream of 16-bit samples at another rate. It calculates in floats: with integers the library adds noise."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")

    def feed(self, pcm: bytes, *, last: bool = False) -> bytes:
        """What comes out with these samples; with `last`, all of the rest."""
        samples = self._stream.resample_chunk(np.frombuffer(pcm, "<i2").astype(np.float32), last=last)
        pcm_out: bytes = np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
        return pcm_out


def _opened(audio: str) -> bytes:
    """What is no base64 is no audio: the far ends send such things, and a call goes on."""
    try:
        return from_base64(audio)
    except ValueError:
        return b""


@cache
def _pcm_of_ulaw() -> "Samples":
    """The sample of each of the 256 codes."""
    return np.array(ulaw_samples(), np.int16)


@cache
def _ulaw_of_pcm() -> "NDArray[np.uint8]":
    """The code of each sample, which is its index as an unsigned number."""
    sample = np.arange(1 << 16).astype(np.uint16).view(np.int16).astype(np.int32) >> 2
    magnitude = np.minimum(np.abs(sample) + _BIAS, _LOUDEST)
    segment = np.frexp(magnitude)[1] - 6  # 33 to 63 are segment 0, and each doubling is the next
    code = (segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)
    codes: NDArray[np.uint8] = (code ^ np.where(sample < 0, 0x7F, 0xFF)).astype(np.uint8)
    return codes
