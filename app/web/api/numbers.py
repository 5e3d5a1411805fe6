"""Who answers which phone number, and when."""

from typing import Annotated

from fastapi import Path

from app.conf.models import NumberConf
from app.web.api.paging import Page
from app.web.api.routing import api_router
from app.web.api.row_routes import add_row_routes
from app.web.api.rows import Given, Kind, Shown, Version

NumberName = Annotated[
    str,
    Path(
        pattern=r"^(default|\+[1-9][0-9]{4,14})$",
        description="The number in E.164 form, or `default`, which answers every number without a row of its own.",
        examples=["+15551234567"],
    ),
]


class GivenNumber(Given[NumberConf]):
    """A number as it shall be answered."""


class Number(Shown[NumberConf]):
    """A number, and who answers it."""


class NumberPage(Page[Number]):
    """One page of numbers."""


class NumberVersion(Version[NumberConf]):
    """What a number was at that version."""


router = api_router("numbers")
add_row_routes(
    router,
    Kind(
        "number",
        "/numbers",
        "number",
        "numbers",
        NumberName,
        GivenNumber,
        Number,
        NumberPage,
        NumberVersion,
        {"agent": "default"},
    ),
)
