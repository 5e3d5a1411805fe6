"""Everything the doctor looks at, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console

from app.conf.models import DEFAULT
from app.conf.opening import Opened, open_store
from app.doctor import checks, speech, webhooks
from app.doctor.python_tools import python_tools
from app.doctor.report import Check
from app.errors import CarrierError, ConfError, DatabaseError, SecretsError
from app.known import known
from app.openai.constants import OPENAI_TRANSCRIPTION_URL
from app.settings import Settings
from app.timing import Deadlines
from app.tools.python.load import load_functions
from app.twilio.numbers import PhoneNumber
from app.twilio.rest import TwilioRest, new_client
from app.twilio.rest_numbers import list_numbers


@dataclass(frozen=True, slots=True)
class Live:
    """What is tried for real."""

    agent: str = DEFAULT
    transcription_url: str = OPENAI_TRANSCRIPTION_URL
    save: Path | None = None
    """Where the spoken answer is kept."""


async def examine(settings: Settings, console: Console, live: Live | None = None) -> list[Check]:
    """Everything the doctor can find out; with `live` also by asking the other ends."""
    found = [checks.public_url(settings.public_url)]
    functions = load_functions(settings.tools_folder)
    found += python_tools(functions)
    build = known(functions, settings.max_calls)
    try:
        async with open_store(settings, build, strict=False) as opened:
            found += await checks.database(opened, build)
            found += checks.rows(opened.store, build, datetime.now(UTC).date())
            if live:
                async with new_client() as client:
                    found += await _speech(opened, settings, live, client, console)
                    found += await _webhooks(opened, settings, client)
    except DatabaseError as error:
        found.append(Check("database", "problem", str(error)))
    except SecretsError as error:
        found.append(Check("key ring", "problem", str(error)))
    return found


async def _speech(
    opened: Opened, settings: Settings, live: Live, client: httpx.AsyncClient, console: Console
) -> list[Check]:
    try:
        agent = opened.store.agent(live.agent)
        core_conf = opened.store.openai(agent.account)
    except ConfError as error:
        return [Check("session", "problem", str(error))]
    found, voice = await speech.session(agent, core_conf, settings.openai_realtime_base_url, console)
    if live.save and voice:
        live.save.write_bytes(speech.wav(voice))
    return [*found, await speech.transcription(client, core_conf, live.transcription_url)]


async def _webhooks(opened: Opened, settings: Settings, client: httpx.AsyncClient) -> Sequence[Check]:
    """Where our numbers send their calls; nothing where there is no account, which is a finding of its own."""
    accounts = opened.store.twilio_accounts()
    if settings.public_url is None or not accounts:
        return []
    numbers: list[PhoneNumber] = []
    for account in accounts:
        rest = TwilioRest(client, account, base_url=settings.twilio_api_base_url, carrier_s=Deadlines().carrier_s)
        try:
            numbers += await list_numbers(rest)
        except CarrierError as error:
            return [Check("webhooks", "problem", str(error))]
    wanted = {row.name for row in opened.store.rows("number") if row.name != DEFAULT}
    return webhooks.compare(numbers, wanted, settings.public_url)
