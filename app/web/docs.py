"""The API's description: closed to those without a key, with a page that asks for it."""

import asyncio
import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from app.web.api.auth import require
from app.web.api.description import describe

router = APIRouter()

_PAGE = Path(__file__).with_name("docs.html").read_text()


def _source(tag: str) -> str:
    """The content security policy's word for the page's own inline script or style."""
    [inline] = re.findall(rf"<{tag}>(.*?)</{tag}>", _PAGE, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src {_source('script')}; style-src {_source('style')}; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def docs() -> HTMLResponse:
    """A page that asks for the admin key, keeps it in memory, and shows the API."""
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(require())])
async def openapi(request: Request) -> dict[str, Any]:
    """The OpenAPI description, for holders of an admin key."""
    return await asyncio.to_thread(describe, request.app)
