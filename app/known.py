"""What this build can do, as configuration is checked against it."""

from app.conf.models import Known
from app.openai.rules import OPENAI_RULES
from app.tools.python.load import PythonFunctions


def known(functions: PythonFunctions | None = None, max_calls: int | None = None) -> Known:
    """With the Python functions and the server's own limit where they matter."""
    return Known(
        providers={"openai": OPENAI_RULES}, functions=functions.known if functions else None, max_calls=max_calls
    )
