"""Tools that ask a web service of the operator's."""
