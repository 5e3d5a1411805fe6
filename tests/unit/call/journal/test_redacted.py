"""What is written down of a call has been redacted; what its next session is told of it has not."""

from app.call.events import CallEvent, Kind
from app.call.journal.redacted import RedactedEvents
from app.conf.models import RedactionConf
from app.redaction import CARD

VISA = "4111 1111 1111 1111"


def test_words_of_both_speakers_tools_and_messages_are_redacted_and_nothing_else_is():
    redacted = RedactedEvents(RedactionConf(patterns={"code": "X[0-9]+"}))

    def kept(kind: Kind, **data: object) -> dict[str, object]:
        return redacted(CallEvent(kind, 0, data)).data

    assert kept(Kind.CALLER_TRANSCRIPT, text=VISA, item_id="i", final=True) == {
        "text": CARD,
        "item_id": "i",
        "final": True,
    }
    assert kept(Kind.AGENT_TRANSCRIPT, text=f"You said {VISA}, X12", final=True)["text"] == f"You said {CARD}, [code]"
    assert kept(Kind.AGENT_INTERRUPTED, said=VISA, heard=VISA, heard_ms=5) == {
        "said": CARD,
        "heard": CARD,
        "heard_ms": 5,
    }
    assert kept(Kind.TOOL_CALLED, arguments=f'{{"card": "{VISA}"}}')["arguments"] == f'{{"card": "{CARD}"}}'
    assert kept(Kind.TOOL_ANSWERED, output="X7")["output"] == "[code]"
    assert kept(Kind.DTMF_SENT, digits=f"{VISA}".replace(" ", "w"))["digits"] == CARD
    assert kept(Kind.SESSION_ERROR, message="X7")["message"] == "X7"


def test_pieces_of_a_transcript_tell_no_digits():
    event = CallEvent(Kind.CALLER_TRANSCRIPT, 0, {"text": "4111", "final": False}, fleeting=True)
    assert RedactedEvents(RedactionConf())(event).data["text"] == "••••"


def test_a_call_whose_agent_keeps_everything_keeps_it():
    event = CallEvent(Kind.CALLER_TRANSCRIPT, 0, {"text": VISA, "final": True})
    assert RedactedEvents(RedactionConf(card_numbers=False))(event).data["text"] == VISA


def test_events_that_belong_together_still_do():
    redacted = RedactedEvents(RedactionConf(patterns={"pin": "[0-9]{4}"}))
    answered = redacted(CallEvent(Kind.TOOL_ANSWERED, 0, {"call_id": "call_1234", "output": "1234"}))
    assert answered.data == {"call_id": "call_1234", "output": "[pin]"}
