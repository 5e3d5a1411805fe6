"""Old shapes in today's words: the beta wire, two peers' configurations, retired models and voices.

Each function is pure and gives back the value it was given, in today's shape, with warnings that say what was
replaced or dropped. A value that is of today comes back as it is. `ConfInvalid` is raised only where an old and a
new word for one field disagree; what is wrong in itself is left to the typed models.
"""

from app.openai.legacy.agent import AGENT_PLACES, agent
from app.openai.legacy.session import response, session

__all__ = ["AGENT_PLACES", "agent", "response", "session"]
