"""The built-in tools that must know which call they are used in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from app.call.tools.tool_calls import Handler
from app.conf.models import CurrentTimeTool, FunctionTool, NumberConf, SendSmsTool, TakeMessageTool, zone_of
from app.tools.current_time import current_time
from app.tools.send_sms import Send, SmsSender
from app.tools.take_message import take_message
from app.web.deps import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """What they need of the process."""

    number: Callable[[str], NumberConf | None]
    """What is set for one of our numbers."""
    send_sms: Callable[[str], Send]
    """Sends text messages from a Twilio account, by its sid."""

    def handlers(self, arrival: Arrival, note: Callable[..., None]) -> Mapping[type[FunctionTool], Handler]:
        """The tools' handlers in this call; `note` writes in its journal."""
        ours = arrival.ours
        return {
            CurrentTimeTool: partial(current_time, zone_of(self.number(ours), ours)),
            SendSmsTool: SmsSender(self.send_sms(arrival.account_sid), note, caller=arrival.party, ours=ours),
            TakeMessageTool: partial(take_message, note),
        }
