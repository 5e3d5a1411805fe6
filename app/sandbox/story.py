"""The rehearsal's story: a restaurant, its agent, and what has to happen in the call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.call.events import NumberedEvent
from app.call.record import CallRecord
from app.call.status import EndReason
from app.recordings.segments import Segment
from app.sandbox.book import Book

CALLER, CALLED = "+15550100123", "+15550100100"
ASKS, CHANGES_HIS_MIND = "table_tonight", "tomorrow_instead"
INTERRUPTS_AFTER_MS = 3000
WRITTEN_DOWN = "the recording is written down, with both speakers"

GREETING = "Hello, this is the Harbour Bistro. How can I help you?"


def agent(book: Book) -> dict[str, Any]:
    """The restaurant's agent, who asks that book."""
    return {
        "instructions": (
            "You answer the phone of the Harbour Bistro. Greet the caller, look up free tables with lookup_table, "
            "confirm the table the caller wants, say goodbye and end the call. Be brief and warm."
        ),
        "greeting": GREETING,
        "tools": [book.tool, {"type": "end_call"}],
    }


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the story needs, and whether it happened."""

    what: str
    happened: bool


def steps(
    events: Sequence[NumberedEvent], record: CallRecord | None, written: Sequence[Segment], asked: Sequence[str]
) -> list[Step]:
    """What the story needs of the journal, of the row in the database, of the recording as it was written down, and of
    what the restaurant's own server was asked."""
    said = [event.data["text"] for event in events if event.kind == "agent.transcript"]
    heard = [event.data["text"] for event in events if event.kind == "caller.transcript"]
    lookups = [event.data["output"] for event in events if event.kind == "tool.answered"]
    cuts = [event.data for event in events if event.kind == "agent.interrupted"]
    return [
        Step("the agent greets first", bool(said) and said[0] == GREETING),
        Step("the caller's question reaches the agent", any("tonight" in text for text in heard)),
        Step("the restaurant's server is asked, and knows by whom", asked[:1] == ["tonight"]),
        Step("the agent learns what is free", any("half past nine" in output for output in lookups)),
        Step("the agent answers with what it found", any("half past nine" in text for text in said)),
        Step("the caller interrupts and is heard at once", any(0 < cut["heard_ms"] < cut["sent_ms"] for cut in cuts)),
        Step("the agent looks up the changed wish", any("eight" in output for output in lookups)),
        Step("the agent adapts and says goodbye", any("goodbye" in text.lower() for text in said[1:])),
        Step("the agent hangs up", record is not None and record.end_reason is EndReason.AGENT_HANGUP),
        Step(WRITTEN_DOWN, _both_in_order(written)),
    ]


def _both_in_order(written: Sequence[Segment]) -> bool:
    """The agent's greeting, then the caller's question."""
    spoken = [(segment.speaker, segment.text) for segment in written]
    asked = [at for at, (speaker, text) in enumerate(spoken) if speaker == "caller" and "tonight" in text]
    greeted = [at for at, (speaker, text) in enumerate(spoken) if speaker == "agent" and "Harbour Bistro" in text]
    return bool(asked and greeted) and greeted[0] < asked[0]
