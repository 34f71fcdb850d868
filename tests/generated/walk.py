"""Walk one protocol from its text to the last command, as a user would."""

from __future__ import annotations

import contextlib
import inspect
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console

import virtuallab as vl
from tests.generated.protocols import generated, text_of
from virtuallab.errors import Interrupted, ProtocolError, UserError, VirtuallabError
from virtuallab.lab import status
from virtuallab.lab.planning.costs import costs_table, measure_costs
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.stages.nodes import ALL_DIVERGED
from virtuallab.lab.tuning.search import (
    _asked_for,  # who leaves nothing open is told so before it begins
)
from virtuallab.protocol import read
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


@dataclass(frozen=True)
class Ways:
    """What is done with a protocol beside running it; more of it takes longer.

    Parameters
    ----------
    halfway : bool
        Interrupt the run after some subjects and after some recordings, and give every command each
        time, before it goes on.
    page : bool
        Lay out the page of the report; otherwise only its table is printed.
    drawn : bool
        Draw the figures of the page; otherwise they are laid out only.
    """

    halfway: bool = False
    page: bool = True
    drawn: bool = False

    @classmethod
    def of(cls, seed: int) -> Ways:
        """Return those of a seed, so that it can be walked again alone."""
        halfway = seed % 10 == 0
        return cls(halfway=halfway, page=halfway or seed % 3 == 0, drawn=seed % 20 == 0)


def walk(seed: int, folder: Path, ways: Ways | None = None) -> Walked:
    """Do all that can be done with a generated protocol.

    Parameters
    ----------
    seed : int
    folder : Path
        An empty one.
    ways : Ways, optional
        Those of the seed if not given.
    """
    ways = ways or Ways.of(seed)
    path = folder / "protocol.yaml"
    path.write_text(text_of(generated(seed)), encoding="utf-8")
    steps = _Steps(folder)
    with contextlib.closing(steps.console.file), warnings.catch_warnings(), _quicker(ways):
        warnings.simplefilter("error")
        try:
            plan = steps("validate", lambda: make_plan(read(path)))
        except UserError as error:
            return Walked(seed, "refused", "validate", str(error))
        except Exception:
            return Walked(seed, "failed", "validate", traceback.format_exc())
        try:
            _all(steps, path, plan, folder / "runs.zarr", halfway=ways.halfway)
        except Exception:
            return Walked(seed, "failed", steps.current, traceback.format_exc())
    return Walked(seed, "ran", steps.current)


@contextlib.contextmanager
def _quicker(ways: Ways) -> Iterator[None]:
    """Grow small forests, choose among few settings, and draw no more than is asked for."""
    changes: list[tuple[str, Any]] = [
        ("virtuallab.decoder.diagnostics.impurity_importance._TREES", 3),
        ("virtuallab.subject.training.cohort_size._SECONDS", 0.0),
    ]
    if not ways.page:
        changes.append(("virtuallab.lab.report.experiment_page", lambda tree, check: ""))
    elif not ways.drawn:
        changes.append(("virtuallab.reporting.page.template.inline_svg", lambda *_: "<svg></svg>"))
    with contextlib.ExitStack() as stack:
        for place, value in changes:
            stack.enter_context(mock.patch(place, value))
        yield


def _all(steps: _Steps, path: Path, plan: Plan, store: Path, *, halfway: bool) -> None:
    console, read = steps.console, plan.protocol
    steps("plan", lambda: costs_table(measure_costs(plan, workers=1)))
    if halfway:
        for place in ("train", "record"):
            _interrupted(steps, path, store, place)
            _look(steps, path, store, place)
    try:
        steps("run", lambda: vl.run(path, store=store, workers=1, verbose=console))
    except UserError as error:
        if str(error) != ALL_DIVERGED:
            raise
    if halfway:
        _look(steps, path, store, "")
    else:
        steps("status", lambda: status.status(store))
    for name, command in (("compare", vl.compare), ("power", vl.power)):
        if getattr(read, name) is not None:
            with _one_line():
                steps(name, lambda c=command: c(path, subjects=store, workers=1, verbose=console))  # type: ignore[misc]
    if read.search is not None:
        with contextlib.suppress(ProtocolError):
            _asked_for(read)
            storage = store.with_suffix(".journal")
            steps("search", lambda: vl.search(path, storage=storage, workers=1, verbose=console))


def _look(steps: _Steps, path: Path, store: Path, when: str) -> None:
    """Run every command that reads a store; each works, or says in a line what is missing."""
    console, page = steps.console, store.with_name("page.html")
    for name, command in (
        ("status", lambda: status.status(store, verify=True)),
        ("info", lambda: status.info(store)),
        ("open", lambda: open_tree(store)),
        ("report", lambda: vl.report(store, page, verbose=console)),
        ("decode", lambda: vl.decode(store, workers=1, verbose=console)),
        *([("probe", lambda: vl.probe(store, path, workers=1))] if when else ()),
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
    from virtuallab.lab import probe
    from virtuallab.lab.stages import train

    module, name = {"train": (train, "train_subjects"), "record": (probe, "record_probes")}[place]
    whole = getattr(module, name)

    def stopping(*arguments: Any) -> None:
        bound = inspect.signature(whole).bind(*arguments)
        advance, count = bound.arguments["advance"], 0

        def stop(number: int) -> None:
            nonlocal count
            advance(number)
            count += number
            if count >= 3:
                raise KeyboardInterrupt

        bound.arguments["advance"] = stop
        whole(*bound.args, **bound.kwargs)

    with mock.patch.object(module, name, stopping), contextlib.suppress(Interrupted):
        steps(
            f"run until {place}",
            lambda: vl.run(path, store=store, workers=1, verbose=steps.console),
        )
