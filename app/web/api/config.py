"""Access to the services we use, and whatever else an operator sets: each section of the configuration alike."""

from typing import Annotated, Any, cast

from fastapi import Path
from pydantic import create_model

from app.conf.models import DEFAULT, SECTIONS, SINGLE
from app.web.api.paging import Page
from app.web.api.routing import api_router
from app.web.api.row_routes import add_row_routes
from app.web.api.rows import Given, Kind, RowName, Shown, ShownSingle, Version

OnlyName = Annotated[str, Path(pattern=f"^{DEFAULT}$", description="This section has one row.", examples=[DEFAULT])]
OWN_ROUTES = frozenset({"agent", "number"})
"""Sections that have an address of their own."""


_EXAMPLES: dict[str, dict[str, Any]] = {
    "openai": {"openai_api_key": "sk-proj-0123456789abcdef"},
    "twilio": {"account_sid": "AC0123456789abcdef0123456789abcdef", "auth_tokens": ["0123456789abcdef"]},
    "webhook": {
        "url": "https://hooks.example.com/parley",
        "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "events": ["call.ended"],
    },
    "prices": {"telephony": {"inbound_usd_per_minute": 0.0085}},
    "limits": {"calls_per_caller": 2},
    "outbound": {"allowed_prefixes": ["+1", "+41"], "calling_hours": "08:00-21:00"},
}


def _kind(section: str, model: Any) -> Kind:
    """The section with models of its own, so that each has its name in the API's description."""
    word = section.title().replace("_", "").replace("Openai", "OpenAI")
    base: Any = ShownSingle[model] if section in SINGLE else Shown[model]
    shown: Any = create_model(f"{word}Config", __base__=base, __doc__=model.__doc__)
    return Kind(
        section,
        f"/config/{section}",
        f"{section}_config",
        f"{section}_configs",
        OnlyName if section in SINGLE else RowName,
        create_model(f"Given{word}Config", __base__=Given[model]),
        cast(Any, shown),
        create_model(f"{word}ConfigPage", __base__=Page[shown]),
        create_model(f"{word}ConfigVersion", __base__=Version[model]),
        _EXAMPLES[section],
    )


router = api_router("config")
for _section, _model in SECTIONS.items():
    if _section not in OWN_ROUTES:
        add_row_routes(router, _kind(_section, _model))
