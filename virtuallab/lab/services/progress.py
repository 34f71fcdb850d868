"""Progress that counts what is finished: a bar on a terminal, plain lines in a log.

A bar that fills when work is *sent* tells nothing; this one advances when a subject is stored.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from virtuallab.console import say
from virtuallab.lab.services.console import Progress as ProgressCallback
from virtuallab.lab.services.console import progress_of
from virtuallab.text import printable

Advance = Callable[[int], None]
_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_LOOKS = 0.25


class Count(ABC):
    """How far a stage of work has come."""

    @abstractmethod
    def __call__(self, count: int) -> None:
        """Count so many more as finished."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Show how far the one under way has come."""


@contextmanager
def counting(console: Console, stage: str, total: int, done: int = 0) -> Iterator[Count]:
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
    with _shown(console, stage, total, done) as count:
        progress = progress_of(console)
        yield count if progress is None else _Reported(count, progress, stage, total, done)


@contextmanager
def _shown(console: Console, stage: str, total: int, done: int) -> Iterator[Count]:
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            yield _Bar(bar, bar.add_task(printable(stage), total=total, completed=done), stage)
        return
    yield _Lines(console, stage, total, done)


class _Reported(Count):
    """Shows what another one shows, and calls a callback."""

    def __init__(
        self, shown: Count, progress: ProgressCallback, stage: str, total: int, done: int
    ) -> None:
        self._shown, self._progress, self._stage = shown, progress, stage
        self._total, self._done = total, done
        self._lock = threading.Lock()
        self(0)

    def __call__(self, count: int) -> None:
        self._shown(count)
        with self._lock:
            self._done += count
            self._progress(self._stage, self._done, self._total)

    def note(self, text: str) -> None:
        self._shown.note(text)


class _Bar(Count):
    def __init__(self, bar: Progress, task: TaskID, stage: str) -> None:
        self._bar, self._task, self._stage = bar, task, stage

    def __call__(self, count: int) -> None:
        self._bar.update(self._task, advance=count, description=printable(self._stage))

    def note(self, text: str) -> None:
        self._bar.update(self._task, description=printable(f"{self._stage} ({text})"))


class _Lines(Count):
    """Plain lines: one at the start, one every few seconds, one at the end."""

    def __init__(self, console: Console, stage: str, total: int, done: int) -> None:
        self._console, self._stage, self._total, self._done = console, stage, total, done
        self._lock = threading.Lock()
        self._last = 0.0
        self(0)

    def __call__(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._line("", at_once=self._done >= self._total)

    def note(self, text: str) -> None:
        with self._lock:
            self._line(f" ({text})", at_once=False)

    def _line(self, note: str, *, at_once: bool) -> None:
        now = time.monotonic()
        if at_once or now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            say(self._console, f"{self._stage}: {self._done} of {self._total}{note}")


@dataclass(frozen=True)
class Step:
    """Counts a step as done when it is called, in whatever process that happens.

    Parameters
    ----------
    path : Path
        A file to which each step adds a byte: its length is their number.
    """

    path: Path

    def __call__(self) -> None:
        """Count one more step."""
        with suppress(OSError):  # a full disk must not stop the work that is counted
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(file, b".")
            finally:
                os.close(file)


@contextmanager
def tallying(advance: Advance) -> Iterator[Step]:
    """Yield what processes call to count a step; ``advance`` is told of it here.

    Parameters
    ----------
    advance : callable
        Told how many more steps were done. Called in a thread of its own.
    """
    with tempfile.TemporaryDirectory(prefix="virtuallab-") as folder:
        path = Path(folder) / "steps"
        path.touch()
        ended = threading.Event()

        def look() -> None:
            told, last = 0, False
            while not last:
                last = ended.wait(_SECONDS_BETWEEN_LOOKS)
                done = path.stat().st_size
                if done > told:
                    advance(done - told)
                    told = done

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield Step(path)
        finally:
            ended.set()
            watcher.join()
