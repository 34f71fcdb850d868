"""Console of a command: silent unless asked, with a callback for its progress."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console

from virtuallab.console import terminal_console

Progress = Callable[[str, int, int], None]
"""Callback of progress: name of the stage, number finished, number in all."""

Verbose = bool | Console
"""Whether a command prints on the terminal, or the console on which it prints."""


def console_of(verbose: Verbose = False, progress: Progress | None = None) -> Console:
    """Return the console on which a command reports.

    Parameters
    ----------
    verbose : bool or rich.console.Console
        Print on the terminal, or on a console of one's own.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.
    """
    if isinstance(verbose, Console):
        console = verbose
    else:
        console = terminal_console() if verbose else Console(quiet=True)
    console.progress = progress  # type: ignore[attr-defined]  # where `counting` finds it
    return console


def progress_of(console: Console) -> Progress | None:
    """Return the callback of a console of :func:`console_of`."""
    found: Progress | None = getattr(console, "progress", None)
    return found
