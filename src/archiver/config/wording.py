"""The words for what is wrong with a value: what was found, and what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from archiver.config.nodes import Node, Scalar, describe
from archiver.config.problems import listed, nearest

#: The kind of error that our own classes raise, with `expected` and maybe `nearest` as its context.
OURS = "archiver.expected"

#: What a class expects, by the kind of error (docs.pydantic.dev, "Validation Errors").
_EXPECTED: dict[str, str] = {
    OURS: "{expected}",
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "path_type": "a path",
    "none_required": "nothing",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "text, {min_length} letters or more",
    "string_too_long": "text, {max_length} letters or fewer",
    "string_pattern_mismatch": "text that matches {pattern}",
    "too_short": "a list, {min_length} or more",
    "too_long": "a list, {max_length} or fewer",
    "enum": "{expected}",
    "literal_error": "{expected}",
}


class Finding(NamedTuple):
    """What is wrong, what was expected, and what was probably meant."""

    message: str
    expected: str = ""
    suggestion: str = ""


def found(node: Node, *, secret: bool = False) -> str:
    """Say what stands in the file: of a reference the reference, of a secret nothing."""
    if secret and isinstance(node, Scalar) and not node.is_null:
        return "this secret does not fit"
    return f"found {describe(node)}"


def unknown(key: str, known: Iterable[str]) -> Finding:
    """Word a key that nobody knows."""
    known = sorted(known)
    suggestion = nearest(key, known)
    if key == "<<":
        return Finding("merge keys are not supported", "the keys themselves")
    return Finding("unknown key", "" if suggestion or not known else f"one of {listed(known)}", suggestion)


def wrong(error: Any, node: Node, *, secret: bool, hidden: Iterable[str]) -> Finding:
    """Word one error of pydantic about a value. `hidden` are texts that no message may show."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format(**context)
        suggestion = "" if secret else _suggestion(node, expected, context)
        return Finding(found(node, secret=secret), expected.replace("'", ""), suggestion)
    said = re.sub(r"^(Value error|Assertion failed), ", "", error["msg"])
    for text in sorted(filter(None, hidden), key=len, reverse=True):
        said = said.replace(text, "***")
    return Finding(said)


def _suggestion(node: Node, expected: str, context: dict[str, Any]) -> str:
    if "nearest" in context:
        return str(context["nearest"])
    choices = re.findall(r"'([^']+)'", expected)  # pydantic writes "'slides', 'video' or 'photo'"
    return nearest(node.text, choices) if choices and isinstance(node, Scalar) else ""
