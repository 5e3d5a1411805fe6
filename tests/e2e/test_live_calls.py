"""Acting on calls that go on: over the API of another server than the one that carries them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from app.call.events import Kind, NumberedEvent
from app.call.operator import FAILED
from app.call.status import EndReason
from app.sandbox.openai.brain import Heard, Reply, Say
from app.sandbox.twilio import EndCause, SandboxCall
from app.sandbox.twilio.timeline import Dialled, VerbStarted
from tests.e2e.calls_api import SHARED, client
from tests.e2e.rig import ACCOUNT_SID, AUTH_TOKEN, CALLED, Rig, open_rig
from tests.e2e.test_reconnect import of_kind

HELLO = Reply.of(Say.words("Hello.", 400))
WORDS = Reply.of(Say.words("Those words.", 800))
COLLEAGUE, FALLBACK, STRANGER = "+15550100777", "+15550100999", "+442079460000"


@dataclass
class Served:
    """A call that has been greeted, the server that carries it, and both servers' APIs."""

    house: Rig
    call: SandboxCall
    call_id: str
    here: httpx.AsyncClient
    elsewhere: httpx.AsyncClient

    async def order(self, command: str, *, at: httpx.AsyncClient | None = None, **body: object) -> httpx.Response:
        path = f"/api/v1/calls/{self.call_id}/{command}"
        return await (at or self.elsewhere).post(path, json=body) if body else await (at or self.elsewhere).post(path)

    async def done(self, command: str, outcome: str = "done", **body: object) -> None:
        answer = await self.order(command, **body)
        assert (answer.status_code, answer.json().get("outcome")) == (200, outcome), answer.text
        assert answer.json()["call_id"] == self.call_id

    def said_to_model(self) -> list[tuple[str, str]]:
        session = self.house.openai.sessions[-1]
        items = [event["item"] for event in session.received if event["type"] == "conversation.item.create"]
        return [(item["role"], item["content"][0]["text"]) for item in items if item["type"] == "message"]

    async def over(self) -> tuple[EndReason | None, list[NumberedEvent]]:
        record, events = await self.house.settled(self.call)
        return record.end_reason, events


class Obliging:
    """Greets whoever calls, and says something whenever it is asked to."""

    def answer(self, heard: Heard) -> Reply:
        return HELLO if heard.why == "start" else WORDS


@pytest.fixture(scope="module")
async def servers(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Rig, Rig]]:
    """Two servers on one database, for all tests of this module: one carries their calls."""
    homes = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    async with (
        open_rig(database_url, homes[0], Obliging(), agent={"fallback": {"number": FALLBACK}}, **SHARED) as one,
        open_rig(database_url, homes[1], Obliging(), **SHARED) as two,
    ):
        account = {"account_sid": ACCOUNT_SID, "auth_tokens": [AUTH_TOKEN], "allowed_dial_prefixes": ["+15550100777"]}
        await one.put("twilio", "default", account)
        await one.put("limits", "default", {"calls_per_caller_per_minute": None})
        yield one, two


@pytest.fixture
async def live(servers: tuple[Rig, Rig]) -> AsyncIterator[Served]:
    """A new call, greeted."""
    house, other = servers
    async with client(house.url) as here, client(other.url) as elsewhere:
        call = await house.ring()
        await call.wait_heard(400)
        async with asyncio.timeout(5):
            while not (found := (await elsewhere.get("/api/v1/calls?status=live")).json()["data"]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield Served(house, call, found[0]["id"], here, elsewhere)
        if not call.over:
            await call.hang_up()


def told(events: list[NumberedEvent]) -> list[dict]:
    return [event.data for event in events if event.kind == Kind.OPERATOR_COMMAND]


def dialled(call: SandboxCall) -> list[str]:
    return [moment.number for moment in call.timeline if isinstance(moment, Dialled)]


async def test_words_texts_and_instructions_reach_the_model_and_the_caller(live: Served):
    await live.done("say", text="One moment, please.")
    await live.call.wait_heard(1200)
    await live.done("text", text="The parcel was sent.", role="system", respond=False)
    await live.done("text", text="Hurry up.")
    await live.call.wait_heard(2000)
    await live.done("instructions", instructions="Speak only of refunds.")
    session = live.house.openai.sessions[-1]
    async with asyncio.timeout(5):
        while session.config["instructions"] != "Speak only of refunds.":  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)
    await live.call.hang_up()
    reason, events = await live.over()

    creates = [event for event in session.received if event["type"] == "response.create"]
    assert len(creates) == 3  # the greeting, the words, and one of two texts
    [(role, words), quiet, loud] = live.said_to_model()
    assert (role, "One moment, please." in words) == ("system", True)
    assert [quiet, loud] == [("system", "The parcel was sent."), ("user", "Hurry up.")]
    assert reason is EndReason.CALLER_HANGUP
    assert [each["action"] for each in told(events)] == ["say", "send_text", "send_text", "update_instructions"]
    assert {each["by"] for each in told(events)} == {"first admin key (API key)"}
    audit = (await live.here.get("/api/v1/audit", params={"subject": f"call/{live.call_id}"})).json()["data"]
    assert [entry["action"] for entry in audit] == ["update_instructions", "send_text", "send_text", "say"]


async def test_a_stuck_session_is_replaced_by_one_that_knows_the_conversation(live: Served):
    before = len(live.house.openai.sessions)
    await live.done("session/restart")
    await live.house.openai.session(before)
    await live.call.wait_for(lambda _: bool(of_kind(live.house.told, Kind.MODEL_RECONNECTED)))
    await live.done("say", text="Anything.")
    await live.call.wait_heard(1200)
    assert live.said_to_model()[0] == ("assistant", "Hello.")
    await live.done("hangup")
    _, events = await live.over()
    [again] = of_kind(events, Kind.MODEL_RECONNECTED)
    assert again.data["reason"] == "operator"


async def test_a_call_is_hung_up_from_elsewhere_and_once_only(live: Served):
    await live.done("hangup")
    reason, events = await live.over()
    assert (reason, live.call.end_cause) == (EndReason.OPERATOR, EndCause.REST)
    assert [each["action"] for each in told(events)] == ["hang_up"]
    for at in (live.here, live.elsewhere):
        again = await live.order("hangup", at=at)
        assert (again.status_code, again.json()["code"]) == (409, "call_not_live")


async def test_a_message_is_heard_before_the_line_closes(live: Served):
    await live.done("hangup", "under_way", message="We are closing now.")
    reason, _ = await live.over()
    assert reason is EndReason.OPERATOR
    assert live.call.heard_ms == 1200
    assert "We are closing now." in live.said_to_model()[0][1]


async def test_a_caller_is_put_through_and_hears_that_first(live: Served):
    await live.done("transfer", "under_way", to=COLLEAGUE, announce="I will put you through.")
    reason, events = await live.over()
    assert reason is EndReason.TRANSFERRED
    assert live.call.heard_ms == 1200
    assert dialled(live.call) == [COLLEAGUE]
    [dial] = [
        moment.verb for moment in live.call.timeline if isinstance(moment, VerbStarted) and moment.verb.name == "Dial"
    ]
    assert (dial.get("callerId"), dial.get("timeLimit")) == (CALLED, "3600")
    assert not live.call.warnings
    kinds = [event.kind for event in events]
    assert kinds.index(Kind.OPERATOR_COMMAND) < kinds.index(Kind.TRANSFER_STARTED) < kinds.index(Kind.CALL_ENDED)


@pytest.mark.parametrize("to", [COLLEAGUE, FALLBACK])
async def test_a_transfer_that_twilio_agrees_to_is_no_hang_up_of_the_caller(live: Served, to: str):
    await live.done("transfer", to=to)
    reason, _ = await live.over()
    assert (reason, dialled(live.call)) == (EndReason.TRANSFERRED, [to])


async def test_nobody_is_put_through_to_a_number_that_is_not_allowed(live: Served):
    for to, code in [
        (STRANGER, "destination_not_allowed"),
        ("+19005550100", "premium_number"),
        ("+1555", "invalid_request"),
        ("+15550", "number_not_e164"),
        ("sip:a@example.com", "invalid_request"),
        ("client:me", "invalid_request"),
    ]:
        refused = await live.order("transfer", to=to)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    await live.call.hang_up()
    reason, events = await live.over()
    assert (reason, dialled(live.call)) == (EndReason.CALLER_HANGUP, [])
    assert [each["refused"] for each in told(events)] == [
        "destination_not_allowed",
        "premium_number",
        "number_not_e164",
    ]


async def test_a_transfer_that_twilio_refuses_leaves_the_caller_with_the_agent(live: Served):
    live.house.twilio.fail_rest(400, times=2)
    refused = await live.order("transfer", to=COLLEAGUE)
    assert (refused.status_code, refused.json()["code"]) == (502, "carrier_refused")
    assert (await live.elsewhere.get(f"/api/v1/calls/{live.call_id}")).json()["end_reason"] is None

    await live.done("transfer", "under_way", to=COLLEAGUE, announce="I will put you through.")
    await live.call.wait_heard(2000)  # the announcement, and what the agent says of its failure
    assert ("system", FAILED) in live.said_to_model()
    await live.done("say", text="Still here.")
    await live.call.wait_heard(2800)
    await live.call.hang_up()
    reason, events = await live.over()
    assert (reason, dialled(live.call)) == (EndReason.CALLER_HANGUP, [])
    assert [event.kind for event in events].count(Kind.TRANSFER_FAILED) == 2


async def test_a_recording_is_paused_and_resumed_once_each(live: Served):
    await live.done("recording/resume", "unchanged")
    await live.done("recording/pause")
    await live.done("recording/pause", "unchanged")
    await live.done("recording/resume")
    await live.call.hang_up()
    _, events = await live.over()
    kinds = [event.kind for event in events if event.kind.startswith("recording.")]
    assert kinds == [Kind.RECORDING_STARTED, Kind.RECORDING_PAUSED, Kind.RECORDING_RESUMED]


@asynccontextmanager
async def no_database(url: str) -> AsyncIterator[None]:
    """Nobody reaches the database as long as the block lasts."""
    name = make_url(url).database
    there = make_url(url).set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    link = await asyncpg.connect(there)
    try:
        await link.execute(f"alter database {name} allow_connections false")
        await link.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")  # noqa: S608
        yield
    finally:
        await link.execute(f"alter database {name} allow_connections true")
        await link.close()


async def test_with_the_database_away_a_call_is_hung_up_where_it_is(live: Served, database_url: str):
    assert (await live.here.get("/api/v1/calls")).status_code == 200  # the key has been seen here
    async with no_database(database_url):
        away = await live.order("hangup")
        assert (away.status_code, away.json()["code"]) == (503, "database_away")
        done = await live.order("hangup", at=live.here)
        assert (done.status_code, done.json()["outcome"]) == (200, "done")
        await live.call.wait_ended()
    reason, _ = await live.over()
    assert reason is EndReason.OPERATOR


async def test_only_keys_with_the_scope_calls_may_act_and_only_on_calls_that_there_are(live: Served):
    made = (await live.here.post("/api/v1/keys", json={"name": "reader", "scopes": ["read", "write"]})).json()
    async with client(str(live.here.base_url), made["key"]) as reader:
        refused = await live.order("hangup", at=reader)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    unknown = await live.here.post("/api/v1/calls/01900000-0000-7000-8000-000000000000/say", json={"text": "Hi"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    for body in ({"text": " "}, {"text": "x" * 1001}, {"text": "Hi", "loud": True}, {}):
        assert (await live.here.post(f"/api/v1/calls/{live.call_id}/say", json=body)).status_code == 422
    await live.call.hang_up()
    _, events = await live.over()
    assert told(events) == []
