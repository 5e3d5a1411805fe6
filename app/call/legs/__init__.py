"""The two legs of a call: the caller's streams, and the agent's sessions one after the other."""
