"""Options that come as `NAME=VALUE` from a command line, checked like those of a file."""

from __future__ import annotations

from collections.abc import Mapping as Environ
from collections.abc import Sequence as Many
from typing import TypeVar

from archiver.config.checking import Checker
from archiver.config.environment import refers
from archiver.config.nodes import Mapping, Node, Scalar, Sequence, parse
from archiver.config.problems import ConfigProblems
from archiver.config.values import secret_names
from archiver.contracts import Options

OptionsT = TypeVar("OptionsT", bound=Options)


def from_pairs(cls: type[OptionsT], pairs: Many[str], environ: Environ[str, str], flag: str) -> OptionsT:
    """Make options of `NAME=VALUE` pairs; a name given several times is a list.

    A value that begins with `[` or `{` is read as YAML, any other is taken as it is. `${NAME}` stands
    for what is in the environment; a secret must be written so, because others on the machine can read a
    command line, and shells remember it. `flag` is what the problems are told of, such as `--option`.
    Raises `ConfigProblems` with everything that is wrong.
    """
    checker = Checker(flag, environ)
    node = _mapping(checker, pairs, secret_names(cls))
    made = None if checker.problems else checker.model(cls, node, ())
    if made is None:
        hint = (
            "write every option as NAME=VALUE; a secret by reference and in single quotes: 'token=${TOKEN}'"
        )
        raise ConfigProblems(checker.problems, hint=hint)
    return made


def _mapping(checker: Checker, pairs: Many[str], secrets: frozenset[str]) -> Mapping:
    values: dict[str, list[Node]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            # What was meant may be a secret: do not repeat it.
            checker.note(_text(pair), (), "there is a value without a name", "NAME=VALUE")
        elif name in secrets and text and not refers(text):
            expected = "a reference to the environment, in single quotes"
            checker.note(_text(text), (name,), "a secret must not stand in a command", expected)
        else:
            values.setdefault(name, []).append(_value(checker, name, text))
    items = {
        name: each[0] if len(each) == 1 else Sequence(0, 0, tuple(each)) for name, each in values.items()
    }
    return Mapping(0, 0, items, {name: _text(name) for name in items})


def _value(checker: Checker, name: str, text: str) -> Node:
    if not text.startswith(("[", "{")):
        return _text(text)
    try:
        root, problems = parse(f"value: {text}", checker.file)
    except ConfigProblems as error:
        checker.note(_text(text), (name,), "this cannot be read as YAML", "a list or a mapping")
        checker.problems.extend(error.problems)
        return _text(text)
    checker.problems.extend(problems)
    return root.items["value"]


def _text(text: str) -> Scalar:
    return Scalar(0, 0, text=text)
