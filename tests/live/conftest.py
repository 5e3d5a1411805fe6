import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", action="store_true", help="talk to OpenAI for real; costs a few cents")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--live", default=False):
        why = "talks to OpenAI for real: make test-live"
    elif not os.environ.get("OPENAI_API_KEY"):
        why = "needs OPENAI_API_KEY"
    else:
        return
    for item in items:
        if item.get_closest_marker("live"):
            item.add_marker(pytest.mark.skip(reason=why))
