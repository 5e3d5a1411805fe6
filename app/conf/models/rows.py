"""The sections of `core_conf`, and how a row becomes typed."""

import re
from collections.abc import Mapping

from pydantic import ValidationError

from app.conf.models.accounts import NumberConf, OpenAICoreConf, TwilioCoreConf
from app.conf.models.agent import AgentConf
from app.conf.models.base import DEFAULT, Conf, e164
from app.conf.models.known import Known
from app.errors import ConfInvalid

SECTIONS: Mapping[str, type[Conf]] = {
    "openai": OpenAICoreConf,
    "twilio": TwilioCoreConf,
    "agent": AgentConf,
    "number": NumberConf,
}
"""In an order in which no row needs a later one."""


def parse(section: str, name: str, value: object, known: Known) -> Conf:
    """The typed row. Raises `ConfInvalid` that names each field's path and reason, never a value."""
    model = SECTIONS.get(section)
    if model is None:
        raise ConfInvalid(f"no section {section!r}; there are: {', '.join(SECTIONS)}")
    if not re.fullmatch(r"[\w+.\- ]{1,100}", name):
        raise ConfInvalid(f"{section}: a row's name has 1 to 100 letters, digits, spaces or any of + . - _")
    if section == "number" and name != DEFAULT and not _is_e164(name):
        raise ConfInvalid(f"number/{name}: the name is a phone number in E.164 form (like +15551234567) or 'default'")
    try:
        return model.model_validate(value, context=known)
    except ValidationError as error:
        raise ConfInvalid(explain(f"{section}/{name}", error)) from None


def explain(where: str, error: ValidationError) -> str:
    """A validation error as one line for each field, without the refused values (they may be secrets)."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        path = ".".join(str(part) for part in problem["loc"]) or "(whole)"
        lines.append(f"{where}: {path}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _is_e164(name: str) -> bool:
    try:
        return e164(name) == name
    except ValueError:
        return False
