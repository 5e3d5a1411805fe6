"""One request and its answer, within limits of time and size."""

import asyncio
from dataclasses import dataclass

import httpx

from app.errors import EgressFailed


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: httpx.Headers
    body: bytes
    whole: bool
    """Whether that is all of its body: it may have been longer, or not have come in time."""


async def exchange(client: httpx.AsyncClient, request: httpx.Request, *, within_s: float, most_bytes: int) -> Answer:
    """Send the request. Raises `EgressRefused` for a place we do not go to, `EgressFailed` without an answer in time.

    A status that came in time counts, even if its body did not.
    """
    response: httpx.Response | None = None
    body = bytearray()
    whole = False
    try:
        async with asyncio.timeout(within_s):
            response = await client.send(request, stream=True, follow_redirects=False)
            whole = await _fill(body, response, most_bytes)
    except (TimeoutError, httpx.TimeoutException) as error:
        if response is None:
            raise EgressFailed(_words(error) or f"no answer within {within_s:g} seconds") from error
    except httpx.HTTPError as error:
        if response is None:
            raise EgressFailed(_words(error) or type(error).__name__) from error
    finally:
        if response is not None:
            await response.aclose()
    return Answer(response.status_code, response.headers, bytes(body), whole)


async def _fill(body: bytearray, response: httpx.Response, most_bytes: int) -> bool:
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > most_bytes:
            del body[most_bytes:]
            return False
    return True


def _words(error: Exception) -> str:
    return str(error).strip()
