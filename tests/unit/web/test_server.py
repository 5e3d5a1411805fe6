"""The real server in a process of its own, stopped by real signals."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

PROGRAM = """
import asyncio, os, sys
from app import logs
from app.web.server import ParleyServer, server_config

logs.configure(level="error")

def tell(word):  # not print: a signal may come while it writes
    os.write(1, word.encode() + b"\\n")

class Calls:
    def __init__(self): self.empty = asyncio.Event()
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "draining": tell("draining")
    async def wait_empty(self): await self.empty.wait()

calls = Calls()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        tell("up")
        await receive()
        tell("down")
        await send({"type": "lifespan.shutdown.complete"})

async def on_limit():
    tell("limit")
    calls.empty.set()

async def commands():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        calls.empty.set()

async def main():
    server = ParleyServer(
        server_config(app, host="127.0.0.1", port=0, max_calls=10),
        drain_s=float(sys.argv[1]), calls=calls, on_limit=on_limit,
    )
    listening = asyncio.create_task(commands())
    await server.serve()
    listening.cancel()

asyncio.run(main())
"""


@asynccontextmanager
async def running(drain_s: float) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(drain_s), stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(20):
            assert await line(process) == "up"
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line(process: Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode().strip()


def end_last_call(process: Process) -> None:
    assert process.stdin
    process.stdin.write(b"end\n")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_lets_live_calls_finish_and_the_exit_code_is_0(sign: signal.Signals):
    async with running(drain_s=600) as process:
        process.send_signal(sign)
        assert await line(process) == "draining"
        end_last_call(process)

        assert await line(process) == "down"
        assert await process.wait() == 0


async def test_at_the_drain_limit_calls_are_ended_with_a_goodbye():
    async with running(drain_s=0.05) as process:
        process.send_signal(signal.SIGTERM)

        assert await line(process) == "draining"
        assert await line(process) == "limit"
        assert await line(process) == "down"
        assert await process.wait() == 0


async def test_the_second_signal_ends_at_once():
    async with running(drain_s=600) as process:
        process.send_signal(signal.SIGTERM)
        assert await line(process) == "draining"
        process.send_signal(signal.SIGTERM)

        async with asyncio.timeout(5):
            assert await process.wait() == 0
