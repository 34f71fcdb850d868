"""Compare recording designs in the same preserved subjects."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from virtuallab.accessor.tidy import tidy
from virtuallab.console import say
from virtuallab.errors import ProtocolError
from virtuallab.lab.designs.comparison_table import (
    comparison_table,
    named_designs,
    observables_of,
)
from virtuallab.lab.designs.decode_designs import DecodingSettings, check_counts, evaluate_designs
from virtuallab.lab.designs.design_evaluation import DesignRun, PreservedSubjects
from virtuallab.lab.designs.result_cache import ResultCache
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.services.console import Progress, Verbose, console_of
from virtuallab.lab.services.output_files import (
    check_file,
    check_page,
    write_each,
    write_file,
    write_page,
)
from virtuallab.lab.services.progress import counting
from virtuallab.lab.services.resources import peak_memory, spent
from virtuallab.lab.services.scheduler import check_workers, open_pool
from virtuallab.lab.services.workers import stoppable
from virtuallab.lab.stages.experiment import home, preserved
from virtuallab.protocol import Compare, Protocol, as_protocol
from virtuallab.reporting import comparison_page, ranking_table
from virtuallab.store.comparison import check_comparison, write_comparison


@stoppable()
def compare(
    protocol: Protocol | Mapping[str, Any] | str | Path,
    overrides: Sequence[str] = (),
    *,
    subjects: str | Path | None = None,
    store: str | Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
    scheduler: str | Path | None = None,
    verbose: Verbose = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Try every design of a protocol's ``compare`` section in the same subjects.

    Subjects are trained only if they are not preserved yet. What came of each design is kept, so an
    interrupted comparison goes on, and one with further designs tries only those.

    Parameters
    ----------
    protocol : Protocol, mapping, str or Path
        A protocol with a ``compare`` section, its settings as plain data, or its YAML file.
    overrides : str or sequence of str
        Settings to override, ``"compare.seeds=5"``.
    subjects : str or Path, optional
        Another experiment, whose subjects are used instead of the protocol's own.
    store : str or Path, optional
        Where to keep the protocol's own subjects; ``runs/NAME.zarr`` if not given.
    workers : int, optional
        Processes at once; as many as there are cores if not given.
    device : str
        Where to train: ``"cpu"``, ``"cuda"``, or ``"auto"``, which is ``"cuda"`` if torch finds it.
    scheduler : str or Path, optional
        Cluster that trains, records and decodes, as for :func:`virtuallab.run`. This machine if
        not given.
    verbose : bool or rich.console.Console
        Print progress and the ranking, on the terminal or on this console.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.

    Returns
    -------
    xr.Dataset
        Over ``design``, ``observable`` and ``classifier``: ``balanced_accuracy`` with its
        ``interval``, ``accuracy_by_seed``, ``shortfall`` from the best with its interval,
        ``control_accuracy``; NaN where a design does not measure an observable. Each setting that
        varies is a coordinate of ``design``. The same is kept as ``NAME.compare.zarr`` beside the
        subjects, as ``NAME.compare.csv``, and drawn in ``NAME.compare.html``.

    Raises
    ------
    UserError
        If there is no such device or scheduler, or no subject is left to record.
    ProtocolError
        If the protocol has no ``compare`` section, or a design cannot be had of the subjects.
    StoreError
        If the store belongs to another protocol, or another process writes into it; or if something
        else lies in the place of a file that is to be written.
    MachineError
        If the machine fails; what is stored is kept.
    """
    began = time.monotonic()
    console = console_of(verbose, progress)
    device = check_workers(scheduler, workers, device)
    plan = make_plan(as_protocol(protocol, overrides))
    read = plan.protocol
    how = _asked_for(read)
    base = home(read, subjects, store).with_name(read.name)
    folder, *files = outputs(base)
    check_comparison(folder)
    csv, page = files
    check_file(csv)
    check_page(page)
    designs = named_designs(how)
    trials = [
        DesignRun(
            each.point.probe,
            seed,
            observables_of(how, each.point, len(plan.visits)),
            how.controls and not seed,
        )
        for each in designs
        for seed in range(how.seeds)
    ]
    decoding = DecodingSettings(how.classifiers, how.folds, how.inner_folds)
    with open_pool(scheduler, workers, console, device) as pool:
        experiment = preserved(
            plan, subjects, store, workers=workers, pool=pool, device=device, console=console
        )
        bench = PreservedSubjects.of(experiment, pool)
        check_counts(bench, decoding, "compare")
        with counting(console, "designs tried", len(trials)) as advance:
            came = evaluate_designs(bench, ResultCache.of(experiment), trials, decoding, advance)
        memory = peak_memory()  # while worker processes are there
    found = comparison_table(how, designs, came, experiment.recorded, experiment.plan.sizes)
    found.attrs["title"], found.attrs["question"] = read.name, read.question
    console.print(ranking_table(found))
    write_each(
        lambda: write_comparison(found, folder),
        lambda: write_file(csv, lambda: tidy(found).to_csv(index=False)),
        lambda: write_page(page, lambda: comparison_page(found)),
    )
    say(console, f"Page: {page}\nTook {spent(began, experiment.store.path, memory)}")
    return found


def outputs(base: Path) -> tuple[Path, Path, Path]:
    """Return where a comparison is written: its arrays, its table, its page."""
    tree, csv, page = (base.with_name(f"{base.name}.compare.{end}") for end in _ENDS)
    return tree, csv, page


_ENDS = ("zarr", "csv", "html")


def _asked_for(protocol: Protocol) -> Compare:
    if protocol.compare is None:
        words = "missing key. It says which designs are compared, by name."
        raise ProtocolError([protocol.fault("compare", words)])
    return protocol.compare
