from tests.unit.web.house import House


async def test_the_process_is_alive(house: House):
    house.conf.loaded = False

    assert (await house.request("GET", "/healthz")).status_code == 200


async def test_a_database_that_is_away_is_no_obstacle(house: House):
    assert (await house.request("GET", "/readyz")).json()["database"] == "ok"

    house.conf.fresh = False
    response = await house.request("GET", "/readyz")
    assert (response.status_code, response.json()["database"]) == (200, "away")


async def test_no_calls_are_taken_while_draining(house: House):
    house.calls.draining = True
    response = await house.request("GET", "/readyz")

    assert (response.status_code, response.json()["status"]) == (503, "draining")


async def test_no_calls_are_taken_without_a_configuration(house: House):
    house.conf.loaded = False
    response = await house.request("GET", "/readyz")

    assert (response.status_code, response.json()["status"]) == (503, "unconfigured")
