"""The rehearsal of `make demo`: one whole call at real speed, through a server in a process of its own."""

import sys
from asyncio.subprocess import PIPE, STDOUT, create_subprocess_exec
from pathlib import Path

from app.conf.opening import open_store
from app.settings import Settings


async def test_the_demo_tells_its_story_also_where_an_earlier_one_left_other_accounts(reachable_dir: Path):
    folder = reachable_dir / "demo"
    earlier = {"openai_api_key": "sk-earlier", "twilio_account_sid": "AC" + "7" * 32, "twilio_auth_token": "8" * 32}
    async with open_store(Settings.load(_env_file=None, database_url=None, data_dir=folder, **earlier)):
        pass
    demo = await create_subprocess_exec(
        sys.executable, "-m", "app", "demo", "--folder", str(folder), stdout=PIPE, stderr=STDOUT
    )
    told = (await demo.communicate())[0].decode()

    assert demo.returncode == 0, told
    assert "NO" not in told
    assert "agent_hangup" in told
    [recording] = folder.glob("recordings/*/*/*.wav")
    assert str(recording) in told
