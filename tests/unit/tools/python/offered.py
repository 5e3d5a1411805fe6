"""What an installed package would offer."""


def offered(name: str) -> str:
    """Say hello."""
    return f"Hello {name}"
