"""A web tool to try things with, and the call in which it is used."""

from typing import Any

from app.conf.models import HttpTool
from app.tools.http.render import Values

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "count": {"type": "integer"},
        "gift": {"type": "boolean"},
        "note": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    },
}


def tool(**fields: Any) -> HttpTool:
    """The tool with these fields instead of its own."""
    own = {
        "type": "http",
        "name": "order",
        "description": "Orders.",
        "parameters": ORDER,
        "url": "https://shop.example.com/orders",
    }
    return HttpTool.model_validate(own | fields)


def values(**args: Any) -> Values:
    """A call with these arguments of the model's."""
    call = {"id": "c1", "caller": "+15550100123", "called": "+15550100100", "agent": "sales"}
    return Values(args, call, {"card": "4111 1111"}, {"shop": "North & South"})
