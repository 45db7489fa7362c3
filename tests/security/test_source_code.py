"""What the program's own source may not hold: code made of data, shells, loaders that run what they read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("src/archiver", "plugins/archiver_plugins") for path in (ROOT / folder).rglob("*.py")
)
MODULES = {"pickle", "marshal", "shelve", "dill", "code", "codeop", "pty", "telnetlib", "xmlrpc"}
#: A task is packed and unpacked within one line there, to show a plugin's author that it can be.
MAY_PICKLE = {"src/archiver/testing/sources_fetching.py"}
BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
CALLS = {
    "os.system", "os.popen", "os.execv", "os.execve", "os.execvp", "os.spawnv", "os.spawnl", "os.fork",
    "tempfile.mktemp", "subprocess.getoutput", "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
    "ssl._create_unverified_context", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "yaml.safe_load",
}  # fmt: skip


@cache
def trees() -> dict[str, ast.Module]:
    """Parse every source, by its path."""
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8"), str(path)) for path in SOURCES}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Name what no source may do, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names if each.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield node.lineno, str(node.module)
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in BUILTINS or name in CALLS:
                yield node.lineno, name
            yield from (
                (node.lineno, f"{name}({word.arg}=…)") for word in node.keywords if _dangerous(name, word)
            )
        elif isinstance(node, ast.Attribute) and node.attr in {"CERT_NONE", "UnsafeLoader", "FullLoader"}:
            yield node.lineno, node.attr


def _dangerous(call: str, word: ast.keyword) -> bool:
    if word.arg == "Loader":  # of strings only: `yaml.load` with it makes no objects
        return call == "yaml.load" and dotted(word.value) != "yaml.BaseLoader"
    value = word.value.value if isinstance(word.value, ast.Constant) else None
    return (
        (word.arg == "shell" and value is not False)
        or (word.arg in {"verify", "check_hostname"} and value is False)
        or (word.arg in {"resolve_entities", "load_dtd", "huge_tree"} and value is not False)
        or (word.arg == "no_network" and value is not True)
        or (word.arg == "autoescape" and value is not True)
    )


def test_no_source_runs_what_it_reads() -> None:
    found = [(name, *each) for name, tree in trees().items() for each in faults(tree)]
    assert [each for each in found if each[2] != "pickle" or each[0] not in MAY_PICKLE] == []
    assert len(trees()) > 300


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from marshal import loads", "eval(x)", "exec('x')", "os.system(x)",
        "subprocess.run(x, shell=True)", "subprocess.run(x, shell=wanted)",
        "yaml.load(x, Loader=yaml.Loader)",
        "yaml.unsafe_load(x)", "client(verify=False)", "ssl.CERT_NONE", "etree.XMLParser(huge_tree=True)",
        "etree.XMLParser(no_network=False)", "Environment(autoescape=False)", "tempfile.mktemp()",
    ],
)  # fmt: skip
def test_the_search_finds_each_fault(line: str) -> None:
    assert list(faults(ast.parse(line)))


def test_every_xml_parser_is_bound() -> None:
    """What lxml leaves open by default is closed wherever a parser is made."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and dotted(node.func).endswith(("XMLParser", "iterparse")):
                words = {word.arg for word in node.keywords}
                assert {"resolve_entities", "no_network"} <= words or "html" in words, (path, node.lineno)
