"""The application of the terminal, and how commands are registered."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

import virtuallab
from virtuallab import plugins

app = typer.Typer(
    help="Simulate neural recordings, and test whether they identify the learning rule.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _version(asked: bool) -> bool:
    if asked:
        typer.echo(f"virtuallab {virtuallab.__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of virtuallab."""


Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="File or module with your own plug-ins; can be repeated."),
]


def command(
    panel: str, name: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command in a panel of ``--help``, with the option ``--plugin``."""

    def enter(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, plugin: list[str] | None = None, **options: Any) -> None:
            plugins.load(plugin or ())
            function(*args, **options)

        own = inspect.signature(function, eval_str=True)
        option = inspect.Parameter(
            "plugin", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Plugins
        )
        parameters = [*own.parameters.values(), option]
        run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {}
        return app.command(name, rich_help_panel=panel)(run)

    return enter


def show(what: object) -> None:
    """Print a table or a text on the terminal."""
    from virtuallab.console import terminal_console

    terminal_console().print(what)
