"""The `archive` command."""


def main() -> None:
    """Run the command."""
