"""How a server reaches the Twilio accounts of its calls."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from app.conf.store import ConfStore
from app.tools.send_sms import Send
from app.twilio.rest import TwilioRest, account_rest
from app.twilio.rest_messages import MessagesRest


@dataclass(frozen=True, slots=True)
class TwilioAccess:
    """REST access to each account, by its sid, as it is set at that moment."""

    store: ConfStore
    client: httpx.AsyncClient
    base_url: str
    within_s: float

    def carrier(self, account_sid: str) -> TwilioRest:
        """The account itself."""
        accounts = self.store.twilio_accounts()
        return account_rest(accounts, account_sid, self.client, base_url=self.base_url, carrier_s=self.within_s)

    def send_sms(self, account_sid: str) -> Send:
        """Sends text messages from the account."""

        async def send(to: str, from_: str, text: str) -> str:
            return await MessagesRest(self.carrier(account_sid)).send(to, from_, text)

        return send

    def dial_prefixes(self, account_sid: str) -> Sequence[str]:
        """Where calls of the account may be transferred; nowhere, where it is none of ours."""
        accounts = [account for account in self.store.twilio_accounts() if account.account_sid == account_sid]
        return [prefix for account in accounts for prefix in account.allowed_dial_prefixes]
