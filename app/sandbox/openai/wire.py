"""The strictness of the API's schema, and the few shapes that many of its fields share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints


class Wire(BaseModel):
    """A JSON object of the client's; nothing is converted and nothing unknown accepted."""

    model_config = ConfigDict(extra="forbid", strict=True)


OMITTED: Any = None
"""A default that pydantic does not check: the field may be left out, but not be null."""


def _text_or_object(value: object) -> str:
    return "object" if isinstance(value, dict | BaseModel) else "text"


TextOrObject = Discriminator(_text_or_object)
ShortId = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
