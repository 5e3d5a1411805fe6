"""Which Python functions there are: those of the files in a folder, and those that installed packages offer."""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog

from app.conf.models import KnownFunction
from app.tools.python.function import PythonFunction
from app.tools.python.signature import UnusableFunction

GROUP = "parley.tools"
"""An installed package names its functions, or modules of them, under this group of entry points."""
_MODULES = "parley_tools_"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PythonFunctions:
    """What was found, and what could not be used and why. A file that is broken costs its own functions only."""

    by_name: Mapping[str, PythonFunction] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def say(self) -> None:
        """Say in the log what was found, and what is wrong."""
        for problem in self.problems:
            _log.warning("python_tool_left_out", reason=problem)
        if self.by_name:
            _log.info("python_tools_found", functions=sorted(self.by_name))

    @property
    def known(self) -> dict[str, KnownFunction]:
        """What models are told of them, by their names."""
        return {name: function.known for name, function in self.by_name.items()}


def load_functions(folder: Path) -> PythonFunctions:
    """Run the folder's files, and load what packages offer."""
    found: dict[str, PythonFunction] = {}
    problems: list[str] = []
    for source, functions in _sources(folder):
        try:
            for function in functions():
                _add(found, problems, function, source)
        except (Exception, SystemExit) as error:  # a file of tools is somebody's code
            problems.append(f"{source}: {_where(error)}{type(error).__name__}: {error}")
    return PythonFunctions(found, tuple(problems))


def _where(error: BaseException) -> str:
    """The line of a file of tools that an error came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.name == "<module>"]
    return f"line {lines[0]}: " if lines else ""


def _add(found: dict[str, PythonFunction], problems: list[str], function: Callable[..., Any], source: str) -> None:
    name = function.__name__
    if name in found:
        problems.append(f"{source}: {name}: there is one in {found[name].source} already")
        return
    try:
        found[name] = PythonFunction(function, source)
    except UnusableFunction as error:
        problems.append(f"{source}: {name}: {error}")


Source = tuple[str, Callable[[], list[Callable[..., Any]]]]


def _sources(folder: Path) -> Iterator[Source]:
    """Every place with functions, by its name, and how they are fetched from there."""
    for path in sorted(folder.glob("[!_.]*.py")):
        yield path.name, lambda path=path: _functions(_run(path))  # type: ignore[misc]
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        yield f"{point.name} ({point.value})", lambda point=point: _offered(point)  # type: ignore[misc]


def _run(path: Path) -> ModuleType:
    name = f"{_MODULES}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and string annotations look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _offered(point: EntryPoint) -> list[Callable[..., Any]]:
    offered = point.load()
    return _functions(offered) if isinstance(offered, ModuleType) else [offered]


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    """Those it names in `__all__`; without that, its public functions that it did not import."""
    named = getattr(module, "__all__", None)
    if named is not None:
        return [each for name in named if inspect.isfunction(each := getattr(module, name))]
    return [
        each
        for name, each in vars(module).items()
        if inspect.isfunction(each) and not name.startswith("_") and each.__module__ == module.__name__
    ]
