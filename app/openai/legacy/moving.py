"""One value on its way from old words to today's."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from app.errors import ConfInvalid

MISSING: Final = object()
"""What stands where nothing was said; null was said."""


class Moving:
    """Takes fields from where they were and places them where they belong; nothing is lost without a warning."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.value: dict[str, Any] = copy.deepcopy(dict(value))
        self.warnings: list[str] = []
        self.old = False
        """Whether any old word was met: then retired voices are replaced instead of refused."""
        self._placed: dict[str, tuple[Any, str]] = {}

    def take(self, path: str) -> Any:
        """What stands at that path, or `MISSING`; it is gone from there, with every object that it leaves empty."""
        *parents, name = path.split(".")
        nodes = [self.value]
        for parent in parents:
            node = nodes[-1].get(parent)
            if not isinstance(node, dict):
                return MISSING
            nodes.append(node)
        taken = nodes[-1].pop(name, MISSING)
        if taken is not MISSING:
            for node, key in zip(reversed(nodes[:-1]), reversed(parents), strict=True):
                if not node[key]:
                    del node[key]
        return taken

    def place(self, path: str, value: Any, word: str) -> None:
        """Put the value where it belongs; raises `ConfInvalid` when another word has said something else."""
        said, other = self._placed.get(path, (value, word))
        if said != value:
            raise ConfInvalid(f"{word}: disagrees with {other}; they are two words for one field")
        self._placed[path] = (value, other)
        self._put(path, value)

    def placed(self, path: str) -> Any:
        """What was placed at that path, or `MISSING`."""
        return self._placed[path][0] if path in self._placed else MISSING

    def replace(self, path: str, value: Any, why: str) -> None:
        """Put another value where one was placed, and say why."""
        self.warn(path, f"{self.placed(path)} {why}; replaced by {value}")
        self._put(path, value)

    def drop(self, path: str, why: str) -> None:
        """Leave a field out, and say why; nobody misses one that was null."""
        taken = self.take(path)
        self.old = self.old or taken is not MISSING
        if taken is not MISSING and taken is not None:
            self.warn(path, f"left out: {why}")

    def unwrap(self, name: str) -> None:
        """Bring the fields of a nested configuration to the top."""
        nested = self.value.get(name)
        if not isinstance(nested, dict):
            return
        self.old = True
        del self.value[name]
        for key, value in nested.items():
            if self.value.setdefault(key, value) != value:
                raise ConfInvalid(f"{name}.{key}: disagrees with {key}; they are two words for one field")

    def warn(self, path: str, text: str) -> None:
        """Say what became of a field."""
        self.warnings.append(f"{path}: {text}")

    def _put(self, path: str, value: Any) -> None:
        *parents, name = path.split(".")
        node = self.value
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ConfInvalid(f"{path}: {parent} is no object")
        node[name] = value
