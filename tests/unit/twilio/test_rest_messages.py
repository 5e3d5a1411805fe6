from urllib.parse import parse_qs

import httpx
import pytest

from app.errors import CarrierApiError
from app.twilio.rest_messages import MessagesRest
from tests.unit.twilio.accounts import OURS
from tests.unit.twilio.test_rest import Twilio, error


async def test_a_message_is_posted_once_and_known_by_its_sid():
    twilio = Twilio(httpx.Response(201, json={"sid": "SM1", "status": "queued"}))
    assert await MessagesRest(twilio.rest()).send("+15550199", "+15550100", "Hi") == "SM1"

    [request] = twilio.requests
    assert request.url.path == f"/2010-04-01/Accounts/{OURS}/Messages.json"
    assert parse_qs(request.content.decode()) == {"To": ["+15550199"], "From": ["+15550100"], "Body": ["Hi"]}


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (error(400, 21610), 400, 21610),
        (error(503, 20503), 503, 20503),
        (httpx.ConnectError("no"), None, None),
        (httpx.Response(201, text="hm"), None, None),
    ],
)
async def test_a_message_that_may_have_gone_is_never_sent_again(answer, status, code):
    twilio = Twilio(answer)
    with pytest.raises(CarrierApiError) as failed:
        await MessagesRest(twilio.rest()).send("+15550199", "+15550100", "Hi")
    assert (failed.value.status, failed.value.code, len(twilio.requests)) == (status, code, 1)
