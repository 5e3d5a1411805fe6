"""The running of an agent's tools in a call; what tools there are is in `app.tools`."""
