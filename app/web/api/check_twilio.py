"""Is the access to a Twilio account valid, and can its numbers ring here?"""

import asyncio
from collections.abc import Callable

from app.conf.models import TwilioCoreConf
from app.errors import CarrierError
from app.twilio.numbers import changes_for
from app.twilio.rest import TwilioRest
from app.twilio.rest_numbers import list_numbers, read_account
from app.web.api.check_models import Check


async def check_account(
    account: TwilioCoreConf, rest: Callable[[TwilioCoreConf], TwilioRest], public_url: str | None
) -> list[Check]:
    """Each auth token, the API key where there is one, the account's state, and its numbers."""
    tried = [rest(_with_token(account, place)) for place in range(len(account.auth_tokens))]
    async with asyncio.TaskGroup() as group:
        tokens = [group.create_task(_token(each, place)) for place, each in enumerate(tried, start=1)]
        numbers = group.create_task(_numbers(rest(account), public_url, api_key=account.api_key_sid is not None))
    return [check for task in tokens for check in task.result()] + numbers.result()


def _with_token(account: TwilioCoreConf, place: int) -> TwilioCoreConf:
    """The account as that one of its tokens opens it: tokens are tried even where REST uses an API key."""
    changes = {"auth_tokens": [account.auth_tokens[place]], "api_key_sid": None, "api_key_secret": None}
    return account.model_copy(update=changes)


async def _token(rest: TwilioRest, place: int) -> list[Check]:
    name = "auth_token" if place == 1 else f"auth_token_{place}"
    try:
        found = await read_account(rest)
    except CarrierError as error:
        return [Check(name=name, ok=False, detail=str(error))]
    accepted = Check(name=name, ok=True, detail="Twilio accepts it")
    if place > 1:
        return [accepted]
    kind = f" ({found.type.lower()})" if found.type else ""
    return [accepted, Check(name="account", ok=found.status == "active", detail=f"it is {found.status}{kind}")]


async def _numbers(rest: TwilioRest, public_url: str | None, *, api_key: bool) -> list[Check]:
    try:
        numbers = await list_numbers(rest)
    except CarrierError as error:
        return [Check(name="api_key" if api_key else "numbers", ok=False, detail=str(error))]
    checks = [Check(name="api_key", ok=True, detail="Twilio accepts it")] if api_key else []
    checks.append(Check(name="numbers", ok=bool(numbers), detail=f"the account has {len(numbers)}"))
    if public_url and numbers:
        here = sum(not changes_for(number, public_url) for number in numbers)
        checks.append(Check(name="webhooks", ok=here > 0, detail=f"{here} of {len(numbers)} send their calls here"))
    return checks
