"""Progress that counts what is finished: a bar on a terminal, plain lines in a log.

A bar that fills when work is *sent* tells nothing; this one advances when a subject is stored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from virtuallab.console import say
from virtuallab.text import printable

Advance = Callable[[int], None]
_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def counting(console: Console, stage: str, total: int, done: int = 0) -> Iterator[Advance]:
    """Show how many of ``total`` are finished; call what is yielded with how many more are.

    Parameters
    ----------
    console : rich.console.Console
        Where to show it. Not a terminal (a batch log, a pipe): a plain line now and then.
    stage : str
        What is being counted, ``"subjects trained"``.
    total, done : int
        All of them, and those already finished when this run began.
    """
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(printable(stage), total=total, completed=done)
            yield lambda count: bar.advance(task, count)
        return
    yield _Lines(console, stage, total, done)


class _Lines:
    """Plain lines: one at the start, one every few seconds, one at the end."""

    def __init__(self, console: Console, stage: str, total: int, done: int) -> None:
        self._console, self._stage, self._total, self._done = console, stage, total, done
        self._lock = threading.Lock()
        self._last = 0.0
        self(0)

    def __call__(self, count: int) -> None:
        with self._lock:
            self._done += count
            now = time.monotonic()
            if self._done < self._total and now - self._last < _SECONDS_BETWEEN_LINES:
                return
            self._last = now
            say(self._console, f"{self._stage}: {self._done} of {self._total}")
