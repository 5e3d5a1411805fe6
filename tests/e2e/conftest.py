from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.sandbox.openai.brain import Brain
from tests.db.fixtures import (  # noqa: F401 (fixtures are found by their names in this module)
    database_url,
    engine,
    postgres_url,
    reachable_dir,
    template,
)
from tests.e2e.calls_api import api  # noqa: F401 (as above)
from tests.e2e.rig import Rig, open_rig

OpenRig = Callable[..., Any]


@pytest.fixture
async def rig(database_url: str, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[OpenRig]:  # noqa: F811
    """Opens a server between its peers, on an empty database; everything closes with the test."""
    async with AsyncExitStack() as stack:

        async def opened(brain: Brain, **options: Any) -> Rig:
            return await stack.enter_async_context(open_rig(database_url, tmp_path, brain, **options))

        yield opened
