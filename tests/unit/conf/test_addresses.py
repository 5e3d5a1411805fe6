"""Every address that an operator may write down is held to the same rule when it is saved."""

from collections.abc import Callable
from typing import Any

import pytest

from app.conf.models import Known, new_webhook_secret, parse
from app.errors import ConfInvalid
from tests.unit.egress.test_addresses import LOCAL_SPELLINGS

SERVER = {"secret": new_webhook_secret()}

PLACES: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "webhook": lambda url: ("webhook", SERVER | {"url": url}),
    "precall": lambda url: ("agent", {"precall": SERVER | {"url": url}}),
    "mcp": lambda url: ("agent", {"tools": [{"type": "mcp", "server_label": "crm", "server_url": url}]}),
    "http": lambda url: ("agent", {"tools": [{"type": "http", "name": "crm", "description": "x", "url": url}]}),
}


@pytest.mark.parametrize("place", PLACES)
def test_s10_no_local_address_is_saved_anywhere_however_it_is_spelled(place: str) -> None:
    for host in [*LOCAL_SPELLINGS, "10.0.0.1", "169.254.169.254", "100.64.0.1", "metadata.localhost"]:
        for scheme in ("https", "http"):
            with pytest.raises(ConfInvalid):
                parse(*_row(place, f"{scheme}://{host}/x"), Known())


@pytest.mark.parametrize("place", PLACES)
def test_s10_a_public_address_over_https_is_saved_and_nothing_without_tls(place: str) -> None:
    parse(*_row(place, "https://crm.example.com/x"), Known())
    for url in ("http://crm.example.com/x", "https://me:word@crm.example.com/", "ftp://crm.example.com/", "file:///x"):
        with pytest.raises(ConfInvalid):
            parse(*_row(place, url), Known())


def _row(place: str, url: str) -> tuple[str, str, dict[str, Any]]:
    section, value = PLACES[place](url)
    return section, "sales", value
