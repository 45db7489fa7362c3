"""Write the reference of `archiver.api` from its signatures and docstrings.

python docs/make_api_reference.py          write docs/reference/api.md
python docs/make_api_reference.py --check  say whether it is current
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from archiver import api, hooks

PAGE = Path(__file__).parent / "reference" / "api.md"
INTRO = """\
<!-- Made by docs/make_api_reference.py from the code: change it there. -->

# What a plugin may import

A plugin imports `archiver.api` and nothing else of this program. What stands here is the contract, version
{version}; [what may change](compatibility.md) says how long it holds. The tests compare this page with the
code, so that no name and no signature changes by accident.

[Your first source in twenty minutes](../tutorial/first-source.md) shows how these fit together.
"""
GROUPS = {
    "Sources and sinks": ("Source", "Sink"),
    "What a source yields": ("Material", "Unavailable", "Checkpoint", "Fetched", "Kind", "Role", "Grade"),
    "What a source is asked for": ("Scope", "ScopeEntry", "Event", "Talk"),
    "What a sink stores": ("Blob", "Stat"),
    "What the core lends": ("Context", "Http", "Response", "Downloaded", "RawResponse", "Progress"),
    "Options": ("Options", "BaseUrl"),
}


def main() -> int:
    """Write the page, or compare it."""
    text = render()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text("utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    print(PAGE)
    return 0


def render() -> str:
    """Return the text of the page."""
    parts = [INTRO.format(version=api.API_VERSION)]
    for title, names in _groups():
        parts.append(f"## {title}\n")
        parts += [part for name in names for part in _described(name, getattr(api, name))]
    parts.append("## Hooks\n\nA plugin marks its functions of these names with `@api.hookimpl`.\n")
    for name in sorted(vars(hooks)):
        if name.startswith("archiver_"):
            parts += _described(name, getattr(hooks, name))
    return "\n".join(parts).rstrip() + "\n"


def _groups() -> Iterator[tuple[str, list[str]]]:
    grouped = {name for names in GROUPS.values() for name in names}
    for title, names in GROUPS.items():
        yield title, list(names)
    rest = [name for name in api.__all__ if name not in grouped]
    errors = [name for name in rest if name.endswith("Error")]
    yield "Errors", errors
    yield "Helpers", [name for name in rest if name not in errors]


def _described(name: str, thing: Any) -> Iterator[str]:
    yield f"### `{name}`\n"
    if inspect.isclass(thing):
        yield from _class(name, thing)
    elif inspect.isfunction(thing):
        yield f"```python\n{name}{_signature(thing)}\n```\n\n{_prose(thing)}\n"
    elif isinstance(thing, int):
        yield f"`{thing}`\n"
    else:
        yield f"{_about(thing)}\n"


def _class(name: str, cls: type[Any]) -> Iterator[str]:
    base = next((each.__name__ for each in cls.__bases__ if each is not object), "")
    bases = f"({base})" if base and base not in {"ABC", "Protocol", "Generic"} else ""
    yield f"```python\nclass {name}{bases}\n```\n\n{_prose(cls)}\n"
    if issubclass(cls, Enum):
        yield "\n".join(f"- `{member.name}` = `{member.value!s}`" for member in cls) + "\n"
        return
    fields = _fields(cls)
    if fields:
        yield "| attribute | type | default |\n|-|-|-|\n" + "\n".join(fields) + "\n"
    for method, function in _methods(cls):
        yield f"**`{method}`**\n\n```python\n{method}{_signature(function)}\n```\n\n{_prose(function)}\n"


def _fields(cls: type[Any]) -> list[str]:
    rows = []
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if not name.startswith("_") and name != "model_config":
            row = (f"`{name}`", f"`{annotation}`", _default(cls, name))
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return rows


def _default(cls: type[Any], name: str) -> str:
    known = getattr(cls, "__dataclass_fields__", {}).get(name)
    if known is not None:
        factory = getattr(known.default_factory, "__name__", "")
        if factory:
            return f"`{factory}()`" if factory.isidentifier() else "made for each"
        value = known.default
        return "**required**" if type(value).__name__ == "_MISSING_TYPE" else f"`{_plain(value)}`"
    value = vars(cls).get(name, inspect.Parameter.empty)
    return (
        "" if value is inspect.Parameter.empty or inspect.ismemberdescriptor(value) else f"`{_plain(value)}`"
    )


def _plain(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value)
    return str(getattr(value, "__name__", None) or repr(value))


def _methods(cls: type[Any]) -> Iterator[tuple[str, Any]]:
    for name, value in vars(cls).items():
        inner = value.fget if isinstance(value, property) else value
        inner = inner.__func__ if isinstance(inner, classmethod | staticmethod) else inner
        public = not name.startswith("_") or name == "__call__"
        if public and inspect.isfunction(inner) and inspect.getdoc(inner):
            yield name, inner


def _signature(function: Any) -> str:
    text = str(inspect.signature(function))
    text = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", text).replace("'", "")
    text = re.sub(r"<(?:\w+\.)+(\w+): \w+>", r"\1", text).replace("= Ellipsis", "= ...")
    return text if len(text) <= 90 else re.sub(r"(?<=[(,]) ?(?=[\w*]+(?:[:,]|\.\.\.))", "\n    ", text)


def _prose(thing: Any) -> str:
    """Give a docstring as Markdown: indented pieces are code."""
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(
        f"```python\n{textwrap.dedent(each)}\n```" if each.startswith("    ") else each for each in paragraphs
    )


def _about(thing: Any) -> str:
    if thing is api.BaseUrl:
        return "The type of an option `base_url`: an http or https address, without a slash at its end."
    return (inspect.getdoc(type(thing)) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
