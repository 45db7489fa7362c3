"""What the commands share: their common options, and loading the configuration."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from archiver.cli import streams
from archiver.cli.ending import Output, json_text, printable

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.registry import Registry

DEFAULT_CONFIG = "archive.yaml"

Function = TypeVar("Function", bound=Callable[..., Any])

__all__ = [
    "DEFAULT_CONFIG",
    "check_address",
    "common_options",
    "config_option",
    "echo_json",
    "group_options",
    "json_text",
    "load",
    "load_registry",
    "output_options",
    "printable",
    "warn_of_lagging",
]


def config_option(function: Function) -> Function:
    """Add -c/--config: the command receives `config_path: Path`."""
    return click.option(
        "-c",
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        envvar="ARCHIVE_CONFIG",
        default=DEFAULT_CONFIG,
        show_default=True,
        show_envvar=True,
        callback=_chosen,
        help="The configuration file.",
    )(function)


def output_options(function: Function) -> Function:
    """Add -v and --json: the command receives `verbose: bool` and `as_json: bool`.

    They are noted before anything else is looked at, so that errors are told as the user wants.
    """
    function = click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_note("as_json"),
        help="Write results as JSON on stdout; errors as one JSON line on stderr.",
    )(function)
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        is_eager=True,
        callback=_note("verbose"),
        help="Say more on stderr; show where an unexpected error came from.",
    )(function)


def common_options(function: Function) -> Function:
    """Add -c/--config, -v and --json: `config_path`, `verbose` and `as_json`."""
    return config_option(output_options(function))


def group_options(function: Function) -> Function:
    """Add the same options before the subcommand: `archive -c FILE status`. They are noted only."""
    for flags, name in ((("--json",), "as_json"), (("-v", "--verbose"), "verbose")):
        function = click.option(
            *flags, name, is_flag=True, is_eager=True, expose_value=False, hidden=True, callback=_note(name)
        )(function)
    return click.option(
        "-c",
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=_remember,
        help=f"The configuration file (every command takes this too).  [default: {DEFAULT_CONFIG}]",
    )(function)


def _remember(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    del param
    ctx.ensure_object(Output).config_path = value


def _chosen(ctx: click.Context, param: click.Parameter, value: Path) -> Path:
    """Take the file named after the subcommand, else the one before it, else environment or default."""
    earlier = ctx.ensure_object(Output).config_path
    named = ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    return value if named or earlier is None else earlier


def _note(name: str) -> Callable[[click.Context, click.Parameter, bool], bool]:
    def callback(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
        del param
        output = ctx.ensure_object(Output)
        wanted = value or getattr(output, name)
        setattr(output, name, wanted)
        if name == "verbose":
            _log_to_stderr(verbose=wanted)
        elif wanted:
            streams.keep_for_machines()
        return bool(wanted)

    return callback


def _log_to_stderr(*, verbose: bool) -> None:
    logger = logging.getLogger("archiver")
    logger.handlers = [_EchoHandler()]
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)


class _EchoHandler(logging.Handler):
    """Writes to whatever stderr is at that moment; names from upstream cannot steer the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, with the traceback it may carry."""
        text = f"{record.levelname.capitalize()}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        click.echo(printable(text), err=True)


def warn_of_lagging(troubles: Mapping[str, str]) -> None:
    """Name on stderr the sinks that did not take what a person decided, and why."""
    for name, trouble in troubles.items():
        click.echo(printable(f"Warning: sink {name} does not have it yet: {trouble}"), err=True)


def check_address(option: str, url: str) -> None:
    """Refuse what is given as a public address and is none."""
    if url and not url.startswith(("https://", "http://")):
        raise click.UsageError(f"{option} takes an address such as https://slides.example.org, not {url!r}.")


def echo_json(value: Any) -> None:
    """Print one value as one line of JSON on stdout."""
    streams.echo(json_text(value))


def load(config_path: Path) -> tuple[Config, Registry]:
    """Read the configuration and the plugins that it enables.

    Raises `ConfigProblems` with everything that is wrong with the file.
    """
    import os

    from archiver import config
    from archiver.registry import load_plugins

    document = config.read(config_path)
    registry = load_plugins(document.plugins)
    return config.build(document, registry, os.environ), registry


def load_registry(config_path: Path) -> Registry:
    """Load the plugins that a configuration enables; our own alone when there is no such file."""
    from archiver import config
    from archiver.registry import load_plugins

    return load_plugins(config.read(config_path).plugins if config_path.exists() else ())
