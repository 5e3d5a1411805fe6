"""The list of models, as an account gets it."""

from datetime import date

import httpx
import pytest
from pydantic import SecretStr

from app.conf.models import OpenAICoreConf
from app.errors import SessionUnavailable
from app.openai.models import ListedModel, list_models

ACCESS = OpenAICoreConf(openai_api_key=SecretStr("sk-secret"), project="proj_1")


async def listed(answer: httpx.Response | Exception) -> tuple[list[ListedModel], httpx.Request]:
    asked = []

    async def openai(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(openai)) as client:
        found = await list_models(client, ACCESS, base_url="https://api.example.com/v1/", within_s=1)
    return found, asked[0]


@pytest.mark.parametrize(
    ("told", "last_day"),
    [
        ("2027-01-20", date(2027, 1, 20)),
        ("2027-01-20T00:00:00Z", date(2027, 1, 20)),
        (1_800_403_200, date(2027, 1, 20)),
        (None, None),
        ("soon", None),
        (1e30, None),
        ([1], None),
    ],
)
async def test_a_last_day_is_read_in_whatever_form_it_comes(told, last_day):
    body = {"data": [{"id": "a", "shutdown_date": told}, {"id": "b"}]}
    found, request = await listed(httpx.Response(200, json=body))
    assert found == [ListedModel("a", last_day), ListedModel("b")]
    assert (str(request.url), request.headers["openai-project"]) == ("https://api.example.com/v1/models", "proj_1")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(401, json={"error": {"message": "Incorrect API key: sk-secret"}}), "http_401"),
        (httpx.Response(200, text="<html>"), "unreadable"),
        (httpx.Response(200, json={"data": ["a"]}), "unreadable"),
        (httpx.ConnectTimeout("no"), "unreachable"),
    ],
)
async def test_what_is_no_list_has_a_reason_without_the_key(answer, code):
    with pytest.raises(SessionUnavailable) as caught:
        await listed(answer)
    assert (caught.value.code, "sk-secret" in str(caught.value)) == (code, False)
