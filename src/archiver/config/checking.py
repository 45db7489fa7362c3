"""Checks a part of the file against a typed class, and notes every error at its place."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Environ
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from archiver.config.nodes import Mapping, Node, Scalar, Sequence
from archiver.config.problems import Keys, Problem, path_text
from archiver.config.values import Values, option_names, secret_names
from archiver.config.wording import Finding, found, unknown, wrong
from archiver.contracts import Options

OptionsT = TypeVar("OptionsT", bound=Options)


@dataclass
class Checker:
    """Collects the problems of one file."""

    file: str
    environ: Environ[str, str]
    problems: list[Problem] = field(default_factory=list)

    def note(self, node: Node, keys: Keys, message: str, expected: str = "", suggestion: str = "") -> None:
        """Add a problem at a node."""
        place = (node.line, node.column)
        self.problems.append(Problem(self.file, *place, path_text(keys), message, expected, suggestion))

    def mapping(self, node: Node | None, keys: Keys, expected: str = "a mapping") -> Mapping | None:
        """Return the node if it is a mapping; note a problem if it is anything else but absent."""
        if node is None or isinstance(node, Mapping):
            return node
        self.note(node, keys, found(node), expected)
        return None

    def sequence(self, node: Node | None, keys: Keys, expected: str = "a list") -> Sequence | None:
        """Return the node if it is a list; note a problem if it is anything else but absent."""
        if node is None or isinstance(node, Sequence):
            return node
        self.note(node, keys, found(node), expected)
        return None

    def text(self, node: Node, keys: Keys, expected: str) -> str | None:
        """Return the text of a scalar with its references replaced, else note a problem."""
        if not isinstance(node, Scalar) or node.is_null:
            self.note(node, keys, found(node), expected)
            return None
        values = Values(self)
        text = values.text(node, keys)
        return None if values.unresolved else text

    def unknown(self, node: Mapping, keys: Keys, key: str, known: Iterable[str]) -> None:
        """Note a key that nobody knows, with the one that was probably meant."""
        self.note(node.keys[key], (*keys, key), *unknown(key, known))

    def model(self, cls: type[OptionsT], node: Mapping, keys: Keys) -> OptionsT | None:
        """Check a mapping against a class; return its instance, or note what is wrong."""
        values = Values(self, secret_names(cls))
        data = values.options(cls, node, keys)
        errors: list[Any] = []
        try:
            made = cls.model_validate(data)
        except ValidationError as error:
            errors = list(error.errors(include_url=False, include_input=False))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a validator of a plugin may raise anything
            said = f"the plugin failed while it checked its options: {type(error).__name__}: {error}"
            errors = [{"type": "fault", "loc": (), "msg": said}]
        else:
            return None if values.unresolved else made
        _Errors(self, cls, values).note(errors, node, keys)
        return None


class _Errors:
    """Finds the place of each error that pydantic reports, and notes it."""

    def __init__(self, checker: Checker, cls: type[Options], values: Values) -> None:
        self._checker = checker
        self._known = option_names(cls)
        self._secrets = secret_names(cls)
        self._values = values

    def note(self, errors: Iterable[Any], node: Mapping, keys: Keys) -> None:
        """Note each error once for each place: a union of types reports every one of its members."""
        seen: set[Keys] = set()
        for error in errors:
            place, trail = _locate(error["loc"], node)
            if error["type"] == "missing":
                trail = tuple(error["loc"])
            if trail in seen:
                continue
            seen.add(trail)
            if error["type"] == "extra_forbidden":
                key, _ = _locate(error["loc"], node, of_key=True)
                known = self._known if len(trail) == 1 else ()
                self._checker.note(key, (*keys, *trail), *unknown(str(trail[-1]), known))
            elif not self._values.depends_on_missing(place):
                self._checker.note(place, (*keys, *trail), *self._word(error, place, trail))

    def _word(self, error: Any, place: Node, trail: Keys) -> Finding:
        if error["type"] == "missing":
            return Finding(f"{trail[-1]!r} is missing")
        secret = bool(trail) and trail[0] in self._secrets
        return wrong(error, place, secret=secret, hidden=self._values.hidden)


def _locate(loc: Iterable[str | int], node: Node, *, of_key: bool = False) -> tuple[Node, Keys]:
    # What the file does not have ends the way: a missing key, the members of a union ("int", "Talk").
    trail: Keys = ()
    key = node
    for step in loc:
        if isinstance(node, Mapping) and step in node.items:
            key, node = node.keys[str(step)], node.items[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            key = node = node.items[step]
        else:
            break
        trail = (*trail, step)
    return (key if of_key else node), trail
