"""Calls over REST: what was, and deleting it."""

from datetime import timedelta

from app.db.api_keys import add_key
from app.db.audit import Actor
from app.db.engine import db_session
from tests.db.test_calls import NOON
from tests.e2e.calls_api import Api, client, listed, over
from tests.e2e.rig import CALLER

REFUSED = [
    ("/calls/01900000-0000-7000-8000-000000000000", 404, "not_found"),
    ("/calls/01900000-0000-7000-8000-000000000000/events", 404, "not_found"),
    ("/calls/01900000-0000-7000-8000-000000000000/recordings", 404, "not_found"),
    ("/calls/01900000-0000-7000-8000-000000000000/transcript", 404, "not_found"),
    ("/recordings/01900000-0000-7000-8000-000000000000", 404, "not_found"),
    ("/recordings/01900000-0000-7000-8000-000000000000/audio", 404, "not_found"),
    ("/calls/export?number=%2B15550009999", 404, "not_found"),
    ("/calls/nonsense", 404, "not_found"),
    ("/calls/nonsense/events", 422, "invalid_request"),
    ("/calls?since=yesterday", 422, "invalid_request"),
    ("/calls?since=0001-01-01T00:00:00%2B14:00", 422, "invalid_request"),
    ("/calls?text=a%00b", 422, "invalid_request"),
    ("/calls?limit=101", 422, "invalid_request"),
    ("/calls?status=asleep", 422, "invalid_request"),
]


async def test_a_call_is_told_whole(api: Api):
    call = await api.house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    record, _ = await api.house.settled(call)

    [line] = (await api.get("/calls", params={"number": CALLER})).json()["data"]
    shown = (await api.get(f"/calls/{record.id}")).json()
    assert line["id"] == shown["id"] == record.id
    assert (shown["status"], shown["end_reason"]) == ("ended", "caller_hangup")
    assert [(turn["speaker"], turn["said"]) for turn in shown["turns"]] == [("agent", "Hello there.")]
    assert shown["session"] == record.session
    assert shown["usage"]["total_tokens"] > 0
    assert shown["duration_ms"] > 0


async def test_pages_follow_their_cursor_and_a_forged_one_is_refused(api: Api):
    calls = [over(started_at=NOON + timedelta(minutes=minutes)) for minutes in range(5)]
    for call in calls:
        await api.keep(call)
    seen, params = [], {"limit": "2"}
    while True:
        page = (await api.get("/calls", params=params)).json()
        seen += [call["id"] for call in page["data"]]
        if not page["has_more"]:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == [call.id for call in reversed(calls)]

    for forged in ("x", "WyJhIiwiYiJd", page["next_cursor"] or "e30"):
        answer = await api.get("/calls", params={"cursor": forged})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_what_is_not_there_or_not_understood_is_said_so(api: Api):
    for path, status, code in REFUSED:
        answer = await api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path


async def test_a_plus_that_nobody_escaped_is_understood(api: Api):
    await api.keep(over())
    assert len((await api.get("/calls?number=+15550000001")).json()["data"]) == 1


async def test_deleting_everything_of_a_number_wants_to_be_confirmed(api: Api):
    call = over()
    await api.keep(call)
    number = {"number": call.from_number}
    refused = await api.http.delete("/api/v1/calls", params=number)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "query.confirm")
    assert (await api.get(f"/calls/{call.id}")).status_code == 200

    gone = await api.http.delete("/api/v1/calls", params=number | {"confirm": "true"})
    assert gone.json() == {"calls": 1, "recordings": 0, "live": 0}
    assert (await api.get(f"/calls/{call.id}")).status_code == 404


async def test_a_call_that_goes_on_is_not_deleted(api: Api):
    call = await api.house.ring()
    await call.wait_heard(300)
    line = await listed(api)
    answer = await api.http.delete(f"/api/v1/calls/{line['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "call_is_live")
    await call.hang_up()
    record, _ = await api.house.settled(call)
    assert (await api.http.delete(f"/api/v1/calls/{record.id}")).status_code == 204
    assert (await api.http.delete(f"/api/v1/calls/{record.id}")).status_code == 404


async def test_a_reading_key_reads_and_does_nothing_else(api: Api):
    call = over()
    await api.keep(call)
    recording = await api.record(call)
    async with db_session(api.house.engine) as db:
        _, reading = await add_key(db, "reads", {"read"}, who=Actor("test"))
    async with client(api.house.url, reading) as http:
        assert (await http.get(f"/api/v1/calls/{call.id}")).status_code == 200
        for method, path in (
            ("DELETE", f"/calls/{call.id}"),
            ("DELETE", "/calls?number=%2B1&confirm=true"),
            ("POST", f"/recordings/{recording}/transcribe"),
        ):
            answer = await http.request(method, f"/api/v1{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path
