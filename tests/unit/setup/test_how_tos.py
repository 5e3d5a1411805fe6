"""What the how-tos name is there: commands, their options, addresses of the API, pages."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from fastapi import FastAPI

from app.cli import app as parley
from app.conf.models import Known, KnownFunction, ToolConf, parse
from app.web.api.description import PREFIX, describe
from app.web.mount import mount

ROOT = Path(__file__).parents[3]
DOCS = {path.stem: path.read_text() for path in (ROOT / "docs").glob("*.md")}
README = (ROOT / "README.md").read_text()
UNEXPLAINED = {"key_description", "server_description", "defer_loading", "allowed_callers"}
"""Options of tools that say what they are."""


@pytest.fixture(scope="module")
def operations() -> set[str]:
    """Every operation, like `GET /agents/{}`."""
    app = FastAPI(openapi_url=None, title="Parley", version="1", separate_input_output_schemas=False)
    mount(app)
    described: dict[str, Any] = describe(app)
    return {
        f"{method.upper()} {re.sub('{[^}]*}', '{}', path.removeprefix(PREFIX))}"
        for path, methods in described["paths"].items()
        for method in methods
    }


def test_the_readme_leads_to_every_how_to():
    assert set(re.findall(r"\]\(docs/([a-z-]+)\.md\)", README)) == set(DOCS)
    assert {"first-number", "tools", "recordings", "outbound", "operating"} <= DOCS.keys()


@pytest.mark.parametrize("name", sorted(DOCS))
def test_every_command_of_a_how_to_exists_with_its_options(name: str):
    for line in re.findall(r"(?:^|`)parley ([^`\n]+)", DOCS[name], re.MULTILINE):
        command: Any = typer.main.get_command(parley)
        words = line.split(" - ")[0].split()
        while words and hasattr(command, "commands"):
            word = words.pop(0)
            assert word in command.commands, line
            command = command.commands[word]
        assert not hasattr(command, "commands") or not words, line
        offered = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= offered, line


@pytest.mark.parametrize("name", sorted(DOCS))
def test_every_address_of_a_how_to_exists_with_its_method(name: str, operations: set[str]):
    text = DOCS[name].replace("\\\n", " ")
    asked = re.findall(r"^curl (.*?)\"\$PARLEY(/[^\"?]*)[^\"]*\"(.*)$", text, re.MULTILINE)
    for before, path, after in asked:
        given = re.search(r"-X ([A-Z]+)", before + after)
        sends = "PUT" if "-T " in before else "POST" if "--json" in after else "GET"
        method = given[1] if given else sends
        assert any(fits(operation, f"{method} {path}") for operation in operations), f"{method} {path}"
    for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`", text):
        assert f"{method} {re.sub('{[^}]*}', '{}', path)}" in operations, f"{method} {path}"


def fits(operation: str, asked: str) -> bool:
    return bool(re.fullmatch(re.escape(operation).replace(r"\{\}", "[^/]+"), asked))


@pytest.mark.parametrize("name", sorted(DOCS))
def test_every_json_example_of_a_how_to_is_a_tool_some_tools_or_fields_of_an_agent(name: str):
    for example in re.findall(r"^```json\n(.*?)^```", DOCS[name], re.MULTILINE | re.DOTALL):
        found = json.loads(example)
        tools = found if isinstance(found, list) else [found]
        value = {"tools": tools} if all("type" in tool for tool in tools) else found
        assert parse("agent", "example", value, Known(functions={"free_tables": KnownFunction("", {})}))


def test_the_page_of_tools_has_an_example_of_every_type_and_names_every_option():
    page = DOCS["tools"]
    for model in get_args(get_args(ToolConf)[0]):
        kind = get_args(model.model_fields["type"].annotation)[0]
        assert f'{{"type": "{kind}"' in page, kind
        options = set(model.model_fields) - {"type", "name", "description"} - UNEXPLAINED
        assert not {option for option in options if not re.search(rf"[`\"]{option}[`\"]", page)}, kind


@pytest.mark.parametrize("name", sorted(DOCS))
def test_every_link_of_a_how_to_leads_somewhere(name: str):
    for target, anchor in re.findall(r"\]\((?!https:)([^)#]*)(?:#([^)]*))?\)", DOCS[name]):
        page = (ROOT / "docs" / (target or f"{name}.md")).resolve()
        assert page.is_file(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
