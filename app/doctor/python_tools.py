"""Which Python functions agents may use."""

from app.doctor.report import Check
from app.tools.python.load import PythonFunctions


def python_tools(functions: PythonFunctions) -> list[Check]:
    """Those that were found, and what could not be used; nothing where there is no such thing."""
    found = [Check("python tools", "problem", problem) for problem in functions.problems]
    if functions.by_name:
        names = (f"{name} ({function.source})" for name, function in sorted(functions.by_name.items()))
        found.append(Check("python tools", "ok", ", ".join(names)))
    return found
