"""The wheel as a stranger has it: in an environment of its own, with this tree out of reach."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 900
#: What the demo leaves with: it shows problems on purpose.
_DEMO_CODES = {0, 1}


@dataclass(frozen=True)
class Place:
    """An environment: its Python, and an empty folder to work in."""

    python: Path
    work: Path

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python, seeing nothing of the tree that the wheel was built from."""
        # pip's own settings stay, as they say where packages come from. -I: neither PYTHONPATH nor the
        # working directory is looked into.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
        kept |= {"HOME": str(self.work), "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(  # noqa: S603  # our own arguments
            [str(self.python), "-I", "-X", "utf8", *map(str, words)],
            cwd=self.work,
            env=kept,
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SECONDS,
        )

    def archive(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the installed command."""
        return self.run(self.python.with_name("archive"), *words)


def install(python: Path, wheel: Path, constraints: Path, folder: Path) -> tuple[Place, list[str]]:
    """Make an environment in a folder and install the wheel; say what went wrong."""
    place = Place(folder / "environment" / "bin" / "python", folder / "work")
    place.work.mkdir(parents=True)
    made = subprocess.run(  # noqa: S603  # a Python that the user has
        [str(python), "-m", "venv", str(folder / "environment")], check=False, capture_output=True, text=True
    )
    if made.returncode:
        return place, [_last(made)]
    pip = ("-m", "pip", "--disable-pip-version-check", "--no-cache-dir")
    done = place.run(*pip, "install", "--quiet", "--constraint", constraints, wheel)
    checked = place.run(*pip, "check") if done.returncode == 0 else done
    return place, [_last(checked)] if checked.returncode else []


def import_problems(place: Place, root: Path) -> list[str]:
    """Look whether the packages come from the environment, and from nowhere in the tree."""
    code = (
        "import json, sys, archiver, archiver_plugins as plugins;"
        "print(json.dumps([archiver.__file__, plugins.__file__, *sys.path]))"
    )
    done = place.run("-c", code)
    if done.returncode:
        return [_last(done)]
    modules, home = json.loads(done.stdout), str(place.python.parents[1])
    found = [path for path in modules if Path(path).is_relative_to(root)]
    return [f"{path} is in the tree" for path in found] + [
        f"{path} is not in the environment" for path in modules[:2] if not path.startswith(home)
    ]


def plugin_problems(place: Place) -> list[str]:
    """Look whether the command runs and every bundled plugin loads."""
    version, listed = place.archive("--version"), place.archive("plugins", "list", "--json")
    if failed := [done for done in (version, listed) if done.returncode]:
        return [_last(done) for done in failed]
    plugins = json.loads(listed.stdout)["plugins"]
    names = place.run(
        "-c", "from importlib.metadata import entry_points as e; print(len(e(group='archiver')))"
    )
    bad = [f"{each['name']}: {each['reason']}" for each in plugins if each["state"] != "ok"]
    return bad or ([] if len(plugins) == int(names.stdout) else ["not every entry point is listed"])


def demo_problems(place: Place) -> list[str]:
    """Run the demo twice: the first time everything comes, the second time nothing is new."""
    first, second = (_demo(place) for _ in range(2))
    if isinstance(first, str) or isinstance(second, str):
        return [each for each in (first, second) if isinstance(each, str)]
    problems = [] if first > 0 else ["the first time, nothing was archived"]
    return problems if second == 0 else [*problems, f"the second time, {second} were new"]


def _demo(place: Place) -> int | str:
    """Run the demo; give how many materials were new, or what went wrong."""
    done = place.archive("demo", "--into", place.work / "demo", "--json")
    if done.returncode not in _DEMO_CODES:
        return _last(done)
    counts = json.loads(done.stdout.splitlines()[-1])["counts"]
    return sum(int(each.get("new", 0)) for sources in counts.values() for each in sources.values())


def _last(done: subprocess.CompletedProcess[str]) -> str:
    said = (done.stderr or done.stdout or "").strip()[-1500:]
    return f"left with {done.returncode}: {said}"
