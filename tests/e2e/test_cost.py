"""What a call costs, as the record, the API and the provider's own figures have it; and a call that costs too much."""

import asyncio
from decimal import Decimal

import httpx
import pytest

from app.call.events import Kind
from app.call.money.budget import IT_ENDS, WRAP_UP
from app.call.status import EndReason
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.twilio import EndCause
from app.sandbox.voices.clips import clip
from tests.e2e.calls_api import KEY, SHARED

HELLO = Reply.of(Say.words("Hello.", 1000))
LONG = Reply.of(Say.words("One two three four five six seven eight nine ten.", 4000))
BYE = Reply.of(Say.words("Goodbye.", 1000))
MILLION = Decimal(1_000_000)
FREE_LINE = {"telephony": {"inbound_usd_per_minute": 0, "media_stream_usd_per_minute": 0}}


@pytest.fixture(autouse=True)
async def limit():
    """What never happens fails its test, and holds up no other."""
    async with asyncio.timeout(30):
        yield


def of_kind(events, kind):
    return [event for event in events if event.kind == kind]


def by_hand(usage) -> Decimal:
    """What OpenAI's price list asks of gpt-realtime-2.1 for these figures of its own."""
    given, made = usage["input_token_details"], usage["output_token_details"]
    cached = given["cached_tokens_details"]
    text = (given["text_tokens"] - cached["text_tokens"]) * 4 + cached["text_tokens"] * Decimal("0.40")
    audio = (given["audio_tokens"] - cached["audio_tokens"]) * 32 + cached["audio_tokens"] * Decimal("0.40")
    return (text + audio + made["text_tokens"] * 24 + made["audio_tokens"] * 64) / MILLION


async def test_each_answer_and_each_transcript_has_its_cost_and_together_they_are_the_bill(rig):
    house = await rig(ScriptedBrain([HELLO, LONG]), agent={}, **SHARED)
    await house.put("prices", "default", {"telephony": {"inbound_usd_per_minute": "0.01"}})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.say(clip("table_tonight"))
    await call.wait_heard(5000)
    await call.hang_up()
    record, events = await house.settled(call)
    async with httpx.AsyncClient(base_url=house.url, trust_env=False) as http:
        http.headers["Authorization"] = f"Bearer {KEY}"
        cost = (await http.get(f"/api/v1/calls/{record.id}")).json()["cost"]

    answers, [heard] = of_kind(events, Kind.RESPONSE_DONE), of_kind(events, Kind.USAGE)
    # the greeting is 6 letters, 2 tokens of text, and a second, 20 tokens of audio: 2 x 24 + 20 x 64 = 1328
    assert answers[0].data["cost_usd"] == "0.001328"
    assert [Decimal(each.data["cost_usd"]) for each in answers] == [by_hand(each.data["usage"]) for each in answers]
    assert {each.data["model"] for each in answers} == {"gpt-realtime-2.1"}
    assert (heard.data["of"], heard.data["model"]) == ("transcription", "gpt-transcribe")
    by_time = Decimal(heard.data["cost_usd"]) * 60 / Decimal("0.0045")
    assert float(by_time) == pytest.approx(heard.data["audio_s"], abs=1e-4)

    journalled = [Decimal(each.data["cost_usd"]) for each in [*answers, heard]]
    line = Decimal("0.014")  # a minute that has begun, and its media stream
    assert cost["realtime_usd"] == pytest.approx(float(sum(journalled[:-1])))
    assert cost["live_transcription_usd"] == pytest.approx(float(journalled[-1]), abs=1e-8)
    assert cost["telephony_usd"] == float(line)
    assert [each["usd"] for each in cost["answers"]] == [float(usd) for usd in journalled[:-1]]
    points = [point["usd"] for point in cost["curve"]]
    assert points == sorted(points)
    assert points[-1] == pytest.approx(float(sum(journalled) + line), abs=1e-7)
    assert cost["total_usd"] == pytest.approx(points[-1] + (cost["transcription_usd"] or 0), abs=1e-7)
    spent = events[-1].data["spent_usd"]
    assert [Decimal(spent[part]) for part in ("model", "transcription")] == [sum(journalled[:-1]), journalled[-1]]


async def test_an_agent_over_its_budget_is_asked_to_come_to_an_end_and_then_ends_politely(rig):
    # the greeting costs 0.001328; 80 tokens of audio more cost 0.00512
    budget = {"soft_usd": "0.001", "hard_usd": "0.005"}
    house = await rig(ScriptedBrain([HELLO, LONG, BYE]), agent={"budget": budget})
    await house.put("prices", "default", FREE_LINE)
    call = await house.ring()
    await call.wait_heard(1000)
    await house.openai.sessions[0].wait_for(lambda _: WRAP_UP in told(house))
    await call.say(clip("table_tonight"))
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.SPEND_LIMIT
    assert call.end_cause is EndCause.REST
    assert call.heard_ms >= 6000  # greeting, answer and goodbye, each to its end
    assert told(house) == [WRAP_UP, IT_ENDS]
    [soft], [hard] = of_kind(events, Kind.BUDGET_SOFT), of_kind(events, Kind.BUDGET_HARD)
    assert soft.seq < hard.seq
    assert soft.data == {"limit_usd": "0.001", "spent_usd": "0.001328"}
    assert len(of_kind(events, Kind.RESPONSE_DONE)) == 3


async def test_a_call_that_goes_on_in_another_stream_goes_on_counting(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO, BYE]), agent={"budget": {"hard_usd": "0.002"}})
    await house.put("prices", "default", FREE_LINE)
    call = await house.ring()
    while not of_kind(house.told, Kind.RESPONSE_DONE):  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(0.01)
    await call.drop()
    record, events = await house.settled(call)

    assert (record.attempt, record.end_reason) == (1, EndReason.SPEND_LIMIT)
    [hard] = of_kind(events, Kind.BUDGET_HARD)
    assert hard.data["spent_usd"] == "0.002656"  # a greeting in each stream
    own = [Decimal(each.data["cost_usd"]) for each in of_kind(events, Kind.RESPONSE_DONE)]
    assert Decimal(events[-1].data["spent_usd"]["model"]) == sum(own)


def told(house) -> list[str]:
    """What the model was told by the system."""
    items = [each["item"] for each in house.openai.sessions[0].received if each["type"] == "conversation.item.create"]
    return [item["content"][0]["text"] for item in items if item.get("role") == "system"]
