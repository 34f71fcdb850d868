"""One experiment from protocol to verdict: the only place where all the stages meet.

Every stage reads the store and adds to it, may be run again alone, and skips what is done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab.decoder import Analysis
from virtuallab.errors import StoreError, UserError
from virtuallab.lab import decode as decoding
from virtuallab.lab import load, table, train
from virtuallab.lab import plan as planning
from virtuallab.lab import record as recording
from virtuallab.lab.anatomy import Anatomy, anatomies
from virtuallab.lab.cost import spent
from virtuallab.lab.progress import counting
from virtuallab.lab.workers import check_device, stoppable
from virtuallab.probe import Probe
from virtuallab.protocol import Protocol, differences, expand, read_text
from virtuallab.report import build, verdict_table
from virtuallab.store import Store, open_tree
from virtuallab.store.provenance import provenance
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import DIVERGED, FAILED, VISIT, describe


@dataclass(frozen=True)
class Experiment:
    """A protocol, the subjects it describes, and the store that keeps them."""

    protocol: Protocol
    store: Store
    subjects: tuple[Subject, ...]
    anatomies: tuple[Anatomy, ...]

    @property
    def visits(self) -> xr.Dataset:
        """Coordinates of the visits: ``visit``, ``step`` and ``epoch``."""
        steps = np.array(self.store.plan["visits"], dtype=np.int64)
        first = self.subjects[0]
        epochs = steps * first.batch_size / len(first.task.train().labels)
        return xr.Dataset(
            coords={
                VISIT: (VISIT, np.arange(len(steps)), describe(VISIT)),
                "step": (VISIT, steps, describe("step")),
                "epoch": (VISIT, epochs, describe("epoch")),
            }
        )


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
    experiment = _begin(read, protocol, root, workers, console)
    _train(experiment, workers=workers, device=device, console=console)
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
    experiment = _resume(Store.open(store))
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
    experiment = _resume(Store.open(store))
    source = load.protocol(protocol, overrides) if protocol else experiment.protocol
    _decode(experiment.store, experiment.protocol, source.analyses, workers, console)
    experiment.store.finish()
    tree = open_tree(store)
    console.print(verdict_table(tree))
    return tree


def report(
    store: Path, output: Path | None = None, *, console: Console | None = None
) -> xr.DataTree:
    """Write the report beside the store, or where told, and print the verdict."""
    console = console or Console(quiet=True)
    tree = open_tree(store)
    page = output or store.with_suffix(".html")
    page.write_text(build(tree), encoding="utf-8")
    console.print(verdict_table(tree))
    console.print(f"Report: {page}", highlight=False)
    return tree


def _begin(
    protocol: Protocol, source: Path, root: Path, workers: int | None, console: Console
) -> Experiment:
    """Open the store of this protocol, or make it."""
    if root.exists():
        kept = Store.open(root)
        _refuse_another(kept, protocol)
        return _resume(kept, protocol)
    plan = planning.make(protocol, workers=workers)
    console.print(planning.describe(plan))
    root.parent.mkdir(parents=True, exist_ok=True)
    subjects = table.describe_subjects(plan.subjects)
    made = Store.create(
        root,
        subjects=subjects,
        provenance={
            **provenance(
                text=protocol.text,
                resolved=json.dumps(protocol.resolved(), sort_keys=True),
                title=protocol.name,
                summary=protocol.question,
                seed=protocol.seed,
                source=source,
            ),
            "protocol_overrides": json.dumps(protocol.overrides),
        },
        plan=plan.stored(),
    )
    return _resume(made, protocol)


def _resume(store: Store, protocol: Protocol | None = None) -> Experiment:
    """Rebuild the subjects of a store from the protocol it keeps."""
    kept = protocol or read_text(store.provenance["protocol_resolved"], name=str(store.path))
    subjects = expand(kept)
    return Experiment(kept, store, subjects, anatomies(subjects))


def _refuse_another(store: Store, protocol: Protocol) -> None:
    """A store holds the subjects of one protocol; new probes and analyses are welcome in it.

    Raises
    ------
    StoreError
        With each setting that differs.
    """
    before = json.loads(store.provenance["protocol_resolved"])
    now = protocol.resolved()
    found = [
        *differences({k: before[k] for k in _SUBJECTS}, {k: now[k] for k in _SUBJECTS}),
        *_changed_probes(before["probes"], now["probes"]),
    ]
    if found:
        raise StoreError(
            f"{store.path} was made from another protocol: {'; '.join(found)}. "
            "Choose another store with --store, or give a changed probe another name."
        )


_SUBJECTS = ("seed", "subjects")


def _changed_probes(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    common = sorted(before.keys() & now.keys())
    return differences(
        {"probes": {name: before[name] for name in common}},
        {"probes": {name: now[name] for name in common}},
    )


def _train(experiment: Experiment, *, workers: int | None, device: str, console: Console) -> None:
    store, subjects = experiment.store, experiment.subjects
    done = len(store.committed(train.STAGE))
    for anatomy in experiment.anatomies:
        train.declare(store, anatomy, experiment.visits)
    with counting(console, "subjects trained", len(subjects), done) as advance:
        train.train_subjects(
            store,
            subjects,
            experiment.anatomies,
            visits=store.plan["visits"],
            cohorts=store.plan["cohorts"],
            threads=store.plan["threads"],
            workers=workers or planning.cores(),
            device=device,
            advance=advance,
        )
    records = store.committed(train.STAGE)
    described = table.describe_subjects(subjects)
    layers_of = {
        index: anatomy.layout().layers
        for anatomy in experiment.anatomies
        for index in anatomy.members
    }
    layers = recording.union_of_layers({str(i): layers for i, layers in layers_of.items()})
    store.write_table("subjects", table.fates(described, records))
    store.write_table(
        "truth", table.truth(described, records, layers, layers_of, experiment.visits)
    )
    lost = [i for i, r in records.items() if r["status"] in (DIVERGED, FAILED)]
    if lost:
        console.print(_lost(lost, records, subjects), highlight=False)


def _lost(
    lost: Sequence[int], records: Mapping[int, Mapping[str, object]], subjects: Sequence[Subject]
) -> str:
    first = min(lost, key=lambda index: index)
    record, subject = records[first], subjects[first]
    return (
        f"{len(lost)} of {len(subjects)} subjects diverged; they are marked and kept, the others "
        f"went on. The first: subject {first + 1:04d} ({subject.label}, learning rate "
        f"{subject.optimizer.learning_rate:.3g}) at step {record['diverged_at']} in layer "
        f"{record['diverged_in']!r}."
    )


def _record(
    experiment: Experiment,
    probes: Mapping[str, Probe],
    *,
    workers: int | None,
    console: Console,
) -> None:
    store = experiment.store
    living = recording.living(store)
    if not living:
        raise UserError("no subject is left to record: every one diverged, or none is trained yet.")
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
