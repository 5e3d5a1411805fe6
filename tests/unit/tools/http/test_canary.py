"""No tool, however it is configured or lied to, reaches a server on this machine: the canary hears nothing."""

from collections.abc import Sequence

import pytest

from app.conf.models import HttpTool
from app.egress.client import Resolve
from app.egress.clients import GuardedClients
from app.tools.http.run import HttpTools, Tried
from tests.unit.egress.test_addresses import LOCAL_SPELLINGS
from tests.unit.egress.test_client import canary, names
from tests.unit.tools.http.shop import tool, values


async def use(made: HttpTool, resolve: Resolve | None = None) -> Tried:
    given = {} if resolve is None else {"resolve": resolve}
    async with GuardedClients(timeout_s=2, **given) as clients:
        return await HttpTools(clients, 2.0).use(made, values(order="7"), "key")


def unchecked(url: str, **fields: object) -> HttpTool:
    """A tool that was saved before anybody checked it."""
    return tool(**fields).model_copy(update={"url": url})


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_s10_no_spelling_of_an_address_reaches_the_canary_even_unchecked(scheme: str) -> None:
    async with canary() as bird, GuardedClients(timeout_s=2) as clients:
        for host in LOCAL_SPELLINGS:
            refused = await HttpTools(clients, 2.0).use(unchecked(f"{scheme}://{host}:{bird.port}/"), values(), "key")
            assert str(refused.error) == "The tool cannot be used: its address is not allowed.", host
        assert bird.connections == 0


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
async def test_s10_a_redirect_to_the_canary_is_an_error_and_not_followed(status: str) -> None:
    async with canary() as bird:
        there = f"HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:{bird.port}/\r\ncontent-length: 0\r\n\r\n".encode()
        async with canary(there) as first:
            answer = await use(tool(url=first.url, allow_private=["127.0.0.1"], method="GET", retries=2))
            assert "redirect" in str(answer.error)
            assert (first.connections, bird.connections) == (1, 0)


@pytest.mark.parametrize(
    "answers",
    [[["8.8.8.8", "127.0.0.1"]], [["127.0.0.1"]], [["::ffff:127.0.0.1"]], [["0.0.0.0"]], [["169.254.169.254"]]],
)
async def test_s10_a_name_that_leads_to_the_canary_is_refused(answers: list[Sequence[str]]) -> None:
    async with canary() as bird:
        refused = await use(tool(url=f"https://shop.example.com:{bird.port}/"), names(*answers))
        assert "not allowed" in str(refused.error)
        assert "127.0.0.1" not in f"{refused.error} {refused.detail}"
        assert bird.connections == 0


async def test_s10_a_name_that_changes_where_it_leads_between_two_tries_never_reaches_the_canary() -> None:
    # 127.0.0.2 stands for the public address: it is let in, and nobody listens there; the canary sits on 127.0.0.1
    rebinding = names(["127.0.0.2"], ["127.0.0.1"])
    async with canary() as bird:
        made = unchecked(f"http://shop.example.com:{bird.port}/", allow_private=["127.0.0.2"], retries=3)
        refused = await use(made, rebinding)
        assert (refused.tries, rebinding.asked) == (2, 2)
        assert "not allowed" in str(refused.error)
        assert bird.connections == 0


async def test_s10_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with canary() as proxy, canary(b"HTTP/1.1 204 No\r\n\r\n") as shop:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        answer = await use(tool(url=shop.url, allow_private=["127.0.0.1"], method="GET"))
        assert (answer.output, proxy.connections, shop.connections) == ("Done.", 0, 1)


async def test_s10_what_one_tool_may_reach_no_other_tool_may() -> None:
    async with canary() as bird, GuardedClients(timeout_s=2) as clients:
        http = HttpTools(clients, 2.0)
        allowed = tool(url=bird.url, allow_private=["127.0.0.1"], method="GET")
        assert (await http.use(allowed, values(), "key")).status == 200
        refused = await http.use(allowed.model_copy(update={"allow_private": []}), values(), "key")
        assert "not allowed" in str(refused.error)
        assert bird.connections == 1
