"""Compare the start of the command with that of an empty click program.

    python benchmarks/startup.py [--full] [--rounds N]

`archive --help` may take 2.5 times what `python -c "import click"` takes. The two take turns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import children
from children import Cost

ALLOWED = 2.5
ARCHIVE = Path(sys.executable).with_name("archive")
COMMANDS = {
    'python -c "import click"': [sys.executable, "-c", "import click"],
    "archive --help": [str(ARCHIVE), "--help"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true", help="40 rounds instead of 10")
    parser.add_argument("--rounds", type=int)
    args = parser.parse_args()
    costs: dict[str, list[Cost]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(1 + (args.rounds or (40 if args.full else 10))):
            for name, command in COMMANDS.items():
                cost = children.run(command, Path(folder))
                if turn:  # the first round fills the caches
                    costs[name].append(cost)
    least = children.median(costs['python -c "import click"']).wall
    for name, runs in costs.items():
        wall = children.median(runs).wall
        print(f"{name:26} {wall * 1000:6.0f} ms  x{wall / least:.2f}")
    ratio = children.median(costs["archive --help"]).wall / least
    print(f"archive --help takes {ratio:.2f} times as long; {ALLOWED} are allowed.")
    sys.exit(ratio > ALLOWED)


if __name__ == "__main__":
    main()
