"""Nodes as the values that typed classes are checked against; which options are secret."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from archiver.config.environment import expand
from archiver.config.nodes import Mapping, Node, Scalar, Sequence
from archiver.config.problems import Keys

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from archiver.config.checking import Checker


def option_names(cls: type[BaseModel]) -> frozenset[str]:
    """Name the options of a class as they are written in the file."""
    return frozenset(_written(key, info) for key, info in cls.model_fields.items())


def secret_names(cls: type[BaseModel]) -> frozenset[str]:
    """Name the options of a class that hold a secret, at any depth."""
    fields = cls.model_fields.items()
    return frozenset(_written(key, info) for key, info in fields if _is_secret(info.annotation))


def _written(key: str, info: FieldInfo) -> str:
    alias = info.validation_alias
    return alias if isinstance(alias, str) else info.alias or key


def _is_secret(annotation: Any, seen: frozenset[Any] = frozenset()) -> bool:
    if isinstance(annotation, type):
        if issubclass(annotation, SecretStr | SecretBytes | Secret):
            return True
        if issubclass(annotation, BaseModel) and annotation not in seen:
            fields = annotation.model_fields.values()
            return any(_is_secret(info.annotation, seen | {annotation}) for info in fields)
    return any(_is_secret(argument, seen) for argument in typing.get_args(annotation))


class Values:
    """Turns nodes into mappings, lists and text.

    `hidden` gathers what no message may show: what came from the environment, and the secrets.
    `unresolved` are the ids of the nodes whose references could not be replaced.
    """

    def __init__(self, checker: Checker, secrets: frozenset[str] = frozenset()) -> None:
        self._checker = checker
        self._secrets = secrets
        self.hidden: set[str] = set()
        self.unresolved: set[int] = set()

    def options(self, cls: type[BaseModel], node: Mapping, keys: Keys) -> dict[str, Any]:
        """Convert a block of options: a known key without a value counts as left out."""
        known = option_names(cls)
        return {
            key: self.value(value, (*keys, key), secret=key in self._secrets)
            for key, value in node.items.items()
            if not (key in known and isinstance(value, Scalar) and value.is_null)
        }

    def value(self, node: Node, keys: Keys, *, secret: bool = False) -> Any:
        """Convert a node and all below it."""
        if isinstance(node, Mapping):
            return {key: self.value(item, (*keys, key), secret=secret) for key, item in node.items.items()}
        if isinstance(node, Sequence):
            return [self.value(item, (*keys, index), secret=secret) for index, item in enumerate(node.items)]
        assert isinstance(node, Scalar)
        if node.is_null:
            return None
        text = self.text(node, keys)
        self.hidden.update([text] if secret else [])
        return text

    def text(self, node: Scalar, keys: Keys) -> str:
        """Replace the references in a text; note those that cannot be."""
        expanded = expand(node.text, self._checker.environ)
        for name in dict.fromkeys(expanded.missing):
            expected = f"a value for it, or a default: ${{{name}:-…}}"
            self._checker.note(node, keys, f"the environment variable {name} is not set", expected)
        if expanded.malformed:
            expected = "${NAME} or ${NAME:-default}; a dollar is written $$"
            self._checker.note(node, keys, "this reference cannot be read", expected)
        if expanded.missing or expanded.malformed:
            self.unresolved.add(id(node))
        self.hidden.update([*expanded.values, expanded.text] if expanded.values else [])
        return expanded.text

    def depends_on_missing(self, node: Node) -> bool:
        """Say whether anything in a node could not be resolved: what follows from that is no news."""
        if not self.unresolved:
            return False
        if isinstance(node, Mapping):
            return any(self.depends_on_missing(item) for item in node.items.values())
        if isinstance(node, Sequence):
            return any(self.depends_on_missing(item) for item in node.items)
        return id(node) in self.unresolved
