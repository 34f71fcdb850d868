"""Walk one protocol from its text to the last command, as a user would."""

from __future__ import annotations

import contextlib
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console

from tests.generated.protocols import generated, text_of
from virtuallab.errors import Interrupted, ProtocolError, UserError, VirtuallabError
from virtuallab.lab import compare, experiment, inspect, load, power, search
from virtuallab.lab import plan as planning
from virtuallab.lab.preserved import ALL_DIVERGED
from virtuallab.lab.search import _asked_for  # who leaves nothing open is told so before it begins
from virtuallab.protocol import Protocol
from virtuallab.store import open_tree


@dataclass(frozen=True)
class Walked:
    """What became of a protocol.

    Parameters
    ----------
    seed : int
    outcome : {"ran", "refused", "failed"}
    step : str
        The command that came last.
    words : str
        Why it was refused, or what failed.
    """

    seed: int
    outcome: str
    step: str
    words: str = ""


class _Steps:
    """Commands one after the other; what they print is rendered and kept."""

    def __init__(self, folder: Path) -> None:
        self.console = Console(file=(folder / "printed.txt").open("w"), width=80)
        self.current = ""

    def __call__(self, name: str, command: Callable[[], Any]) -> Any:
        self.current = name
        found = command()
        if name in ("plan", "status", "info"):
            self.console.print(found[0] if isinstance(found, tuple) else found)
        return found


def walk(seed: int, folder: Path, *, halfway: bool = False, drawn: bool = True) -> Walked:
    """Do all that can be done with a generated protocol.

    Parameters
    ----------
    seed : int
    folder : Path
        An empty one.
    halfway : bool
        Interrupt the run after some subjects and after some recordings, and give every command each
        time, before it goes on.
    drawn : bool
        Draw the figures; otherwise they are only laid out, which takes a third of the time.
    """
    path = folder / "protocol.yaml"
    path.write_text(text_of(generated(seed)), encoding="utf-8")
    steps = _Steps(folder)
    blank = mock.patch("virtuallab.report.html.inline_svg", return_value="<svg></svg>")
    with warnings.catch_warnings(), contextlib.nullcontext() if drawn else blank:
        warnings.simplefilter("error")
        try:
            read = steps("validate", lambda: load.protocol(path))
        except UserError as error:
            return Walked(seed, "refused", "validate", str(error))
        except Exception:
            return Walked(seed, "failed", "validate", traceback.format_exc())
        try:
            _all(steps, path, read, folder / "runs.zarr", seed if halfway else None)
        except Exception:
            return Walked(seed, "failed", steps.current, traceback.format_exc())
        finally:
            steps.console.file.close()
    return Walked(seed, "ran", steps.current)


def _all(steps: _Steps, path: Path, read: Protocol, store: Path, halfway: int | None) -> None:
    console = steps.console
    steps("plan", lambda: planning.describe(planning.make(read, workers=1)))
    if halfway is not None:
        for place in ("train", "record"):
            _interrupted(steps, path, store, place)
            _look(steps, path, store, place)
    try:
        steps("run", lambda: experiment.run(path, store=store, workers=1, console=console))
    except UserError as error:
        if str(error) != ALL_DIVERGED:
            raise
    if halfway is None:
        steps("status", lambda: inspect.status(store))
        steps("decode", lambda: experiment.decode(store, workers=1, console=console))
    else:
        _look(steps, path, store, "")
    for name, command in (("compare", compare.compare), ("power", power.power)):
        if getattr(read, name) is not None:
            with _one_line():
                steps(name, lambda c=command: c(path, subjects=store, workers=1, console=console))  # type: ignore[misc]
    if read.search is not None:
        with contextlib.suppress(ProtocolError):
            _asked_for(read)
            journal = store.with_suffix(".journal")
            steps(
                "search", lambda: search.search(path, journal=journal, workers=1, console=console)
            )


def _look(steps: _Steps, path: Path, store: Path, when: str) -> None:
    """Give every command that looks at a store; each answers, or says in a line what is missing."""
    console, page = steps.console, store.with_name("page.html")
    for name, command in (
        ("status", lambda: inspect.status(store, verify=True)),
        ("info", lambda: inspect.info(store)),
        ("open", lambda: open_tree(store)),
        ("report", lambda: experiment.report(store, page, console=console)),
        ("decode", lambda: experiment.decode(store, workers=1, console=console)),
        *([("probe", lambda: experiment.probe(store, path, workers=1))] if when else ()),
    ):
        with _one_line():
            found = steps(f"{name} {when}".strip(), command)
        if name == "status" and found[1]:
            raise AssertionError(found[1])


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    """Let a command refuse in words, short enough to be read."""
    try:
        yield
    except VirtuallabError as error:
        if len(str(error).splitlines()) > 3:
            raise


def _interrupted(steps: _Steps, path: Path, store: Path, place: str) -> None:
    """Begin a run, and interrupt it when some subjects are trained or recorded."""
    from virtuallab.lab import record, train

    module, name = {"train": (train, "train_subjects"), "record": (record, "record_probes")}[place]
    whole = getattr(module, name)

    def stopping(*arguments: Any, advance: Callable[[int], None], **named: Any) -> None:
        count = 0

        def stop(number: int) -> None:
            nonlocal count
            advance(number)
            count += number
            if count >= 3:
                raise KeyboardInterrupt

        whole(*arguments, advance=stop, **named)

    with mock.patch.object(module, name, stopping), contextlib.suppress(Interrupted):
        steps(
            f"run until {place}",
            lambda: experiment.run(path, store=store, workers=1, console=steps.console),
        )
