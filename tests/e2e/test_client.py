"""A Python client that is made from the API's description, as a user's would be."""

import asyncio
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.e2e.calls_api import KEY, Api, over

_CONFIG = """\
post_hooks: [] # they tidy the code with tools that may not be there
content_type_overrides: # all that this maker of clients knows of bytes
  application/zip: application/octet-stream
  audio/wav: application/octet-stream
"""


async def test_a_generated_client_reads_and_writes(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    description = (await api.http.get("/openapi.json")).json()
    said = await asyncio.to_thread(make_client, description, tmp_path)
    assert "warning" not in said.lower(), said
    assert "unable" not in said.lower(), said
    await api.keep(over())

    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        await use(api.house.url)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "parley_client"]:
            del sys.modules[name]


def make_client(description: dict, directory: Path) -> str:
    """Write the package `parley_client`; returns what its maker said."""
    (directory / "openapi.json").write_text(json.dumps(description))
    (directory / "config.yaml").write_text(_CONFIG)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", "openapi.json", "--config", "config.yaml", "--output-path", "parley_client"),
        ],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def part(path: str) -> ModuleType:
    return importlib.import_module(f"parley_client.{path}")


async def use(url: str) -> None:
    models = part("models")
    async with part("client").AuthenticatedClient(
        base_url=url, token=KEY, raise_on_unexpected_status=True, httpx_args={"trust_env": False}
    ) as client:
        config = models.AgentConf(voice="cedar", instructions="You book tables.")
        new = models.NewAgent(name="bookings", config=config, note="the first one")
        made = await part("api.agents.create_agent").asyncio(client=client, body=new)
        assert (made.name, made.version, made.config.voice) == ("bookings", 1, "cedar")

        agents = await part("api.agents.list_agents").asyncio(client=client)
        assert [agent.name for agent in agents.data] == ["bookings", "default"]

        [call] = (await part("api.calls.list_calls").asyncio(client=client)).data
        whole = await part("api.calls.get_call").asyncio(call.id, client=client)
        assert whole.end_reason is models.EndReason.CALLER_HANGUP
        assert whole.started_at == call.started_at

        wrong = models.NewAgent(name="bookings", config=config)
        problem = await part("api.agents.create_agent").asyncio(client=client, body=wrong)
        assert isinstance(problem, models.Problem)
        assert (problem.status, problem.code) == (409, "already_exists")
