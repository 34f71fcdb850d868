"""``run``: a whole experiment, from protocol to verdict."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from virtuallab.console import say
from virtuallab.errors import UserError
from virtuallab.lab.decode import decode_analyses
from virtuallab.lab.open import warn_of
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.probe import record_all
from virtuallab.lab.report import write_report
from virtuallab.lab.services.console import Progress, Verbose, console_of
from virtuallab.lab.services.output_files import check_page
from virtuallab.lab.services.resources import peak_memory, spent
from virtuallab.lab.services.scheduler import check_workers, open_pool
from virtuallab.lab.services.workers import stoppable
from virtuallab.lab.stages.experiment import home, open_experiment, train_all
from virtuallab.lab.stages.nodes import ALL_DIVERGED, living
from virtuallab.protocol import Protocol, as_protocol
from virtuallab.store import writer


@stoppable()
def run(
    protocol: Protocol | Mapping[str, Any] | str | Path,
    overrides: Sequence[str] = (),
    *,
    store: str | Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
    scheduler: str | Path | None = None,
    verbose: Verbose = False,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Train, record, decode and report a whole experiment.

    Interrupted, it goes on where it stopped when called again, and ends with the same bytes.

    Parameters
    ----------
    protocol : Protocol, mapping, str or Path
        A protocol, its settings as plain data, or its YAML file.
    overrides : str or sequence of str
        Settings to override, ``"subjects.replicates=2"``.
    store : str or Path, optional
        Where to keep the experiment; ``runs/NAME.zarr`` if not given.
    workers : int, optional
        Cohorts trained at once; as many as there are cores if not given.
    device : str
        Where to train: ``"cpu"``, ``"cuda"``, or ``"auto"``, which is ``"cuda"`` if torch finds it.
    scheduler : str or Path, optional
        Cluster that trains, records and decodes: ``"local"`` starts ``workers`` processes of this
        machine; the address of a running Dask scheduler, ``"tcp://HOST:PORT"``, or its scheduler
        file connects to it. The results are the same. Threads of this process if not given.
    verbose : bool or rich.console.Console
        Print progress and the verdict, on the terminal or on this console.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.

    Returns
    -------
    xr.DataTree
        The experiment, opened: coordinates loaded, values lazy.

    Raises
    ------
    UserError
        If there is no such device or scheduler, or every subject diverged.
    ProtocolError
        If the protocol cannot be carried out; every fault is listed.
    StoreError
        If the store belongs to another protocol, another process writes into it, or something else
        lies in its place or in that of its records.
    MachineError
        If the machine fails; what is stored is kept.
    """
    began = time.monotonic()
    console = console_of(verbose, progress)
    device = check_workers(scheduler, workers, device)
    plan = make_plan(as_protocol(protocol, overrides))
    root = home(plan.protocol, None, store)
    check_page(root.with_suffix(".html"))
    with open_pool(scheduler, workers, console, device) as pool, writer(root, makes=True):
        experiment = open_experiment(plan, root, workers, console)
        train_all(experiment, pool=pool, device=device, console=console)
        probes = plan.protocol.probes
        is_lost = bool(probes) and not living(experiment.store)
        if not is_lost:
            if plan.protocol.subjects.preserve:
                record_all(experiment, probes, pool, console)
            decode_analyses(experiment, plan.protocol, pool, console)
        experiment.store.finish()
        memory = peak_memory()  # while worker processes are there
    tree, left_out = write_report(root, None, console)
    warn_of(left_out)
    if is_lost:
        raise UserError(ALL_DIVERGED)
    say(console, f"Took {spent(began, root, memory)}")
    return tree
