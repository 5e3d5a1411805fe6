"""Does what is configured work? Each test asks the service itself, for real, and changes nothing there."""

import asyncio
from datetime import UTC, datetime

from app.conf.models import OpenAICoreConf, TwilioCoreConf, WebhookConf
from app.errors import SessionUnavailable
from app.web.api import check_openai
from app.web.api.auth import Admin
from app.web.api.check_models import Check, TestResult, result
from app.web.api.check_twilio import check_account
from app.web.api.routing import api_router
from app.web.api.row_routes import House
from app.web.api.rows import RowName

router = api_router("config", "/config")


@router.post("/openai/{name}/test", name="test_openai_config")
async def try_openai(name: RowName, house: House, _: Admin) -> TestResult:
    """Ask OpenAI which models the key sees, whether those of our agents are among them, and when they end."""
    conf = await house.store.records.conf("openai", name)
    assert isinstance(conf, OpenAICoreConf)  # noqa: S101 - what that section holds
    agents = {
        each: agent
        for each, agent in house.store.agents().items()
        if (agent.provider, agent.account) == ("openai", name)
    }
    try:
        async with asyncio.timeout(house.outside.within_s):
            models = await house.outside.models(conf)
    except SessionUnavailable as error:
        return result(check_openai.unreachable(error))
    except TimeoutError:
        return result([Check(name="key", ok=False, detail="nobody can tell: OpenAI did not answer in time")])
    return result(check_openai.seen(models, agents, datetime.now(UTC).date()))


@router.post("/twilio/{name}/test", name="test_twilio_config")
async def try_twilio(name: RowName, house: House, _: Admin) -> TestResult:
    """Ask Twilio whether it accepts tokens and API key, how the account stands, and where its numbers ring."""
    conf = await house.store.records.conf("twilio", name)
    assert isinstance(conf, TwilioCoreConf)  # noqa: S101 - as above
    return result(await check_account(conf, house.outside.twilio, house.public_url))


@router.post("/webhook/{name}/test", name="test_webhook_config")
async def try_webhook(name: RowName, house: House, _: Admin) -> TestResult:
    """Send a signed `webhook.test` to the server, and see whether it takes it."""
    conf = await house.store.records.conf("webhook", name)
    assert isinstance(conf, WebhookConf)  # noqa: S101 - as above
    try:
        async with asyncio.timeout(house.outside.within_s):
            sent, tried = await house.outside.try_webhook(name, conf)
    except TimeoutError:
        detail = f"it did not answer within {house.outside.within_s:g} s"
        return result([Check(name="delivery", ok=False, detail=detail)])
    if tried.failure:
        return result([Check(name="delivery", ok=False, detail=f"it did not take the message: {tried.failure}")])
    return result([Check(name="delivery", ok=True, detail=f"it took {sent.id} with HTTP {tried.status}")])
