"""Text messages: to whom, how many, and what the model hears of those that fail."""

import pytest
from pydantic import ValidationError

from app.call.events import Kind
from app.call.tools.tool_calls import Asked
from app.conf.models import SendSmsTool
from app.errors import CarrierApiError, ToolError
from app.tools.send_sms import SmsSender

CALLER, OURS, OFFICE = "+15550100123", "+15550100100", "+15550100777"


class Desk:
    def __init__(self, caller: str = CALLER, **tool) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.noted: list = []
        self.trouble: CarrierApiError | None = None
        self.tool = SendSmsTool.model_validate({"type": "send_sms", "recipients": {"office": OFFICE}} | tool)
        self.sender = SmsSender(
            self._send, lambda kind, **data: self.noted.append((kind, data)), caller=caller, ours=OURS
        )

    async def _send(self, to: str, from_: str, text: str) -> str:
        if self.trouble:
            raise self.trouble
        self.sent.append((to, from_, text))
        return "SM1"

    async def ask(self, to: str = "caller", text: str = "Hello!") -> str:
        return await self.sender(Asked("1", self.tool, {"to": to, "text": text}))

    async def refusal(self, **asked: str) -> str:
        with pytest.raises(ToolError) as refused:
            await self.ask(**asked)
        return str(refused.value)


async def test_the_caller_and_named_others_get_texts_from_the_number_of_the_call():
    desk = Desk()
    assert await desk.ask() == "The message was sent."
    await desk.ask("office", "Call back")

    assert desk.sent == [(CALLER, OURS, "Hello!"), (OFFICE, OURS, "Call back")]
    assert desk.noted[1] == (Kind.SMS_SENT, {"to": "office", "characters": 9, "message_sid": "SM1"})


async def test_another_sender_may_be_set():
    desk = Desk(from_number="+15550100999")
    await desk.ask()
    assert desk.sent[0][1] == "+15550100999"


@pytest.mark.parametrize("caller", ["anonymous", "", "+266696687", "+86282452253", "sip:a@example.com", "+19005550100"])
async def test_a_caller_whose_number_gets_no_texts_is_told_of(caller: str):
    desk = Desk(caller)
    assert "hidden" in await desk.refusal()
    assert desk.sent == []


async def test_a_premium_number_gets_none_even_if_it_is_named():
    desk = Desk(recipients={"office": "+19005550100"})
    assert "gets no messages" in await desk.refusal(to="office")


async def test_there_are_not_more_than_allowed_whoever_gets_them_and_whether_they_arrived():
    desk = Desk(max_per_call=2)
    await desk.ask()
    desk.trouble = CarrierApiError("?", status=None)
    await desk.refusal()
    assert await desk.refusal(to="office") == "No more messages can be sent in this call."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CarrierApiError("blocked", status=400, code=21610), "gets no messages"),
        (CarrierApiError("no key", status=401, code=20003), "was not sent"),
        (CarrierApiError("timeout"), "Do not send it again"),
        (CarrierApiError("oops", status=503), "Do not send it again"),
    ],
)
async def test_what_went_wrong_is_told_in_a_few_words_without_secrets(error: CarrierApiError, said: str):
    desk = Desk()
    desk.trouble = error
    told = await desk.refusal()
    assert said in told
    assert str(error) not in told
    assert desk.noted == []


def test_who_gets_texts_is_clear():
    with pytest.raises(ValidationError, match="nobody may get"):
        SendSmsTool.model_validate({"type": "send_sms", "to_caller": False})
    with pytest.raises(ValidationError, match="another name"):
        SendSmsTool.model_validate({"type": "send_sms", "recipients": {"caller": OFFICE}})
