"""Python functions as tools: what a file of tools imports from here."""

from app.errors import ToolError
from app.tools.python.context import ToolContext

__all__ = ["ToolContext", "ToolError"]
