"""What time it is where the agent's callers are."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from app.call.tools.tool_calls import Asked
from app.conf.models import CurrentTimeTool


async def current_time(zone: tzinfo, asked: Asked) -> str:
    """Weekday, date and time, in the tool's own zone or else in this one."""
    tool = asked.tool
    assert isinstance(tool, CurrentTimeTool)  # noqa: S101 - the toolbox goes by the type
    return told(datetime.now(ZoneInfo(tool.timezone) if tool.timezone else zone))


def told(at: datetime) -> str:
    """A moment with its zone, like `Saturday 2026-11-21 14:36 (Europe/Berlin, UTC+1)`."""
    return f"{at:%A %Y-%m-%d %H:%M} ({at.tzinfo}, {_offset(at)})"


def _offset(at: datetime) -> str:
    hours, minutes = f"{at:%z}"[:3], f"{at:%z}"[3:5]
    return f"UTC{int(hours):+}" + (f":{minutes}" if minutes != "00" else "")
