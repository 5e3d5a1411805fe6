"""Calls over REST, while the database is away."""

import pytest

from tests.unit.web.house import ADMIN_KEY, open_house

CALL = "/api/v1/calls/01900000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/calls"),
        ("GET", CALL),
        ("GET", f"{CALL}/events"),
        ("GET", f"{CALL}/transcript"),
        ("DELETE", CALL),
        ("GET", "/api/v1/calls/export?number=%2B1"),
        ("GET", "/api/v1/recordings/01900000-0000-7000-8000-000000000000/audio"),
    ],
)
async def test_without_a_database_it_is_said_at_once_and_clearly(method: str, path: str):
    async with open_house() as house:
        answer = await house.request(method, path, headers={"Authorization": f"Bearer {ADMIN_KEY}"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
