"""What is seen without asking anybody, and how it is shown."""

import io

import pytest
from rich.console import Console

from app.doctor.checks import public_url
from app.doctor.report import Check, show


@pytest.mark.parametrize(
    ("url", "verdict"),
    [(None, "problem"), ("http://127.0.0.1:8000", "warning"), ("https://calls.example.com", "ok")],
)
def test_only_an_https_origin_can_be_reached_by_twilio(url, verdict):
    assert public_url(url).verdict == verdict


def test_what_was_found_is_shown_as_it_is_even_where_it_looks_like_markup():
    console = Console(file=io.StringIO(), width=120)
    show(console, [Check("agent/[bold]", "problem", "tools[0]: [red]odd"), Check("database", "ok", "answers")])
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for text in ("agent/[bold]", "tools[0]: [red]odd", "problem", "database", "ok"):
        assert text in shown
