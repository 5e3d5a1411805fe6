"""What the rows of every section have in common."""

from typing import Annotated

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field

DEFAULT = "default"
"""The name of a section's row that is used where nothing else is named."""


def e164(number: str) -> str:
    """The number in E.164 form; raises `ValueError` when it is no possible phone number."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"not a phone number in E.164 form (like +15551234567): {error}") from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("not a possible phone number; write it in E.164 form, like +15551234567")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


E164 = Annotated[str, AfterValidator(e164)]
RowName = Annotated[str, Field(min_length=1, max_length=100)]


def _shape(value: object) -> str:
    match value:
        case dict() | BaseModel():
            return "object"
        case list():
            return "list"
        case str():
            return "text"
        case _:
            return "number"


BY_SHAPE = Discriminator(
    _shape, custom_error_type="wrong_form", custom_error_message="none of the forms that this field may have"
)
"""Tells the arms of a union, tagged object, list, text or number, apart by what the JSON looks like."""


class Conf(BaseModel):
    """A section's row. Unknown fields are refused, secrets never print."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)
