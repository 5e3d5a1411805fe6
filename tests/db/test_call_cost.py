"""What a call cost, over the API."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import NumberedEvent
from app.db.calls import record_call
from app.db.engine import db_session
from tests.db.api import Api, open_api
from tests.db.test_calls import NOON, a_call, ended

USAGE = {
    "input_token_details": {"text_tokens": 1000, "audio_tokens": 100},
    "output_token_details": {"text_tokens": 0, "audio_tokens": 50},
}
EVENTS = [NumberedEvent(1, "response.done", 900, {"status": "completed", "reason": None, "usage": USAGE})]


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as opened:
        yield opened


async def cost_of_a_call(api: Api, model: str) -> dict:
    call = replace(ended(a_call()), session={"model": model}, ended_at=NOON + timedelta(seconds=90))
    async with db_session(api.engine) as db:
        await record_call(db, call, EVENTS)
    shown = await api.ask("GET", f"/calls/{call.id}")
    assert shown.status_code == 200, shown.text
    return shown.json()["cost"]


async def test_a_call_shows_what_each_answer_and_all_of_it_cost(api: Api):
    prices = {"telephony": {"inbound_usd_per_minute": 0.01, "media_stream_usd_per_minute": 0}}
    assert (await api.ask("PUT", "/config/prices/default", json={"config": prices})).status_code == 201
    cost = await cost_of_a_call(api, "gpt-realtime-2.1")
    # (1000 x 4 + 100 x 32 + 50 x 64) / 1e6 = 0.0104, and two minutes that have begun
    assert [(each["at_ms"], each["usd"], each["tokens"]["audio_in"]) for each in cost["answers"]] == [
        (900, 0.0104, 100)
    ]
    assert (cost["realtime_usd"], cost["telephony_usd"], cost["total_usd"]) == (0.0104, 0.02, 0.0304)
    assert (cost["unknown"], cost["estimated"]) == ([], [])
    # each of the two minutes when it begins
    assert cost["curve"] == [
        {"at_ms": 0, "usd": 0.01}, {"at_ms": 900, "usd": 0.0204}, {"at_ms": 60_000, "usd": 0.0304},
    ]  # fmt: skip


async def test_a_line_that_nobody_priced_is_an_estimate_and_says_so(api: Api):
    cost = await cost_of_a_call(api, "gpt-realtime-2.1")
    assert cost["telephony_usd"] == 0.025  # 2 x (0.0085 + 0.004)
    assert ["US numbers" in part for part in cost["estimated"]] == [True]


async def test_an_operators_price_counts_and_what_has_none_says_so(api: Api):
    unknown = await cost_of_a_call(api, "my-deployment")
    assert (unknown["realtime_usd"], unknown["answers"][0]["usd"]) == (None, None)
    assert any("my-deployment" in reason for reason in unknown["unknown"])

    tokens = {"text_in": 1, "text_cached": 0, "text_out": 0, "audio_in": 0, "audio_cached": 0, "audio_out": 2}
    await api.ask("PUT", "/config/prices/default", json={"config": {"models": {"my-deployment": tokens}}})
    assert (await cost_of_a_call(api, "my-deployment"))["realtime_usd"] == 0.0011


async def test_limits_and_prices_have_one_row_each(api: Api):
    for section in ("limits", "prices"):
        made = await api.ask("PUT", f"/config/{section}/default", json={"config": {}})
        assert made.status_code == 201, made.text
        assert (await api.ask("PUT", f"/config/{section}/other", json={"config": {}})).status_code == 422
    wrong = await api.ask("PATCH", "/config/limits/default", json={"config": {"calls_per_caller": 0}})
    assert [fault["path"] for fault in wrong.json()["errors"]] == ["config.calls_per_caller"]
