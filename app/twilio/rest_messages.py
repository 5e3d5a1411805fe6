"""Text messages that we send over Twilio's REST API."""

import msgspec

from app.errors import CarrierApiError
from app.twilio.rest import TwilioRest


class _Sent(msgspec.Struct):
    sid: str


class MessagesRest:
    """The text messages of one account."""

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def send(self, to: str, from_: str, text: str) -> str:
        """Send one; its sid. Never tried again here: a request without an answer may have done it.

        Raises `CarrierApiError`; with a status below 500 there is surely no message.
        """
        what = "sending a message"
        form = {"To": to, "From": from_, "Body": text}
        response = await self._rest.ask(what, self._rest.request("POST", "/Messages.json", data=form))
        try:
            return msgspec.json.decode(response.content, type=_Sent).sid
        except msgspec.DecodeError as error:
            raise CarrierApiError(f"{what}: Twilio's answer cannot be read: {error}") from None
