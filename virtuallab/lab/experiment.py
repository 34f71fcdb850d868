"""One experiment from protocol to verdict: the only place where all the stages meet.

Every stage reads the store and adds to it, may be run again alone, and skips what is done.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr
from rich.console import Console

from virtuallab.decoder import Analysis
from virtuallab.errors import UserError
from virtuallab.lab import decode as decoding
from virtuallab.lab import load
from virtuallab.lab import plan as planning
from virtuallab.lab import record as recording
from virtuallab.lab.cost import spent
from virtuallab.lab.preserved import (
    ALL_DIVERGED,
    NOBODY,
    Experiment,
    begin,
    resume,
    so_far,
    train_all,
)
from virtuallab.lab.progress import counting
from virtuallab.lab.workers import check_device, stoppable
from virtuallab.probe import Probe
from virtuallab.protocol import Protocol
from virtuallab.report import build, verdict_table
from virtuallab.store import Store, open_tree


@stoppable()
def run(
    protocol: Path,
    overrides: Sequence[str] = (),
    *,
    store: Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
    console: Console | None = None,
) -> xr.DataTree:
    """Do a whole experiment: train, record, decode, report.

    Interrupted, it goes on where it stopped when called again, and ends with the same bytes.

    Parameters
    ----------
    protocol : Path
        The protocol's YAML file.
    overrides : sequence of str
        Settings to override, ``"subjects.replicates=2"``.
    store : Path, optional
        Where to keep the experiment; ``runs/NAME.zarr`` if not given.
    workers : int, optional
        Cohorts trained at once; as many as there are cores if not given.
    device : str
        Where to train, ``"cpu"`` or ``"cuda"``.
    console : rich.console.Console, optional
        Where to report progress and the verdict; silent if not given.

    Returns
    -------
    xr.DataTree
        The experiment, opened: coordinates loaded, values lazy.

    Raises
    ------
    UserError
        If there is no such device.
    ProtocolError
        If the protocol cannot be carried out; every fault is listed.
    StoreError
        If the store belongs to another protocol.
    MachineError
        If the machine fails; what is stored is kept.
    """
    began = time.monotonic()
    console = console or Console(quiet=True)
    check_device(device)
    read = load.protocol(protocol, overrides)
    root = store or Path("runs") / f"{read.name}.zarr"
    experiment = begin(read, protocol, root, workers, console)
    train_all(experiment, workers=workers, device=device, console=console)
    if read.probes and not recording.living(experiment.store):
        experiment.store.finish()
        report(root, None, console=console)
        raise UserError(ALL_DIVERGED)
    _record(experiment, read.probes, workers=workers, console=console)
    _decode(experiment.store, read, read.analyses, workers, console)
    experiment.store.finish()
    tree = report(root, None, console=console)
    console.print(f"Took {spent(began, root)}", highlight=False)
    return tree


@stoppable()
def probe(
    store: Path,
    protocol: Path,
    overrides: Sequence[str] = (),
    *,
    workers: int | None = None,
    console: Console | None = None,
) -> xr.DataTree:
    """Implant the probes of another protocol in preserved subjects; nothing is trained again.

    Raises
    ------
    UserError
        If no subject is preserved yet, or a probe of that name has recorded with other settings.
    """
    console = console or Console(quiet=True)
    experiment = resume(Store.open(store))
    probes = load.probes_for(protocol, overrides, experiment.protocol)
    _record(experiment, probes, workers=workers, console=console)
    experiment.store.finish()
    return open_tree(store)


@stoppable()
def decode(
    store: Path,
    protocol: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    workers: int | None = None,
    console: Console | None = None,
) -> xr.DataTree:
    """Run the experiment's analyses again, or another protocol's."""
    console = console or Console(quiet=True)
    experiment = resume(Store.open(store))
    source = load.protocol(protocol, overrides) if protocol else experiment.protocol
    _decode(experiment.store, experiment.protocol, source.analyses, workers, console)
    experiment.store.finish()
    tree = so_far(store)
    console.print(verdict_table(tree))
    return tree


def report(
    store: Path, output: Path | None = None, *, console: Console | None = None
) -> xr.DataTree:
    """Write the report beside the store, or where told, and print the verdict."""
    console = console or Console(quiet=True)
    tree = so_far(store)
    page = output or store.with_suffix(".html")
    page.write_text(build(tree), encoding="utf-8")
    console.print(verdict_table(tree))
    console.print(f"Report: {page}", highlight=False)
    return tree


def _record(
    experiment: Experiment,
    probes: Mapping[str, Probe],
    *,
    workers: int | None,
    console: Console,
) -> None:
    store = experiment.store
    living = recording.living(store)
    if probes and not living:
        raise UserError(NOBODY)
    already = sum(len(store.committed(recording.stage(name))) for name in probes)
    with counting(console, "recordings made", len(living) * len(probes), already) as advance:
        recording.record_probes(
            store,
            experiment.subjects,
            experiment.anatomies,
            probes,
            visits=experiment.visits,
            seed=experiment.protocol.seed,
            workers=workers or planning.cores(),
            advance=advance,
        )


def _decode(
    store: Store,
    protocol: Protocol,
    analyses: Mapping[str, Analysis],
    workers: int | None,
    console: Console,
) -> None:
    decoding.decode(
        store,
        analyses,
        recording.probes_in(store),
        seed=protocol.seed,
        workers=workers or planning.cores(),
        announce=lambda text: console.print(text, highlight=False),
    )
