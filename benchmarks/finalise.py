"""What it takes to make a recording of two hours out of its tracks: time, and memory beyond what the process has."""

import argparse
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from app.audio import BYTES_PER_MS, FRAME_MS, to_base64
from app.call.journal.folder import RECORDING
from app.call.journal.journal import Journal
from app.call.record import CallRecord

HOUR_MS = 3_600_000
SECOND_MS = 1000


def peak_mb() -> float:
    """The most memory that this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2)
    until_ms = int(parser.parse_args().hours * HOUR_MS)
    now_ms = 0.0
    with tempfile.TemporaryDirectory() as root:
        record = CallRecord(
            id="measured", call_sid="CA", account_sid="AC", from_number="", to_number="", direction="inbound",
            agent="default", agent_version=1, started_at=datetime.now(UTC),
        )  # fmt: skip
        journal = Journal(Path(root) / record.id, record, now_ms=lambda: now_ms)
        frame = to_base64(b"\x55" * FRAME_MS * BYTES_PER_MS)
        journal.collect()
        journal.write()
        before_mb, spent_s = peak_mb(), 0.0
        for second_ms in range(0, until_ms, SECOND_MS):
            for at_ms in range(second_ms, second_ms + SECOND_MS, FRAME_MS):
                journal.recorder.caller(at_ms, frame, at_ms)
            journal.recorder.agent(f"m{second_ms}", frame, second_ms)
            now_ms = second_ms + SECOND_MS
            journal.recorder.mark(f"m{second_ms}", now_ms)
            journal.collect()
            began_s = time.perf_counter()
            journal.write()
            spent_s += time.perf_counter() - began_s
        live_mb = peak_mb()
        began_s = time.perf_counter()
        journal.finish(record)
        took_s = time.perf_counter() - began_s
        size_mb = (journal.folder / RECORDING).stat().st_size / 1e6
        print(  # noqa: T201
            f"{until_ms / HOUR_MS:g} h: writing while it lasts {spent_s / until_ms * HOUR_MS:.2f} s an hour and "
            f"+{live_mb - before_mb:.1f} MB; finishing {took_s:.2f} s for {size_mb:.0f} MB "
            f"and +{peak_mb() - live_mb:.1f} MB more"
        )


if __name__ == "__main__":
    main()
