"""Is the process alive, and can it take calls."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from app.web.deps import Services, services

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    status: Literal["ready", "draining", "unconfigured"]
    database: Literal["ok", "away"]
    live_calls: int


@router.get("/healthz")
async def healthz() -> Health:
    """The process is alive."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(house: Annotated[Services, Depends(services)], response: Response) -> Readiness:
    """New calls are taken here; 503 while draining or unconfigured. A database that is away is no obstacle."""
    status: Literal["ready", "draining", "unconfigured"] = "ready"
    if house.calls.draining:
        status = "draining"
    elif not house.conf.loaded:
        status = "unconfigured"
    response.status_code = 200 if status == "ready" else 503
    return Readiness(status=status, database="ok" if house.conf.fresh else "away", live_calls=house.calls.live_count)
