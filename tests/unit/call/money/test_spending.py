"""What a call costs as it goes on, and what follows when that is too much."""

from decimal import Decimal

import pytest

from app.audio import silence, to_base64
from app.call.actions import Action, End, Play, TellModel
from app.call.events import CallEvent, Kind
from app.call.money.budget import IT_ENDS, WRAP_UP, Budget
from app.call.money.cost import PriceUnknown
from app.call.money.line_price import LinePrice, line_price
from app.call.money.spending import Spending
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.conf.models import BudgetConf, TelephonyPrices
from app.realtime.events import (
    AsideDone,
    AudioDelta,
    AudioDone,
    CallerTranscript,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    SpeechStarted,
    ToolCall,
)
from app.realtime.usage import Usage, Used
from app.twilio.media_protocol import MarkReached
from tests.unit.call.rehearsal import Rehearsal

GOODBYE = TellModel(IT_ENDS, "system", lasting=False)
FRAME = to_base64(silence(20))


class ByTheToken:
    """A dollar for each token of a model it knows; a tenth for each second."""

    def answer(self, used: Used) -> Decimal:
        if used.model != "known":
            raise PriceUnknown(f"{used.model} has no price")
        return Decimal(used.tokens.total)

    def transcription(self, used: Used) -> Decimal:
        return Decimal(str(used.audio_s)) / 10


def answer(dollars: int, response_id: str = "r1", model: str = "known") -> ResponseDone:
    return ResponseDone(response_id, usage={"x": 1}, used=Used(model, Usage(audio_out=dollars)))


def spending(**more) -> Spending:
    return Spending(ByTheToken(), **more)


class Limited:
    """A call's flow with its budget."""

    def __init__(self, soft: float | None = None, hard: float | None = None, line: LinePrice | None = None) -> None:
        self.flow = CallFlow(spending=Spending(ByTheToken(), line), hang_up_tools=["bye"])
        self.on_agent, self.on_caller = self.flow.on_agent, self.flow.on_caller
        self._budget = Budget(BudgetConf(soft_usd=soft, hard_usd=hard), self.flow)

    def on_time(self, at_ms: float, *, ready: bool = True) -> list[Action]:
        return self._budget.on_time(at_ms, ready=ready) + self.flow.on_time(at_ms)  # as the bridge does


def of_kind(actions, kind):
    return [action for action in actions if isinstance(action, CallEvent) and action.kind is kind]


def test_an_answer_is_noted_with_its_tokens_and_its_cost_in_both_words():
    [event] = spending().answer(answer(3), 900)
    assert event == CallEvent(
        Kind.RESPONSE_DONE,
        900,
        {
            "status": "completed", "reason": None, "usage": {"x": 1},
            "model": "known", "tokens": {"audio_out": 3}, "cost_usd": "3",
        },
    )  # fmt: skip


def test_an_answer_of_which_nothing_is_told_is_noted_without_a_cost():
    [event] = spending().answer(ResponseDone("r1", "cancelled", "turn_detected"), 900)
    assert event.data == {"status": "cancelled", "reason": "turn_detected", "usage": None}


def test_what_is_used_beside_the_answers_is_noted_by_itself():
    spent = spending()
    [aside] = spent.beside(AsideDone("name", used=Used("known", Usage(text_in=2))), 10)
    [late] = spent.beside(answer(5), 20)
    [words] = spent.beside(CallerTranscript("Hi", "item_1", final=True, used=Used("w", audio_s=1.5)), 30)
    assert (aside.kind, aside.data["of"], aside.data["cost_usd"]) == (Kind.USAGE, "aside", "2")
    assert (late.kind, late.data["of"], late.data["cost_usd"]) == (Kind.USAGE, "answer", "5")
    assert words.data == {"of": "transcription", "item_id": "item_1", "model": "w", "audio_s": 1.5, "cost_usd": "0.15"}
    assert spent.beside(CallerTranscript("Hi", "item_1"), 40) == []
    assert spent.totals(0) == {"model": "7", "transcription": "0.15"}


async def test_what_a_replaced_session_still_tells_of_is_paid_as_well(tmp_path):
    def lose(call, number):
        if number == 15:
            late = ResponseDone("late", used=Used("known", Usage(audio_out=4)))
            call.sessions[0]._emit(SessionProblem("over", "session_expired", "over"), late)

    rehearsal = Rehearsal(tmp_path / "call", frames=120, on_frame=lose)
    await rehearsal.run()
    assert len(rehearsal.sessions) == 2
    [paid] = [event for event in rehearsal.events if event.kind is Kind.USAGE]
    assert paid.data == {"of": "answer", "model": "known", "tokens": {"audio_out": 4}}


def test_an_answer_beside_the_conversation_reaches_the_journal():
    [event] = Limited().on_agent(AsideDone("name", used=Used("known", Usage(text_in=2))), 10)
    assert (event.kind, event.data["cost_usd"]) == (Kind.USAGE, "2")


def test_what_has_no_price_has_no_cost_and_the_record_says_so_once():
    spent = spending()
    event, warning = spent.answer(answer(3, model="odd"), 1)
    assert "cost_usd" not in event.data
    assert event.data["tokens"] == {"audio_out": 3}
    assert (warning.kind, warning.data) == (Kind.PRICE_UNKNOWN, {"model": "odd", "reason": "odd has no price"})
    [_] = spent.answer(answer(3, model="odd"), 2)
    assert spent.totals(0)["model"] == "0"


def test_costs_are_written_without_an_exponent():
    spent = spending()
    [event] = spent.beside(CallerTranscript("Hi", final=True, used=Used("w", audio_s=0.000001)), 0)
    assert event.data["cost_usd"] == "0.0000001"
    [event] = spent.answer(answer(200), 0)
    assert event.data["cost_usd"] == "200"


def test_the_line_counts_by_the_minute_that_has_begun():
    spent = spending(line=LinePrice(Decimal("0.5")))
    assert spent.totals(60_001)["line"] == "1"
    assert spending(line=LinePrice(Decimal("0.5"), estimated=True)).totals(1)["line_estimate"] == "0.5"
    flow = Limited(soft=1, line=LinePrice(Decimal("0.5")))
    assert flow.on_time(60_000) == []
    assert of_kind(flow.on_time(60_001), Kind.BUDGET_SOFT)


@pytest.mark.parametrize(
    ("direction", "number", "own", "expected"),
    [
        ("inbound", "+15550100100", {}, ("0.0125", True)),
        ("outbound", "+15550100100", {}, ("0.018", True)),
        ("inbound", "+390600000000", {}, None),
        ("outbound", "+390600000000", {"outbound_usd_per_minute": "0.3"}, ("0.304", True)),
        ("inbound", "+390600000000", {"outbound_usd_per_minute": "0.3"}, None),
        ("inbound", "+15550100100", {"inbound_usd_per_minute": 0, "media_stream_usd_per_minute": 0}, ("0", False)),
        ("outbound", "+15550100100", {"inbound_usd_per_minute": 9, "media_stream_usd_per_minute": 1}, ("1.014", True)),
    ],
)
def test_a_minutes_price_is_the_operators_else_the_public_one_of_its_country_else_unknown(
    direction, number, own, expected
):
    found = line_price(direction, number, TelephonyPrices.model_validate(own))
    assert found == (expected and LinePrice(Decimal(expected[0]), estimated=expected[1]))


def test_at_the_soft_limit_the_agent_is_asked_once_to_come_to_an_end():
    flow = Limited(soft=2)
    flow.on_agent(answer(1), 1000)
    assert flow.on_time(1250) == []
    flow.on_agent(answer(1), 2000)
    reached, wish = flow.on_time(2250)
    assert (reached.kind, reached.data) == (Kind.BUDGET_SOFT, {"limit_usd": "2", "spent_usd": "2"})
    assert wish == TellModel(WRAP_UP, "system", respond=False)
    flow.on_agent(answer(5), 3000)
    assert flow.on_time(3250) == []


def test_at_the_hard_limit_the_agent_says_goodbye_and_the_call_ends_when_that_was_heard():
    flow = Limited(soft=1, hard=2)
    flow.on_agent(answer(3), 1000)
    reached, last = flow.on_time(1250)
    assert (reached.kind, last) == (Kind.BUDGET_HARD, GOODBYE)
    assert flow.on_time(1500) == []
    flow.on_agent(ResponseStarted("r2"), 1600)
    [played] = [action for action in flow.on_agent(AudioDelta(FRAME, "i2", "r2"), 1700) if isinstance(action, Play)]
    flow.on_agent(AudioDone("i2", "r2"), 1700)
    flow.on_agent(answer(9, "r2"), 1800)
    assert End(EndReason.SPEND_LIMIT) in flow.on_caller(MarkReached(played.mark), 1900)


def test_an_answer_under_way_is_heard_out_before_the_goodbye():
    flow = Limited(hard=1)
    flow.on_agent(answer(1, "r0"), 500)
    flow.on_agent(ResponseStarted("r1"), 1000)
    assert GOODBYE in flow.on_time(1250)
    flow.on_agent(AudioDelta(FRAME, "i1", "r1"), 1300)
    flow.on_agent(AudioDone("i1", "r1"), 1300)
    flow.on_agent(answer(1, "r1"), 1400)
    assert flow.on_time(1500) == []  # the answer was no goodbye: that is still to come


def test_a_goodbye_that_never_comes_does_not_hold_the_call():
    flow = Limited(hard=1)
    flow.on_agent(answer(1), 1000)
    flow.on_time(1250)
    assert flow.on_time(11_500) == [End(EndReason.SPEND_LIMIT)]


def test_an_agent_that_is_leaving_already_is_let_go_unless_the_caller_holds_it_back():
    flow = Limited(hard=1)
    flow.on_agent(ResponseStarted("r1"), 900)
    flow.on_agent(ToolCall("c1", "bye", "{}", "r1"), 950)
    flow.on_agent(answer(1), 1000)
    assert [action.kind for action in flow.on_time(1250)] == [Kind.BUDGET_HARD]
    assert flow.on_time(11_500) == [End(EndReason.AGENT_HANGUP)]


def test_a_goodbye_that_the_caller_held_back_is_followed_by_one_that_holds():
    flow = Limited(hard=1)
    flow.on_agent(ResponseStarted("r1"), 900)
    flow.on_agent(ToolCall("c1", "bye", "{}", "r1"), 950)
    flow.on_agent(answer(1), 1000)
    flow.on_time(1250)
    flow.on_agent(SpeechStarted(item_id="u1"), 1300)
    assert flow.on_time(1500) == [GOODBYE]
    flow.on_agent(SpeechStarted(item_id="u2"), 1600)
    assert flow.on_time(1750) == []
    assert flow.on_time(11_600) == [End(EndReason.SPEND_LIMIT)]


def test_before_there_is_an_agent_there_is_nobody_to_say_it():
    flow = Limited(soft=1, line=LinePrice(Decimal(1)))
    assert flow.on_time(250, ready=False) == []
    assert of_kind(flow.on_time(500), Kind.BUDGET_SOFT)


def test_without_limits_nothing_follows_however_much_it_costs():
    flow = Limited()
    flow.on_agent(answer(1_000_000), 1000)
    assert flow.on_time(1250) == []


def test_what_a_phone_call_cost_before_its_stream_was_lost_counts_and_is_not_in_its_record_again():
    spent = spending(before_usd=Decimal(2))
    spent.answer(answer(3), 900)
    assert (spent.usd(1000), spent.totals(1000)) == (5, {"model": "3", "transcription": "0"})
