"""What a two-hour recording costs before any of it is sent: time and memory from the file to the last request's body.

    python benchmarks/long_recording.py [MINUTES]

Two files are measured: a conversation, which has many short pieces, and a monologue without a pause, whose pieces are
as long as they may be.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.openai.transcode import to_ulaw
from app.openai.transcription_form import form_of
from app.openai.transcription_rules import measured
from app.openai.types.transcription import TranscriptionRequest
from app.recordings.plan import Plan, plan

RATE_HZ = 8000
CYCLE_S = 10


def voice(seconds: float) -> np.ndarray:
    """Something that is taken for speech."""
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * 140 * n * at) / n for n in range(2, 12))
    return (tones * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * at)) * 2000).astype(np.int16)


def write(path: Path, caller: np.ndarray, agent: np.ndarray, cycles: int) -> None:
    """A stereo µ-law file of so many repetitions; its header is unfinished, as after a crash."""
    frames = np.frombuffer(to_ulaw(np.stack([caller, agent], axis=1).tobytes()), np.uint8).tobytes()
    form = b"fmt " + np.array([18], "<u4").tobytes() + np.array([7, 2], "<u2").tobytes()
    form += np.array([RATE_HZ, 2 * RATE_HZ], "<u4").tobytes() + np.array([2, 8, 0], "<u2").tobytes()
    with path.open("wb") as file:
        file.write(b"RIFF" + bytes(4) + b"WAVE" + form + b"data" + bytes(4))
        for _ in range(cycles):
            file.write(frames)


def build_forms(planned: Plan) -> int:
    """Every request's form, one after the other as the job does it; how many bytes of sound they have."""
    sent = 0
    for piece in planned.pieces:
        request = TranscriptionRequest(planned.wav(piece))
        kind, seconds = measured(request)
        form_of(request, kind, seconds)
        sent += len(request.file_bytes)
    return sent


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    cycles = minutes * 60 // CYCLE_S
    quiet, noise = np.zeros(CYCLE_S * RATE_HZ, np.int16), np.random.default_rng(1).normal(0, 60, CYCLE_S * RATE_HZ)
    caller, agent = quiet.copy(), quiet.copy()
    caller[: 4 * RATE_HZ] = voice(4)
    agent[5 * RATE_HZ : 8 * RATE_HZ] = voice(3)
    kinds = {
        "conversation": ((caller + noise).astype(np.int16), agent),
        "monologue": (voice(CYCLE_S), quiet),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, tracks in kinds.items():
            path = Path(folder) / f"{name}.wav"
            write(path, *tracks, cycles)
            before, began = peak_mb(), time.perf_counter()
            planned = plan(path)
            cut_s = time.perf_counter() - began
            cut_mb = peak_mb()
            sent = build_forms(planned)
            built_s = time.perf_counter() - began - cut_s
            longest_s = max(piece.sent.ms for piece in planned.pieces) / 1000
            print(  # noqa: T201
                f"{name}: {minutes} min, {path.stat().st_size / 1e6:.0f} MB stereo µ-law: cut in {cut_s:.1f} s "
                f"(peak {before:.0f} -> {cut_mb:.0f} MB) into {len(planned.pieces)} pieces, longest {longest_s:.0f} s; "
                f"forms of {sent / 1e6:.0f} MB in {built_s:.1f} s (peak {peak_mb():.0f} MB)"
            )


if __name__ == "__main__":
    main()
