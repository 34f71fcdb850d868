"""The subjects of a protocol, trained and preserved, and the store that keeps them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.errors import ProtocolError, StoreError
from virtuallab.lab.planning import subject_table
from virtuallab.lab.planning.costs import costs_table, measure_costs
from virtuallab.lab.planning.network_group import task_labels, union_of_layers
from virtuallab.lab.planning.plan import Plan, lay_out
from virtuallab.lab.planning.validation import check_designs
from virtuallab.lab.services.output_files import check_folder
from virtuallab.lab.services.progress import counting
from virtuallab.lab.services.workers import WorkerPool
from virtuallab.lab.stages import reference, snapshots, train
from virtuallab.lab.stages.nodes import (
    TRAIN,
    check_preserved,
    check_trained,
    living,
    refuse_copy,
)
from virtuallab.lab.stages.nodes import stage as stage_of
from virtuallab.lab.stages.probe_recorder import ProbeRecorder
from virtuallab.lab.stages.record import declare
from virtuallab.paths import expanded
from virtuallab.protocol import Protocol, differences, read_text
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.store import Store, create_store, open_tree, writer
from virtuallab.store.integrity.recovery import repair_root
from virtuallab.store.layout.location import check_location
from virtuallab.store.provenance import provenance
from virtuallab.subject.subject import Subject
from virtuallab.text import count_noun
from virtuallab.vocabulary import DIVERGED, FAILED, PAIR, PERFORMANCE, RULE, SUBJECT, subject_name


@dataclass(frozen=True)
class Experiment:
    """A plan and the store that keeps its subjects."""

    plan: Plan
    store: Store

    @property
    def recorded(self) -> xr.Dataset:
        """Names, rules and pairs of the subjects that can be recorded."""
        alive = self.store.subjects.isel({SUBJECT: sorted(living(self.store))})
        named = [name for name in (RULE, PAIR) if name in alive]
        return alive[[SUBJECT, *named]].reset_coords(drop=True).set_coords(named).load()

    def beside(self, name: str) -> Path:
        """Return a path next to the store."""
        return self.store.path.with_name(name)


def preserved(
    plan: Plan,
    subjects: str | Path | None,
    store: str | Path | None,
    *,
    workers: int | None,
    pool: WorkerPool,
    device: str,
    console: Console,
) -> Experiment:
    """Return trained subjects: those of another experiment, or the plan's own.

    Its own are trained as far as they are not preserved yet.

    Raises
    ------
    StoreError
        If there is no such experiment, or the store belongs to another protocol.
    ProtocolError
        If the protocol's designs cannot be evaluated in the other experiment's subjects, or its
        own subjects are not to be preserved.
    UserError
        If the other experiment's subjects are not all trained, or not preserved.
    """
    if subjects is not None:
        other = Store.open(expanded(subjects, "subjects"))
        check_trained(other)
        kept = resume(other)
        check_preserved(other, "no design can be evaluated in them")
        check_designs(plan.protocol, kept.plan)
        return kept
    if not plan.protocol.subjects.preserve:
        words = (
            "found false, and designs are evaluated in preserved subjects. Leave it out, or take "
            "the preserved subjects of another experiment with --subjects."
        )
        raise ProtocolError([plan.protocol.fault("subjects.preserve", words)])
    root = home(plan.protocol, None, store)
    with writer(root, makes=True):
        experiment = open_experiment(plan, root, workers, console)
        train_all(experiment, pool=pool, device=device, console=console)
        experiment.store.finish()
    return experiment


def home(protocol: Protocol, subjects: str | Path | None, store: str | Path | None) -> Path:
    """Return where the subjects of a protocol are kept, or those that it takes.

    Raises
    ------
    StoreError
        If no experiment can be at the place that was given, or its own may not be written there.
    """
    place = expanded(
        subjects or store or Path("runs") / f"{protocol.name}.zarr",
        "subjects" if subjects else "store",
    )
    check_location(place)
    if subjects is None:
        check_folder(place)
    return place


def open_experiment(plan: Plan, root: Path, workers: int | None, console: Console) -> Experiment:
    """Open the store of a plan, or make it; costs are measured for a new one.

    Raises
    ------
    StoreError, UserError
        If the store belongs to another protocol, or is a copy without states.
    """
    protocol = plan.protocol
    if root.exists():
        repair_root(root)
        store = Store.open(root)
        refuse_copy(store)
        _refuse_another(store, protocol)
        if store.is_damaged("subjects"):
            records = store.committed(TRAIN, only_sound=True)
            store.write_table("subjects", subject_table.outcomes(plan.to_dataset(), records))
        return Experiment(plan, store)
    plan = measure_costs(plan, workers)
    console.print(costs_table(plan))
    origin = provenance(
        text=protocol.text,
        resolved=json.dumps(protocol.resolved(), sort_keys=True),
        title=protocol.name,
        summary=protocol.question,
        seed=protocol.seed,
        source=protocol.path,
    )
    store = create_store(
        root,
        subjects=plan.to_dataset(),
        provenance={**origin, "protocol_overrides": json.dumps(protocol.overrides)},
        plan=plan.stored(),
    )
    return Experiment(plan, store)


def discard_damaged(store: Store, stages: Sequence[str], console: Console) -> None:
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
            subjects = f"{count_noun(count, 'subject')} {'is' if count == 1 else 'are'}"
            say(console, f"{stage}: {subjects} damaged and made anew")


def resume(store: Store) -> Experiment:
    """Return the experiment of a store, its plan laid out from the protocol that it keeps."""
    kept = read_text(store.provenance["protocol_resolved"], name=str(store.path))
    return Experiment(lay_out(kept), store)


def _refuse_another(store: Store, protocol: Protocol) -> None:
    """A store holds the subjects of one protocol; new probes and analyses are welcome in it.

    Raises
    ------
    StoreError
        With each setting that differs.
    """
    # Read as a protocol: settings that came later have their defaults in it.
    before = read_text(store.provenance["protocol_resolved"], name=str(store.path))
    found = [
        *differences(_of_subjects(before), _of_subjects(protocol)),
        *_changed_probes(before.resolved()["probes"], protocol.resolved()["probes"]),
    ]
    if found:
        raise StoreError(
            f"{store.path} was made from another protocol: {'; '.join(found)}. "
            "Choose another store with --store, or give a changed probe another name."
        )


def _of_subjects(protocol: Protocol) -> dict[str, Any]:
    """Settings that determine the subjects, without the places of files, which may be moved."""
    return {"seed": protocol.seed, "subjects": plain(protocol.subjects.identifying())}


def _changed_probes(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    common = sorted(before.keys() & now.keys())
    return differences(
        {"probes": {name: before[name] for name in common}},
        {"probes": {name: now[name] for name in common}},
    )


def train_all(experiment: Experiment, *, pool: WorkerPool, device: str, console: Console) -> None:
    """Train who is not preserved or recorded yet; write down what became of all."""
    plan, store = experiment.plan, experiment.store
    reference.keep(store, plan.network_groups, plan.protocol.seed)
    recorder, again = None, 0
    if plan.protocol.subjects.preserve:
        for group in plan.network_groups:
            snapshots.declare(store, group, plan.visit_coordinates)
        discard_damaged(store, [TRAIN], console)
    else:
        probes = plan.protocol.probes
        declare(plan, store, probes)
        discard_damaged(store, [TRAIN, *map(stage_of, probes)], console)
        recorder = ProbeRecorder(plan, store, probes)
        again = sum(bool(recorder.missing(index)) for index in living(store))
        if again:
            words = f"{again} of {len(plan.subjects)} subjects are not preserved and were not"
            say(console, f"{words} recorded by every probe; they are trained again")
    done = len(store.committed_subjects(TRAIN)) - again
    with counting(console, "subjects trained", len(plan.subjects), done) as advance:
        train.train_subjects(plan, store, pool, device, advance, recorder)
    records = store.committed(TRAIN)
    for name, found in _tables(experiment.plan, records).items():
        store.write_table(name, found)
    lost = [i for i, r in records.items() if r["status"] in (DIVERGED, FAILED)]
    if lost:
        say(console, _lost(lost, records, plan.subjects))


def _tables(plan: Plan, records: Mapping[int, Mapping[str, Any]]) -> dict[str, xr.Dataset]:
    """Return what became of the subjects, and the truth about them, from their records."""
    described = plan.to_dataset()
    layers_of = {
        index: group.layout().layers for group in plan.network_groups for index in group.members
    }
    layers = union_of_layers({str(i): layers for i, layers in layers_of.items()})
    truth = subject_table.truth(described, records, layers, layers_of, plan.visit_coordinates)
    labels = zip(task_labels(plan.subjects), plan.subjects, strict=True)
    other = {label: s.task.measure for label, s in labels if s.task.measure != "accuracy"}
    if other and PERFORMANCE in truth:
        truth[PERFORMANCE].attrs["measures"] = json.dumps(other)
    return {"subjects": subject_table.outcomes(described, records), "truth": truth}


def open_partial(path: Path, without: Collection[str] = ()) -> xr.DataTree:
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
    for name, found in _tables(experiment.plan, experiment.store.committed(TRAIN)).items():
        tree[name] = xr.DataTree(found)
    return tree


def _lost(
    lost: Sequence[int], records: Mapping[int, Mapping[str, object]], subjects: Sequence[Subject]
) -> str:
    first = min(lost, key=lambda index: index)
    record, subject = records[first], subjects[first]
    on = ", the others went on" if len(lost) < len(subjects) else ""
    they = "it is" if len(lost) == 1 else "they are"
    return (
        f"{len(lost)} of {count_noun(len(subjects), 'subject')} diverged; {they} marked and kept"
        f"{on}. "
        f"The first: {subject_name(first, len(subjects))} ({subject.label}, learning rate "
        f"{subject.optimizer.learning_rate:.3g}) at step {record['diverged_at']} in layer "
        f"{record['diverged_in']!r}."
    )
