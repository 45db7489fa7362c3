"""The README's five minutes, typed as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import media_samples as samples

ROOT = Path(__file__).parents[2]


def commands(heading: str) -> list[str]:
    """The indented lines below a heading of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section
    return [line[4:] for line in section[1].splitlines() if line.startswith("    ")]


def test_a_first_own_archive(tmp_path: Path) -> None:
    lines = commands("Your own archive in five minutes")
    assert sum(line.startswith("archive ") for line in lines) >= 5
    (tmp_path / "stick").mkdir()
    (tmp_path / "talk.pdf").write_bytes(samples.pdf(["How we archive our talks", "with openstack inside"]))
    (tmp_path / "stick" / "deck.pdf").write_bytes(samples.pdf(["handed over on a stick"]))
    # The README puts the environment of `make demo` on the path; here it is the one the tests run in.
    here = str(Path(sys.executable).parent)
    script = "\n".join(["set -e", *(line for line in lines if not line.startswith("export PATH"))])
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "HOME": str(tmp_path), "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "How we archive our talks" in done.stdout
    assert len(list((tmp_path / "meetups/archive").glob("ocfl/first-meetup/v*/content/slides/*.pdf"))) == 2
