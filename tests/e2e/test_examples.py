"""The examples are installed as strangers do it: from wheels, beside ours, in an environment of their own."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from archiver.scaffold import named
from archiver.scaffold.writing import render

ROOT = Path(__file__).parents[2]
EXAMPLES = {"source-talkarchive": ("source", "talkarchive"), "sink-sqlite": ("sink", "sqlite")}
CONFIG = """\
plugins: [talkarchive, sqlite]
archive: {title: An archive}
sinks:
  box: {type: sqlite, path: ./archive.db}
sources:
  talks: {type: talkarchive, base_url: "URL", token: "${TALKS_TOKEN}"}
events:
  - id: beijing
    title: Beijing Stop
    talks: [{title: Deploy OpenStack with Chef}]
    sources: [{use: talks, series: beijing-2012}]
"""


def call(*arguments: str | Path, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(cwd or "/nonexistent"), "LANG": "C.UTF-8", **environ}
    return subprocess.run(
        list(map(str, arguments)),
        check=False,
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
    )


def built(project: Path, into: Path) -> Path:
    """Build a wheel with the hatchling of this environment: nothing is downloaded."""
    done = call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", into, cwd=project)
    assert done.returncode == 0, done.stderr
    return max(into.glob("*.whl"), key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("wheels")
    copies = tmp_path_factory.mktemp("projects")
    for name in EXAMPLES:
        shutil.copytree(ROOT / "examples" / name, copies / name)
    return [built(project, place) for project in (ROOT, *(copies / name for name in EXAMPLES))]


@pytest.fixture(scope="module")
def commands(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the wheels, and give the folder of its commands.

    What they need is taken from this environment. Our own files there are passed over: they are found by
    a .pth file, and those count in an environment's own folder only.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    done = call(*pip, "install", "--no-index", "--no-deps", *wheels)
    assert done.returncode == 0, done.stderr
    place = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    Path(place, "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tour(tmp_path: Path) -> Iterator[tuple[Path, ModuleType]]:
    """Start the example's service, and write a configuration that names it."""
    double = load(ROOT / "examples" / "source-talkarchive" / "tests" / "double.py")
    with double.Double(list(double.SAMPLE), token="letmein") as service:
        (tmp_path / "archive.yaml").write_text(CONFIG.replace("URL", service.url), encoding="utf-8")
        yield tmp_path, service


def test_ours_comes_from_the_wheel(commands: Path) -> None:
    said = call(commands / "python", "-c", "import archiver; print(archiver.__file__)").stdout
    assert Path(said.strip()).is_relative_to(commands.parent)


def test_the_templates_are_in_the_wheel(wheels: list[Path]) -> None:
    inside = set(zipfile.ZipFile(wheels[0]).namelist())
    templates = ROOT / "src" / "archiver" / "scaffold" / "templates"
    names = {f"archiver/scaffold/templates/{path.relative_to(templates)}" for path in templates.rglob("*.*")}
    assert len(names) > 8
    assert names <= inside


def test_the_wheel_writes_a_plugin(commands: Path, tmp_path: Path) -> None:
    done = call(commands / "archive", "plugins", "new", "source", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "archiver-mine" / "tests" / "double.py").exists()


def test_they_are_listed_and_run_where_they_are_named(commands: Path, tour: tuple[Path, ModuleType]) -> None:
    folder, _ = tour
    told = call(commands / "archive", "plugins", "list", "--json", cwd=folder)
    plugins = {plugin["name"]: plugin for plugin in json.loads(told.stdout)["plugins"]}
    assert [plugins[name]["state"] for name in ("talkarchive", "sqlite")] == ["ok", "ok"]
    assert plugins["talkarchive"]["origin"] == "archiver-talkarchive"
    assert plugins["sqlite"]["kinds"] == ["sink"]


@pytest.mark.timeout(300)
def test_a_run_collects_from_one_and_keeps_in_the_other(
    commands: Path, tour: tuple[Path, ModuleType]
) -> None:
    folder, service = tour
    first = call(commands / "archive", "run", cwd=folder, TALKS_TOKEN="letmein")
    assert first.returncode == 0, first.stderr
    status = json.loads(
        call(commands / "archive", "status", "--json", cwd=folder, TALKS_TOKEN="letmein").stdout
    )
    assert status["events"][0]["kinds"]["slides"]["have"] >= 1
    found = call(commands / "archive", "search", "云计算", "--json", cwd=folder, TALKS_TOKEN="letmein").stdout
    assert "云计算的思考" in found
    service.requests.clear()
    second = call(commands / "archive", "run", cwd=folder, TALKS_TOKEN="letmein")
    assert second.returncode == 0, second.stderr
    assert {logged.query["since"] for logged in service.requests.matching("/series/*")} == {
        "2012-09-18T09:00:00Z"
    }
    assert service.requests.count("/talks/*") == 0
    proven = call(commands / "archive", "verify", cwd=folder, TALKS_TOKEN="letmein")
    assert proven.returncode == 0, proven.stdout + proven.stderr


def test_the_source_can_be_tried(commands: Path, tour: tuple[Path, ModuleType]) -> None:
    folder, service = tour
    given = ("--option", f"base_url={service.url}", "--option", "token=${TALKS_TOKEN}", "--entry", "series=x")
    done = call(
        commands / "archive", "plugins", "try", "talkarchive", *given, cwd=folder, TALKS_TOKEN="letmein"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 items listed, 3 fetched, 0 problems." in done.stdout
    assert "letmein" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_imports_the_public_module_alone(name: str) -> None:
    for path in (ROOT / "examples" / name / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not [alias for alias in node.names if alias.name.split(".")[0] == "archiver"]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "archiver":
                assert (node.module, [alias.name for alias in node.names]) == ("archiver", ["api"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_what_is_generated_and_something_real(name: str) -> None:
    kind, word = EXAMPLES[name]
    generated = render(kind, named(word))
    folder = ROOT / "examples" / name
    differ = {path for path, text in generated.items() if (folder / path).read_text("utf-8") != text}
    more = {
        "source": {"src/archiver_talkarchive/__init__.py", "tests/double.py"},
        "sink": {"src/archiver_sqlite/store.py"},
    }
    assert differ - {"LICENSE"} == more[kind] | {"README.md", f"tests/test_archiver_{word}.py"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_own_tests_pass(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / name, tmp_path / name)
    options = ("-q", "-p", "no:cacheprovider", "-k", "not TestContract")
    done = call(sys.executable, "-m", "pytest", *options, cwd=tmp_path / name)
    assert done.returncode == 0, done.stdout
