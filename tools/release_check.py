"""Look whether this tree could be released as it is: build it, look inside, install it, run it.

    python tools/release_check.py                  everything, on every supported Python that is found
    python tools/release_check.py --python PATH    on these only (repeatable)
    python tools/release_check.py --keep dist      leave the wheel and the sdist there

Needs hatchling, packaging, trove-classifiers and markdown-it-py. The builds are done without an environment
of their own; what the installed wheel needs is taken by pip from wherever pip is set up to take it, in the
versions of constraints.txt. One line is printed per check. Exit: 0 all well · 1 not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import click
from release import artifacts, installed, pythons

ROOT = Path(__file__).parents[1]
#: What a build may see: the time of the last commit, so that the same tree makes the same bytes.
_FIXED_TIME = "1577836800"  # 2020-01-01, where git does not tell


@dataclass
class Results:
    """What was checked, and what of it was wrong."""

    failed: list[str] = field(default_factory=list)

    def tell(self, what: str, problems: Sequence[str]) -> None:
        """Print one line, and one more for each problem."""
        click.echo(f"{'FAILED' if problems else 'ok':6}  {what}")
        for problem in problems:
            click.echo(f"        {problem}")
        if problems:
            self.failed.append(what)


def build(tree: Path, into: Path, target: str) -> Path:
    """Build a `wheel` or an `sdist` of a tree with this environment's hatchling; give the file."""
    into.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "SOURCE_DATE_EPOCH": _time(), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(  # noqa: S603  # our own arguments
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=tree,
        env=env,
        check=True,
        capture_output=True,
    )
    (made,) = into.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return made


def _time() -> str:
    git = shutil.which("git")
    if os.environ.get("SOURCE_DATE_EPOCH") or git is None:
        return os.environ.get("SOURCE_DATE_EPOCH") or _FIXED_TIME
    done = subprocess.run(  # noqa: S603  # our own arguments
        [git, "log", "-1", "--format=%ct"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout.strip() or _FIXED_TIME


def unpacked(sdist: Path, into: Path) -> Path:
    """Unpack an sdist that was built here; give the tree in it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(into, filter="data")
    (tree,) = into.iterdir()
    return tree


def check_builds(folder: Path, results: Results) -> Path:
    """Build both, once from here and the wheel once more from the sdist; look into them. Gives the wheel."""
    wheel, sdist = build(ROOT, folder / "wheel", "wheel"), build(ROOT, folder / "sdist", "sdist")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    results.tell(f"metadata of {wheel.name}", artifacts.metadata_problems(wheel, changes))
    results.tell(f"contents of {wheel.name}", artifacts.wheel_problems(wheel, ROOT))
    results.tell(f"contents of {sdist.name}", artifacts.sdist_problems(sdist))
    again = build(unpacked(sdist, folder / "tree"), folder / "again", "wheel")
    same = artifacts.digest(wheel) == artifacts.digest(again)
    differing = artifacts.differences(wheel, again) or ["the files are alike, their packing is not"]
    results.tell(
        f"the sdist makes the same wheel, {artifacts.digest(again)[:12]}…", [] if same else differing
    )
    return wheel


def check_python(python: Path, wheel: Path, results: Results) -> None:
    """Install the wheel for one Python, away from this tree, and use it."""
    name = f"Python {pythons.version(python)}"
    with tempfile.TemporaryDirectory(prefix="release-check-") as folder:
        for what, problems in _steps(python, wheel, Path(folder)):
            results.tell(f"{name}: {what}", problems)
            if problems:  # what comes after it would fail too
                return


def _steps(python: Path, wheel: Path, folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    place, problems = installed.install(python, wheel, ROOT / "constraints.txt", folder)
    yield "installs into a clean environment", problems
    yield "is imported from there", installed.import_problems(place, ROOT)
    yield "every entry point loads", installed.plugin_problems(place)
    yield "archive demo, twice", installed.demo_problems(place)


@click.command(help=__doc__)
@click.option("--python", "named", type=click.Path(path_type=Path, exists=True), multiple=True)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Where the builds go.")
def main(named: tuple[Path, ...], keep: Path | None) -> None:
    """Check everything, and leave with 1 when something is wrong."""
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="release-check-")))
        wheel = check_builds(folder, results)
        for python in named or pythons.supported(ROOT):
            check_python(python, wheel, results)
        if missing := [] if named else pythons.missing(ROOT):
            click.echo(f"note    not found here, so not tried: Python {', '.join(missing)}")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for made in (wheel, *(folder / "sdist").iterdir()):
                shutil.copy2(made, keep)
    click.echo(f"{len(results.failed)} checks failed." if results.failed else "Ready to be released.")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
