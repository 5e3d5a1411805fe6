"""The part of the carrier's REST API by which text messages are sent."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import CarrierFault
from app.sandbox.twilio.rest_numbers import Api
from app.sandbox.twilio.webhook import new_sid

MAX_CHARACTERS = 1600


class MessagesApi:
    """Text messages over REST; nobody gets them, but they are kept."""

    def __init__(self, api: Api, account_sid: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self._api = api
        self._account_sid = account_sid

    def routes(self, account: str) -> list[Route]:
        """The path below the account's."""
        return [Route(f"{account}/Messages.json", self._send, methods=["POST"])]

    async def _send(self, request: Request) -> Response:
        return await self._api.answer(request, self._sent, status=201)

    def _sent(self, form: Any) -> dict[str, Any]:
        for name, code in (("To", 21604), ("From", 21603), ("Body", 21602)):
            if not form.get(name):
                raise CarrierFault(f"A '{name}' is required", code=code)
        for name, code in (("To", 21211), ("From", 21212)):
            if not form[name].startswith("+"):
                raise CarrierFault(f"The '{name}' number {form[name]} is not a valid phone number", code=code)
        if len(form["Body"]) > MAX_CHARACTERS:
            raise CarrierFault(f"The message body exceeds the {MAX_CHARACTERS} character limit", code=21617)
        message = {
            "sid": new_sid("SM"),
            "account_sid": self._account_sid,
            "to": form["To"],
            "from": form["From"],
            "body": form["Body"],
            "status": "queued",
            "direction": "outbound-api",
        }
        self.messages.append(message)
        return message
