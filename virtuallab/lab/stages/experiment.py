"""The subjects of a protocol, trained and preserved, and the store that keeps them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.errors import StoreError, UserError
from virtuallab.lab import plan as planning
from virtuallab.lab.designs.design_evaluation import Bench
from virtuallab.lab.planning.anatomy import Anatomy, anatomies
from virtuallab.lab.planning.validation import check_designs
from virtuallab.lab.services.output_files import check_folder
from virtuallab.lab.services.progress import counting
from virtuallab.lab.stages import record as recording
from virtuallab.lab.stages import reference, train
from virtuallab.lab.stages import subject_table as table
from virtuallab.lab.stages.nodes import TRAIN, check_trained, living
from virtuallab.protocol import Protocol, differences, expand, read_text
from virtuallab.store import Store, create_store, open_tree, writer
from virtuallab.store.integrity.recovery import repair_root
from virtuallab.store.layout.location import check_location
from virtuallab.store.provenance import provenance
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import DIVERGED, FAILED, RULE, SUBJECT, VISIT, describe

# What there is of one make of subject, as a probe asks for it: units and synapses of each layer,
# how many visits, how many stimuli.
Sizes = tuple[Mapping[str, int], Mapping[str, int], int, int]


@dataclass(frozen=True)
class Experiment:
    """A protocol, the subjects it describes, and the store that keeps them."""

    protocol: Protocol
    store: Store
    subjects: tuple[Subject, ...]
    anatomies: tuple[Anatomy, ...]

    @property
    def visits(self) -> xr.Dataset:
        """Coordinates of the visits: ``visit``, ``step`` and ``epoch``.

        There is no ``epoch`` where subjects differ in batch size or in training images: a step is
        then not the same part of an epoch to all of them.
        """
        steps = np.array(self.store.plan["visits"], dtype=np.int64)
        coords: dict[str, tuple[str, np.ndarray, dict[str, str]]] = {
            VISIT: (VISIT, np.arange(len(steps)), describe(VISIT)),
            "step": (VISIT, steps, describe("step")),
        }
        kinds = {(subject.batch_size, subject.task): subject for subject in self.subjects}.values()
        passes = {(each.batch_size, len(each.task.train().labels)) for each in kinds}
        if len(passes) == 1:
            [(batch, images)] = passes
            coords["epoch"] = (VISIT, steps * batch / images, describe("epoch"))
        return xr.Dataset(coords=coords)

    @property
    def sizes(self) -> tuple[Sizes, ...]:
        """Units and synapses of each layer, visits and stimuli, of each make of subject."""
        return tuple(
            (*_layers(anatomy), len(self.store.plan["visits"]), len(anatomy.task.stimuli().labels))
            for anatomy in self.anatomies
        )

    @property
    def recorded(self) -> xr.Dataset:
        """Names and rules of the subjects that can be recorded."""
        alive = self.store.subjects.isel({SUBJECT: sorted(living(self.store))})
        return alive[[SUBJECT, RULE]].reset_coords(drop=True).set_coords(RULE).load()

    def beside(self, name: str) -> Path:
        """Return a path next to the store."""
        return self.store.path.with_name(name)

    def bench(self, workers: int | None) -> Bench:
        """Return the preserved subjects, ready for designs to be tried in them.

        Raises
        ------
        UserError
            If none is left.
        """
        check_living(self.store)
        count = workers or planning.cores()
        return Bench(self.store, self.subjects, self.anatomies, self.protocol.seed, count)


def _layers(anatomy: Anatomy) -> tuple[dict[str, int], dict[str, int]]:
    tissue = anatomy.specimen()
    units = {layer: tissue.responses[layer].shape[-1] for layer in tissue.layers}
    return units, {layer: tissue.weights[layer].shape[-1] for layer in tissue.layers}


ALL_DIVERGED = (
    "every subject diverged, so there is nothing to record. Lower the learning rates, or the "
    "strengths of the rules."
)


def check_living(store: Store) -> None:
    """Refuse an experiment in which no subject can be recorded.

    Raises
    ------
    UserError
        That they are not trained yet, with the command that trains them, or that all diverged.
    """
    if not living(store):
        check_trained(store)
        raise UserError(ALL_DIVERGED)


def preserved(
    protocol: Protocol,
    source: Path,
    subjects: Path | None,
    store: Path | None,
    *,
    workers: int | None,
    device: str,
    console: Console,
) -> Experiment:
    """Return trained subjects: those of another experiment, or the protocol's own.

    Its own are trained as far as they are not preserved yet.

    Raises
    ------
    StoreError
        If there is no such experiment, or the store belongs to another protocol.
    ProtocolError
        If the protocol's designs cannot be had of that other experiment's subjects.
    """
    if subjects is not None:
        other = Store.open(subjects)
        check_trained(other)
        kept = resume(other)
        check_designs(protocol, kept.protocol)
        return kept
    root = home(protocol, None, store)
    with writer(root, makes=True):
        experiment = begin(protocol, source, root, workers, console)
        train_all(experiment, workers=workers, device=device, console=console)
        experiment.store.finish()
    return experiment


def home(protocol: Protocol, subjects: Path | None, store: Path | None) -> Path:
    """Return where the subjects of a protocol are kept, or those that it takes.

    Raises
    ------
    StoreError
        If no experiment can be at the place that was given, or its own may not be written there.
    """
    place = subjects or store or Path("runs") / f"{protocol.name}.zarr"
    check_location(place)
    if subjects is None:
        check_folder(place)
    return place


def begin(
    protocol: Protocol, source: Path, root: Path, workers: int | None, console: Console
) -> Experiment:
    """Open the store of this protocol, or make it."""
    if root.exists():
        repair_root(root)
        kept = Store.open(root)
        _refuse_another(kept, protocol)
        experiment = resume(kept, protocol)
        if kept.is_damaged("subjects"):
            described = table.describe_subjects(experiment.subjects)
            records = kept.committed(TRAIN, only_sound=True)
            kept.write_table("subjects", table.fates(described, records))
        return experiment
    plan = planning.make(protocol, workers=workers)
    console.print(planning.describe(plan))
    subjects = table.describe_subjects(plan.subjects)
    made = create_store(
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
    return resume(made, protocol)


def begin_anew(store: Store, stages: Sequence[str], console: Console) -> None:
    """Take damaged subjects for not done with some stages, and say how many.

    Parameters
    ----------
    store : Store
        The nodes of these stages are declared.
    stages : sequence of str
        Those that the command at work does next.
    console : rich.console.Console
    """
    for stage in stages:
        if count := store.invalidate_damaged(stage):
            subjects = "1 subject is" if count == 1 else f"{count} subjects are"
            say(console, f"{stage}: {subjects} damaged and made anew")


def resume(store: Store, protocol: Protocol | None = None) -> Experiment:
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
    # Read as a protocol: settings that came later have their defaults in it.
    before = read_text(store.provenance["protocol_resolved"], name=str(store.path)).resolved()
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


def train_all(
    experiment: Experiment, *, workers: int | None, device: str, console: Console
) -> None:
    """Train and preserve who is not preserved yet; write down what became of all."""
    store, subjects = experiment.store, experiment.subjects
    for anatomy in experiment.anatomies:
        train.declare(store, anatomy, experiment.visits)
    reference.keep(store, experiment.anatomies, experiment.protocol.seed)
    begin_anew(store, [TRAIN], console)
    done = len(store.committed(TRAIN))
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
    records = store.committed(TRAIN)
    for name, found in _tables(experiment, records).items():
        store.write_table(name, found)
    lost = [i for i, r in records.items() if r["status"] in (DIVERGED, FAILED)]
    if lost:
        say(console, _lost(lost, records, subjects))


def _tables(
    experiment: Experiment, records: Mapping[int, Mapping[str, Any]]
) -> dict[str, xr.Dataset]:
    """Return what became of the subjects, and the truth about them, from their records."""
    described = table.describe_subjects(experiment.subjects)
    layers_of = {
        index: anatomy.layout().layers
        for anatomy in experiment.anatomies
        for index in anatomy.members
    }
    layers = recording.union_of_layers({str(i): layers for i, layers in layers_of.items()})
    truth = table.truth(described, records, layers, layers_of, experiment.visits)
    return {"subjects": table.fates(described, records), "truth": truth}


def so_far(path: Path, without: Collection[str] = ()) -> xr.DataTree:
    """Open an experiment as far as it has come.

    The tables of subjects and of truth are written when all subjects are trained; until then they
    are made from the records of those that are.

    Parameters
    ----------
    path : Path
    without : collection of str
        Nodes that are left out with all below them.

    Raises
    ------
    StoreError
        If there is no experiment at this path.
    """
    tree = open_tree(path, without)
    if "status" in tree["subjects"]:
        return tree
    experiment = resume(Store.open(path))
    for name, found in _tables(experiment, experiment.store.committed(TRAIN)).items():
        tree[name] = xr.DataTree(found)
    return tree


def _lost(
    lost: Sequence[int], records: Mapping[int, Mapping[str, object]], subjects: Sequence[Subject]
) -> str:
    first = min(lost, key=lambda index: index)
    record, subject = records[first], subjects[first]
    on = ", the others went on" if len(lost) < len(subjects) else ""
    return (
        f"{len(lost)} of {len(subjects)} subjects diverged; they are marked and kept{on}. "
        f"The first: subject {first + 1:04d} ({subject.label}, learning rate "
        f"{subject.optimizer.learning_rate:.3g}) at step {record['diverged_at']} in layer "
        f"{record['diverged_in']!r}."
    )
