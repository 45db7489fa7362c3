"""Where the command `archive` begins, and `python -m archiver` as well."""

import sys


def main() -> None:
    """Run the command. Ctrl-C while it is still loading ends it without a traceback."""
    try:
        # Not above: loading takes the first tenth of a second, and is interrupted like everything else.
        from archiver.cli import main as run

        run()
    except KeyboardInterrupt:
        if sys.stderr is not None:  # archive status 2>&-
            sys.stderr.write("Interrupted.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
