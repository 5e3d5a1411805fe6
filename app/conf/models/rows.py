"""The sections of `core_conf`, and how a row becomes typed."""

import json
import re
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from app.conf.models.accounts import NumberConf, OpenAICoreConf, TwilioCoreConf
from app.conf.models.agent import AgentConf
from app.conf.models.base import DEFAULT, Conf, e164
from app.conf.models.known import Known
from app.conf.models.limits import LimitsConf
from app.conf.models.outbound import OutboundConf
from app.conf.models.prices import PricesConf
from app.conf.models.webhooks import WebhookConf
from app.errors import ConfInvalid, Fault

SECTIONS: Mapping[str, type[Conf]] = {
    "openai": OpenAICoreConf,
    "twilio": TwilioCoreConf,
    "agent": AgentConf,
    "number": NumberConf,
    "webhook": WebhookConf,
    "prices": PricesConf,
    "limits": LimitsConf,
    "outbound": OutboundConf,
}
"""In an order in which no row needs a later one."""
SINGLE = frozenset({"prices", "limits", "outbound"})
"""Sections whose only row is `default`."""
_NAMED = re.compile(r"(?P<field>\w+)(?P<inner>(?:\.[^\s:]+)*): (?P<reason>.+)", re.DOTALL)
ROW_NAME = r"(?!\.{1,2}$)[\w+.\- ]{1,100}"
"""No `.` and no `..`: a web address cannot name them."""


def parse(section: str, name: str, value: object, known: Known) -> Conf:
    """The typed row. Raises `ConfInvalid` that names each field's path and reason, never a value."""
    model = SECTIONS.get(section)
    if model is None:
        raise ConfInvalid(f"no section {section!r}; there are: {', '.join(SECTIONS)}")
    if not re.fullmatch(ROW_NAME, name):
        raise ConfInvalid(f"{section}: a row's name has 1 to 100 letters, digits, spaces or any of + . - _")
    if section == "number" and name != DEFAULT and not _is_e164(name):
        raise ConfInvalid(f"number/{name}: the name is a phone number in E.164 form (like +15551234567) or 'default'")
    if section in SINGLE and name != DEFAULT:
        raise ConfInvalid(f"{section}/{name}: this section has one row, which is called 'default'")
    try:
        # as JSON: only there does pydantic take types strictly ("yes" is no boolean), and still know a date as text
        return model.model_validate_json(json.dumps(value), strict=True, context=known)
    except ValidationError as error:
        raise ConfInvalid(explain(f"{section}/{name}", error, value), faults(error, value)) from None


def explain(where: str, error: ValidationError, value: object = None) -> str:
    """A validation error as one line for each field, without the refused values (they may be secrets)."""
    return "\n".join(f"{where}: {fault.path or '(whole)'}: {fault.message}" for fault in faults(error, value))


def faults(error: ValidationError, value: object = None) -> list[Fault]:
    """The same, one by one."""
    return [
        _fault(one["loc"], one["msg"].removeprefix("Value error, "), one["type"], value)
        for one in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def _fault(place: Sequence[str | int], message: str, kind: str, value: object) -> Fault:
    """With the place as the value's writer knows it: without the names of a union's arms, which pydantic puts between,
    and with the field that a check of several fields names first (`url: …`)."""
    path = []
    for part in place:
        if isinstance(value, Mapping) and (part in value or (kind == "missing" and part == place[-1])):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif value is not None:
            continue
        path.append(str(part))
    named = _NAMED.fullmatch(message)
    if named and isinstance(value, Mapping) and named["field"] in value:
        path.append(named["field"] + named["inner"])
        message = named["reason"]
    return Fault(".".join(path), message, kind)


def _is_e164(name: str) -> bool:
    try:
        return e164(name) == name
    except ValueError:
        return False
