"""What all types of OpenAI's wire have in common."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class WireModel(BaseModel):
    """A part of what we send: unknown fields are refused, and what is absent is not sent.

    The API takes null only where it means "off". In those fields `None` is sent when it was given; elsewhere never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    null_means_off: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_absent(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        off = self.null_means_off & self.model_fields_set
        return {name: value for name, value in serialize(self).items() if value is not None or name in off}
