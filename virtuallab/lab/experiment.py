"""One experiment from protocol to verdict: the only place where all the stages meet.

Every stage reads the store and adds to it, may be run again alone, and skips what is done.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.decoder import Analysis
from virtuallab.errors import UserError
from virtuallab.lab import decode as decoding
from virtuallab.lab import load, stages
from virtuallab.lab import plan as planning
from virtuallab.lab import record as recording
from virtuallab.lab.cost import spent
from virtuallab.lab.outputs import check_file, check_in_folder, write_file
from virtuallab.lab.preserved import NOBODY, Experiment, begin, begin_anew, resume, train_all
from virtuallab.lab.progress import counting
from virtuallab.lab.workers import check_device, stoppable
from virtuallab.probe import Probe
from virtuallab.protocol import Protocol
from virtuallab.report import build, verdict_table
from virtuallab.report.subject_plates import Check, unchecked
from virtuallab.store import Store, open_tree
from virtuallab.store.records import records_folder


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
    check_file(root.with_suffix(".html"))
    experiment = begin(read, protocol, root, workers, console)
    train_all(experiment, workers=workers, device=device, console=console)
    _record(experiment, read.probes, workers=workers, console=console)
    _decode(experiment.store, read, read.analyses, workers, console)
    experiment.store.finish()
    tree = report(root, None, console=console)
    say(console, f"Took {spent(began, root)}")
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
    tree = open_tree(store)
    console.print(verdict_table(tree))
    return tree


def report(
    store: Path, output: Path | None = None, *, console: Console | None = None
) -> xr.DataTree:
    """Print the verdict, and write the report beside the store or where told.

    Raises
    ------
    UserError
        If no file can be written where told.
    MachineError
        If the disk is full or fails. The verdict is printed, and an older report is as it was.
    """
    console = console or Console(quiet=True)
    if output is not None:
        check_in_folder(output)
    tree = open_tree(store)
    console.print(verdict_table(tree))
    page = output or store.with_suffix(".html")
    write_file(page, lambda: build(tree, check=_check_of(store)))
    say(console, f"Report: {page}")
    return tree


def _check_of(path: Path) -> Check:
    """Return what compares recordings with their checksums, where the store's records are there."""
    if not records_folder(path).is_dir():
        return unchecked
    store = Store.open(path)
    return lambda node, subject: store.check_values(node, [subject])


def _record(
    experiment: Experiment,
    probes: Mapping[str, Probe],
    *,
    workers: int | None,
    console: Console,
) -> None:
    store = experiment.store
    living = stages.living(store)
    if not living:
        raise UserError(NOBODY)
    recording.declare(
        store, experiment.subjects, experiment.anatomies, probes, visits=experiment.visits
    )
    begin_anew(store, [stages.stage(name) for name in probes], console)
    already = sum(len(store.committed(stages.stage(name))) for name in probes)
    with counting(console, "recordings made", len(living) * len(probes), already) as advance:
        recording.record_probes(
            store,
            experiment.subjects,
            experiment.anatomies,
            probes,
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
        stages.probes_in(store),
        seed=protocol.seed,
        workers=workers or planning.cores(),
        console=console,
    )
