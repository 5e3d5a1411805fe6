"""What all types of OpenAI's wire have in common."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)


def _masked_unless_sent(secret: SecretStr, info: SerializationInfo) -> str:
    return secret.get_secret_value() if info.context and info.context.get("reveal") else str(secret)


Secret = Annotated[SecretStr, PlainSerializer(_masked_unless_sent, return_type=str)]
"""Never in a repr, an error or a dump; only `wire(reveal=True)` writes it out."""


class WireModel(BaseModel):
    """A part of what we send: unknown fields are refused, and what is absent is not sent.

    The API takes null only where it means "off". In those fields `None` is sent when it was given; elsewhere never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    null_means_off: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_absent(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        off = self.null_means_off & self.model_fields_set
        return {name: value for name, value in serialize(self).items() if value is not None or name in off}

    def wire(self, *, reveal: bool = False) -> dict[str, Any]:
        """The JSON object; its secrets are masked unless it is for sending (`reveal`)."""
        return self.model_dump(mode="json", context={"reveal": reveal})

    @classmethod
    def received(cls, value: object) -> Self:
        """Read what the server sent; fields we do not know are passed over."""
        return cls.model_validate(value, extra="ignore")
