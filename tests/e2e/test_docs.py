"""The how-tos, each tried from its first command to its last, as a new user would."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.calls_api import KEY, SHARED, Api, over
from tests.e2e.rig import CALLED, CALLER

DOCS = {path.stem: path.read_text() for path in (Path(__file__).parents[2] / "docs").glob("*.md")}
WORDS = [{"speaker": "caller", "start_ms": 0, "end_ms": 900, "text": "A sourdough, please."}]

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="the how-tos use curl")


@pytest.mark.parametrize("name", sorted(DOCS))
async def test_every_command_of_a_how_to_works_from_top_to_bottom(
    api: Api, database_url: str, tmp_path: Path, name: str
):
    api.house.twilio.own(CALLED, voice_url=None, voice_fallback_url=None, status_callback=None)
    call = over(from_number=CALLER)
    await api.keep(call)
    recording = await api.record(call, WORDS)
    commands = re.findall(r"^```sh\n(.*?)^```", DOCS[name], re.MULTILINE | re.DOTALL)
    assert commands
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", "\n".join(commands)),
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PARLEY": f"{api.house.url}/api/v1",
            "KEY": KEY,
            "CALL": call.id,
            "RECORDING": str(recording),
            "DATABASE_URL": database_url,
            "DATA_DIR": str(tmp_path),
            "PUBLIC_URL": api.house.url,
            "SECRET_KEY": SHARED["secret_key"],
            "NO_PROXY": "*",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
