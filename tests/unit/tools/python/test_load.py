"""Files of tools are found, and a broken one costs nobody else anything."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from app.call.tools.tool_calls import Asked
from app.conf.models import AgentConf, Known, PythonTool, parse
from app.doctor.python_tools import python_tools
from app.errors import ConfInvalid, ToolError
from app.openai.session_config import compile_session
from app.tools.python import ToolContext, load
from app.tools.python.load import PythonFunctions, load_functions
from app.tools.python.run import run_python

SHOP = '''
from __future__ import annotations
from datetime import date
from app.tools.python import ToolContext

def free_tables(call: ToolContext, day: date) -> str:
    """Whether a table is free."""
    return f"{call.caller}: {day:%A}"

def _helper(): ...
'''
CALL = ToolContext(call_id="call_1", caller="+15550100123", called="+15550100100", agent="default")
AGENT = {"tools": [{"type": "python", "name": "tables", "function": "free_tables"}]}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("parley_tools_"):
            del sys.modules[name]


def agent_with(functions: PythonFunctions, value=AGENT) -> AgentConf:
    agent = parse("agent", "a", value, Known(functions=functions.known))
    assert isinstance(agent, AgentConf)
    return agent


def test_public_functions_of_a_folders_files_are_found_and_what_they_import_is_not(folder: Path):
    (folder / "_hidden.py").write_text("def hidden(): ...")
    (folder / "named.py").write_text("__all__ = ['one']\ndef one() -> str: ...\ndef two() -> str: ...")
    found = load_functions(folder)
    assert (sorted(found.by_name), found.problems) == (["free_tables", "one"], ())


def test_a_folder_that_is_not_there_has_no_functions(tmp_path):
    assert load_functions(tmp_path / "none") == PythonFunctions()


@pytest.mark.parametrize("code", ["1/0", "import sys; sys.exit(1)", "def (", "import nowhere_at_all", "\x00"])
def test_a_file_that_breaks_is_named_and_the_others_are_there(folder: Path, code):
    (folder / "broken.py").write_text(code)
    found = load_functions(folder)
    assert sorted(found.by_name) == ["free_tables"]
    [problem] = found.problems
    assert problem.startswith("broken.py: ")
    assert ("line 1: ZeroDivisionError" in problem) == (code == "1/0")


def test_a_function_that_cannot_be_a_tool_and_a_second_one_of_a_name_are_named(folder: Path):
    (folder / "z.py").write_text("def free_tables() -> str: ...\ndef odd(x): ...\ndef fine() -> str: ...")
    found = load_functions(folder)
    assert sorted(found.by_name) == ["fine", "free_tables"]
    assert found.problems == (
        "z.py: free_tables: there is one in shop.py already",
        "z.py: odd: x: has no type",
    )


def test_installed_packages_offer_functions_by_entry_points(folder: Path, monkeypatch):
    points = [
        EntryPoint("which", "shutil:which", load.GROUP),
        EntryPoint("own", "tests.unit.tools.python.offered", load.GROUP),
        EntryPoint("gone", "tests.unit.tools.python.gone:x", load.GROUP),
    ]
    monkeypatch.setattr(load, "entry_points", lambda *, group: points if group == load.GROUP else [])
    found = load_functions(folder)
    assert sorted(found.by_name) == ["free_tables", "offered"]
    assert [problem.split(":")[0] for problem in found.problems] == [
        "gone (tests.unit.tools.python.gone",
        "which (shutil",
    ]


def test_the_model_is_offered_the_function_as_it_is(folder: Path):
    agent = agent_with(load_functions(folder))
    [offered] = compile_session(agent).wire()["tools"]
    assert offered == {
        "type": "function",
        "name": "tables",
        "description": "Whether a table is free.",
        "parameters": {
            "type": "object",
            "properties": {"day": {"type": "string", "format": "date"}},
            "required": ["day"],
            "additionalProperties": False,
        },
    }


def test_nothing_of_the_function_is_stored_and_an_own_description_wins(folder: Path):
    agent = agent_with(load_functions(folder), {"tools": [{**AGENT["tools"][0], "description": "Ask me."}]})
    [tool] = agent.tools
    assert isinstance(tool, PythonTool)
    assert (tool.told, tool.parameters["required"]) == ("Ask me.", ["day"])
    assert tool.model_dump(exclude_unset=True) == {**AGENT["tools"][0], "description": "Ask me."}
    [copied] = agent.model_copy(update={"instructions": "x"}).functions
    assert copied.parameters == tool.parameters


def test_an_agent_is_not_saved_with_a_function_that_is_not_there_but_one_that_was_saved_goes_on_without():
    known = Known(functions={})
    agent = parse("agent", "a", AGENT, known)
    assert isinstance(agent, AgentConf)
    assert agent.offered == agent.functions == []
    with pytest.raises(ConfInvalid, match=r"agent/a: tools\.0: no Python function free_tables; there are none"):
        known.accept("a", agent, today=None)
    [risk] = known.risks({"a": agent}, today=None)
    assert risk.finding.refused


def test_a_process_that_did_not_look_for_functions_refuses_nothing():
    known = Known()
    assert known.accept("a", parse("agent", "a", AGENT, known), today=None) == []


async def test_the_function_runs_for_the_call(folder: Path):
    functions = load_functions(folder)
    [tool] = agent_with(functions).functions
    asked = Asked("call_7", tool, {"day": "2026-12-24"})
    assert await run_python(functions, CALL, asked) == "+15550100123: Thursday"
    with pytest.raises(ToolError, match="cannot be used"):
        await run_python(PythonFunctions(), CALL, asked)


def test_the_doctor_names_what_was_found_and_what_could_not_be_used(folder: Path):
    (folder / "broken.py").write_text("1/0")
    checks = python_tools(load_functions(folder))
    assert [(check.verdict, check.what) for check in checks] == [("problem", "python tools"), ("ok", "python tools")]
    assert "broken.py" in checks[0].text
    assert checks[1].text == "free_tables (shop.py)"
    assert python_tools(PythonFunctions()) == []
