"""Agents, numbers and the other sections over the API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.known import known
from tests.db.api import Api, open_api

KEY = "sk-proj-abcdefghijkl"
MCP = {"type": "mcp", "server_label": "crm", "server_url": "https://x.example", "authorization": "secret-of-the-crm"}


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as opened:
        yield opened


async def an_agent(api: Api, name: str = "sales", **config: object) -> httpx.Response:
    made = await api.ask("POST", "/agents", json={"name": name, "config": config})
    assert made.status_code == 201, made.text
    return made


async def test_an_agent_is_made_read_replaced_changed_and_deleted(api: Api):
    made = await an_agent(api, voice="cedar")
    assert made.headers["location"] == "/api/v1/agents/sales"
    assert (made.json()["version"], made.headers["etag"]) == (1, '"1"')
    assert made.json()["updated_by"] == "the tester's (API key)"

    read = await api.ask("GET", "/agents/sales")
    assert read.json() == made.json()
    assert read.json()["config"]["voice"] == "cedar"

    replaced = await api.ask("PUT", "/agents/sales", json={"config": {"greeting": "Hi."}, "note": "shorter"})
    assert (replaced.status_code, replaced.json()["config"]["voice"]) == (200, "marin")

    changed = await api.ask("PATCH", "/agents/sales", json={"config": {"voice": "cedar", "greeting": None}})
    assert changed.json()["config"] | {"voice": "cedar", "greeting": None} == changed.json()["config"]
    assert api.store.agent("sales").voice == "cedar"

    assert (await api.ask("DELETE", "/agents/sales")).status_code == 204
    gone = await api.ask("GET", "/agents/sales")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


async def test_a_second_agent_of_one_name_is_refused(api: Api):
    await an_agent(api)
    again = await api.ask("POST", "/agents", json={"name": "sales", "config": {}})
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")


async def test_a_put_of_what_is_not_there_makes_it(api: Api):
    made = await api.ask("PUT", "/agents/new", json={"config": {}}, headers={"If-None-Match": "*"})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    again = await api.ask("PUT", "/agents/new", json={"config": {}}, headers={"If-None-Match": "*"})
    assert (again.status_code, again.json()["code"]) == (412, "version_conflict")


@pytest.mark.parametrize(
    ("header", "status"),
    [('"1"', 412), ('"2"', 200), ('"1", "2"', 200), ("*", 200), ('W/"2"', 412), ("2", 422), ('"2', 422)],
)
async def test_a_write_over_another_version_than_the_one_seen_is_refused(api: Api, header: str, status: int):
    await an_agent(api)
    await api.ask("PUT", "/agents/sales", json={"config": {}})

    for method in ("PATCH", "PUT"):
        answer = await api.ask(method, "/agents/sales", json={"config": {}}, headers={"If-Match": header})
        assert answer.status_code == status, answer.text
        header = header.replace('"2"', '"3"')  # what the first write made
    assert (await api.ask("DELETE", "/agents/none", headers={"If-Match": "*"})).status_code == 412


async def test_of_twenty_writers_who_saw_one_version_exactly_one_wins(api: Api):
    await an_agent(api)

    async def write(seen: int, speed: float) -> int:
        headers = {"If-Match": f'"{seen}"'}
        answer = await api.ask("PATCH", "/agents/sales", json={"config": {"speed": speed}}, headers=headers)
        return answer.status_code

    for version in (1, 2):
        statuses = await asyncio.gather(*(write(version, 1 + number / 100) for number in range(20)))
        assert sorted(statuses) == [200] + [412] * 19
    assert (await api.ask("GET", "/agents/sales")).json()["version"] == 3


async def test_a_reader_who_has_the_version_is_told_so(api: Api):
    await an_agent(api)
    known_already = await api.ask("GET", "/agents/sales", headers={"If-None-Match": '"1"'})
    assert (known_already.status_code, known_already.content) == (304, b"")
    assert (await api.ask("GET", "/agents/sales", headers={"If-None-Match": '"7"'})).status_code == 200


async def test_versions_tell_who_wrote_what_why_and_each_can_be_restored(api: Api):
    await an_agent(api, voice="cedar")
    await api.ask("PATCH", "/agents/sales", json={"config": {"voice": "marin"}, "note": "too deep"})
    await api.ask("DELETE", "/agents/sales")

    page = (await api.ask("GET", "/agents/sales/versions")).json()
    assert [(line["version"], line["note"], line["deleted"]) for line in page["data"]] == [
        (3, None, True),
        (2, "too deep", False),
        (1, None, False),
    ]
    assert (await api.ask("GET", "/agents/sales/versions/1")).json()["config"]["voice"] == "cedar"
    assert (await api.ask("GET", "/agents/sales/versions/3")).json()["config"] is None

    back = await api.ask("POST", "/agents/sales/versions/1/restore")
    assert (back.status_code, back.json()["version"], back.json()["config"]["voice"]) == (200, 4, "cedar")
    [newest, *_] = (await api.ask("GET", "/agents/sales/versions")).json()["data"]
    assert newest["note"] == "version 1 restored"
    assert (await api.ask("POST", "/agents/sales/versions/3/restore")).status_code == 422
    assert (await api.ask("POST", "/agents/sales/versions/9/restore")).status_code == 404
    assert (await api.ask("GET", "/agents/nobody/versions")).status_code == 404


async def test_lists_come_in_pages_without_gaps_or_repeats(api: Api):
    for name in ("a", "B", "c", "é", "d e"):
        await an_agent(api, name)
    names, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.ask("GET", "/agents", params=params)).json()
        names += [agent["name"] for agent in page["data"]]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not (cursor := page["next_cursor"]):
            break
    assert names == sorted(("a", "B", "c", "é", "d e"))

    for _ in range(3):
        await api.ask("PUT", "/agents/a", json={"config": {}})
    first = (await api.ask("GET", "/agents/a/versions", params={"limit": 3})).json()
    rest = (await api.ask("GET", "/agents/a/versions", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [line["version"] for line in first["data"] + rest["data"]] == [4, 3, 2, 1]
    for cursor in ("x", "bm9wZQ", "WyIxIiwiMiJd"):
        assert (await api.ask("GET", "/agents", params={"cursor": cursor})).json()["code"] == "cursor_invalid"


async def test_checking_says_what_saving_would_say_and_saves_nothing(api: Api):
    old = {"config": {"voice": "cedar", "max_response_output_tokens": 200}}
    checked = await api.ask("POST", "/agents/sales/check", json=old)
    assert checked.status_code == 200, checked.text
    assert (await api.ask("GET", "/agents/sales")).status_code == 404

    wrong = {"config": {"turn_detection": {"type": "server_vad", "threshold": 7}, "voise": "x"}}
    answers = [
        await api.ask("POST", "/agents/sales/check", json=wrong),
        await api.ask("PUT", "/agents/sales", json=wrong),
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json() == answers[1].json()
    assert [error["path"] for error in answers[0].json()["errors"]] == [
        "config.turn_detection.threshold",
        "config.voise",
    ]

    saved = await api.ask("PUT", "/agents/sales", json=old)
    assert saved.json()["warnings"] == checked.json()["warnings"] != []
    assert saved.json()["config"] == checked.json()["config"]


async def test_an_agent_that_would_hand_over_to_nobody_is_saved_with_a_warning(api: Api):
    tool = {"type": "switch_agent", "agents": {"desk": "", "billing": "", "sales": ""}}
    await api.ask("PUT", "/agents/billing", json={"config": {}})
    saved = await api.ask("PUT", "/agents/desk", json={"config": {"tools": [tool]}})
    assert saved.json()["warnings"] == [
        "agent/desk: tools.0.agents: there is no agent sales yet: nobody would take over"
    ]


async def test_the_compiled_session_is_shown_without_secrets(api: Api):
    await an_agent(api, voice="cedar", tools=[MCP])
    shown = await api.ask("GET", "/agents/sales/session")
    assert shown.json()["type"] == "session.update"
    assert shown.json()["session"]["audio"]["output"]["voice"] == "cedar"
    assert "secret-of-the-crm" not in shown.text


async def test_null_in_a_patch_is_the_default_or_the_null_that_a_field_knows(api: Api):
    await an_agent(api, voice="cedar", recording={"retention_days": 9})
    patch = {"voice": None, "noise_reduction": None, "recording": {"transcription": None}}
    changed = (await api.ask("PATCH", "/agents/sales", json={"config": patch})).json()["config"]
    assert (changed["voice"], changed["noise_reduction"]) == ("marin", None)
    assert (changed["recording"]["transcription"], changed["recording"]["retention_days"]) == (None, 9)


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"recording": {"delete_at_twilio": "yes"}}, "config.recording.delete_at_twilio"),
        ({"speed": "1.2"}, "config.speed"),
        ({"speaks_first": 1}, "config.speaks_first"),
        ({"max_call_seconds": "60"}, "config.max_call_seconds"),
    ],
)
async def test_a_value_of_another_type_is_refused_and_not_guessed_at(api: Api, config: dict[str, object], path: str):
    for method in ("PUT", "PATCH"):
        await api.ask("PUT", "/agents/a", json={"config": {}})
        refused = await api.ask(method, "/agents/a", json={"config": config})
        assert (refused.status_code, [error["path"] for error in refused.json()["errors"]]) == (422, [path])


async def test_secrets_are_written_and_never_read(api: Api, engine: AsyncEngine):
    made = await api.ask("PUT", "/config/openai/default", json={"config": {"openai_api_key": KEY, "project": "p"}})
    assert made.json()["config"]["openai_api_key"] == "****ijkl"

    shown = (await api.ask("GET", "/config/openai/default")).json()["config"]
    await api.ask("PUT", "/config/openai/default", json={"config": shown | {"organization": "o"}})
    await api.ask("PATCH", "/config/openai/default", json={"config": {"project": None}})
    assert api.store.openai().openai_api_key.get_secret_value() == KEY
    assert (api.store.openai().organization, api.store.openai().project) == ("o", None)

    await an_agent(api, tools=[MCP])
    answers = [
        await api.ask("GET", path)
        for path in (
            "/config/openai",
            "/config/openai/default/versions/1",
            "/audit",
            "/agents",
            "/agents/sales/versions/1",
        )
    ]
    assert all(answer.is_success for answer in answers)
    assert not [answer for answer in answers if KEY in answer.text or MCP["authorization"] in answer.text]
    async with engine.connect() as connection:
        assert KEY not in str((await connection.execute(text("select audit_log::text from audit_log"))).all())


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_tools_secret_that_is_left_out_stays(api: Api, method: str):
    await an_agent(api, tools=[MCP])
    bare = {name: value for name, value in MCP.items() if name != "authorization"}
    changed = {"config": {"tools": [{"type": "end_call"}, bare | {"server_description": "the CRM"}]}}
    [_, tool] = (await api.ask(method, "/agents/sales", json=changed)).json()["config"]["tools"]
    assert (tool["authorization"], tool["server_description"]) == ("****-crm", "the CRM")
    gone = {"config": {"tools": [bare | {"authorization": None}]}}
    [tool] = (await api.ask(method, "/agents/sales", json=gone)).json()["config"]["tools"]
    assert tool["authorization"] is None


@pytest.mark.parametrize("section", ["limits", "prices", "outbound"])
async def test_a_single_row_that_nobody_wrote_is_read_as_its_defaults_and_can_be_changed(api: Api, section: str):
    place = f"/config/{section}/default"
    unwritten = await api.ask("GET", place)
    assert (unwritten.status_code, unwritten.headers["ETag"]) == (200, '"0"')
    assert {name: unwritten.json()[name] for name in ("version", "updated_at", "updated_by")} == {
        "version": 0,
        "updated_at": None,
        "updated_by": None,
    }
    assert (await api.ask("GET", f"/config/{section}")).json()["data"] == [unwritten.json()]
    assert (await api.ask("GET", place, headers={"If-None-Match": '"0"'})).status_code == 304

    patch = {"limits": {"calls": 7}, "prices": {"models": {}}, "outbound": {"ring_seconds": 7}}[section]
    stale = await api.ask("PATCH", place, json={"config": patch}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    changed = await api.ask("PATCH", place, json={"config": patch}, headers={"If-Match": '"0"'})
    assert (changed.status_code, changed.json()["version"]) == (200, 1)
    assert changed.json()["config"] == unwritten.json()["config"] | patch
    late = await api.ask("PATCH", place, json={"config": patch}, headers={"If-Match": '"0"'})
    assert late.status_code == 412

    assert (await api.ask("DELETE", place)).status_code == 204
    assert (await api.ask("GET", place)).json() == unwritten.json()
    assert (await api.ask("DELETE", place)).status_code == 404


async def test_a_change_of_another_row_that_is_not_there_is_refused(api: Api):
    for place in ("/config/openai/default", "/agents/sales", "/numbers/default"):
        assert (await api.ask("PATCH", place, json={"config": {}})).status_code == 404


async def test_a_wrong_secret_is_not_repeated_in_its_refusal(api: Api):
    wrong = {"config": {"openai_api_key": ["sk-in-a-list"], "sk-as-a-name": 1}, "note": 7}
    refused = await api.ask("PUT", "/config/openai/default", json={"config": wrong["config"]})
    assert refused.status_code == 422
    assert "sk-in-a-list" not in refused.text


async def test_an_agent_that_answers_a_number_stays(api: Api):
    await an_agent(api)
    await an_agent(api, "night")
    hours = {"zone": "Europe/Zurich", "closed_agent": "night"}
    number = {"config": {"agent": "sales", "hours": hours}}
    assert (await api.ask("PUT", "/numbers/+15551234567", json=number)).status_code == 201

    for agent in ("sales", "night"):
        kept = await api.ask("DELETE", f"/agents/{agent}")
        assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
        assert "+15551234567" in kept.json()["detail"]
    missing = await api.ask("PATCH", "/numbers/+15551234567", json={"config": {"hours": {"closed_agent": "nobody"}}})
    assert [error["path"] for error in missing.json()["errors"]] == ["config.hours.closed_agent"]

    assert (await api.ask("PATCH", "/numbers/+15551234567", json={"config": {"hours": None}})).status_code == 200
    assert (await api.ask("DELETE", "/agents/night")).status_code == 204


@pytest.mark.parametrize("name", ["5551234567", "+1555", "+999999999999999", "Default", "%00"])
async def test_what_is_no_number_has_no_row(api: Api, name: str):
    await an_agent(api)
    assert (await api.ask("PUT", f"/numbers/{name}", json={"config": {"agent": "sales"}})).status_code == 422


async def test_a_row_that_cannot_be_read_is_shown_as_it_is_and_can_be_replaced(
    api: Api, engine: AsyncEngine, tmp_path: Path
):
    other = ConfStore(engine, KeyRing(["w" * 32]), known(), tmp_path)
    await other.put("openai", "default", {"openai_api_key": KEY, "project": "p"}, by="me")

    page = (await api.ask("GET", "/config/openai")).json()
    assert page["data"][0]["config"] == {"openai_api_key": "****", "project": "p"}
    assert "SECRET_KEY" in page["data"][0]["trouble"]
    assert (await api.ask("PATCH", "/config/openai/default", json={"config": {}})).json()["code"] == "unreadable"
    replaced = await api.ask("PUT", "/config/openai/default", json={"config": {"openai_api_key": KEY}})
    assert (replaced.status_code, replaced.json()["trouble"]) == (200, None)
