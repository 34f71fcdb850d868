"""``probe``: implant probes in preserved subjects, or remove them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.errors import UserError, suggest
from virtuallab.lab.open import open_undamaged
from virtuallab.lab.planning.validation import check_probes
from virtuallab.lab.services.console import Progress, Verbose, console_of
from virtuallab.lab.services.progress import counting
from virtuallab.lab.services.scheduler import check_workers, open_pool
from virtuallab.lab.services.workers import WorkerPool, stoppable
from virtuallab.lab.stages import nodes
from virtuallab.lab.stages.experiment import Experiment, discard_damaged, resume
from virtuallab.lab.stages.overrides import protocol_for
from virtuallab.lab.stages.record import declare, probe_in, record_probes
from virtuallab.paths import expanded
from virtuallab.probes import Probe
from virtuallab.protocol import Protocol
from virtuallab.store import Store, writer
from virtuallab.text import as_names, count_noun
from virtuallab.vocabulary import PROBE


@stoppable()
def probe(
    store: str | Path,
    protocol: Protocol | Mapping[str, Any] | str | Path | None = None,
    overrides: Sequence[str] = (),
    *,
    remove: Sequence[str] = (),
    workers: int | None = None,
    scheduler: str | Path | None = None,
    verbose: Verbose = False,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Implant probes in preserved subjects, or remove them; nothing is trained again.

    Parameters
    ----------
    store : str or Path
        The experiment, ``runs/NAME.zarr``.
    protocol : Protocol, mapping, str or Path, optional
        Protocol whose probes are implanted. If not given, the probes that are in the store, and
        those of its own protocol, record the subjects that they have not recorded yet.
    overrides : str or sequence of str
        Settings of its probes to override, ``"probes.array.units=20"``. A name that is new adds a
        probe.
    remove : str or sequence of str
        Names of probes to remove instead: their recordings, features and records. Subjects and
        other probes stay as they are. A removal that was interrupted is ended by the same call.
    workers : int, optional
        Subjects at once; as many as there are cores if not given.
    scheduler : str or Path, optional
        Cluster that records, as for :func:`virtuallab.run`. Threads of this process if not given.
    verbose : bool or rich.console.Console
        Print progress, and what was removed.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.

    Returns
    -------
    xr.DataTree
        The experiment, opened.

    Raises
    ------
    UserError
        If no subject is preserved yet, or subjects are not preserved at all; if there is no such
        probe to remove, or no such scheduler.
    ProtocolError
        If a probe asks for what the subjects do not have, or an override is of another section.
    StoreError
        If another process writes into the store, or a probe of that name is there with other
        settings.
    """
    console, root = console_of(verbose, progress), expanded(store, "store")
    remove = as_names(remove)
    if remove and (protocol is not None or overrides):
        raise UserError("probes are either implanted or removed: give no protocol and no settings.")
    check_workers(scheduler, workers)
    if remove:
        with writer(root):
            _remove(Store.open(root), remove, console)
    else:
        with open_pool(scheduler, workers, console) as pool, writer(root):
            experiment = resume(Store.open(root))
            run = nodes.run_command(experiment.store)
            nodes.check_preserved(
                experiment.store,
                "no probe can be implanted after training",
                f"Add the probe to the protocol and train the subjects again with `{run}`.",
            )
            record_all(experiment, _probes(experiment, protocol, overrides), pool, console)
            experiment.store.finish()
    tree = open_undamaged(root)
    for analysis in _decoded_from(tree, remove):
        again = shlex.join(["virtuallab", "decode", str(root)])
        say(
            console,
            f"Analysis {analysis} still holds what was decoded from it, until {again} replaces it.",
        )
    return tree


def record_all(
    experiment: Experiment, probes: Mapping[str, Probe], pool: WorkerPool, console: Console
) -> None:
    """Record all preserved subjects with some probes, as far as they are not recorded yet.

    Raises
    ------
    UserError
        If no subject can be recorded.
    StoreError
        If a probe of that name is there with other settings.
    """
    plan, store = experiment.plan, experiment.store
    if probes:
        nodes.check_living(store)
    declare(plan, store, probes)
    stages = [nodes.stage(name) for name in probes]
    discard_damaged(store, stages, console)
    total = len(nodes.living(store)) * len(probes)
    already = sum(len(store.committed_subjects(stage)) for stage in stages)
    with counting(console, "recordings made", total, already) as advance:
        record_probes(plan, store, probes, pool, advance)


def _probes(
    experiment: Experiment,
    protocol: Protocol | Mapping[str, Any] | str | Path | None,
    overrides: Sequence[str],
) -> dict[str, Probe]:
    """Return the probes to be implanted, by name."""
    store, other = experiment.store, experiment.plan.protocol
    if protocol is not None or overrides:
        other = protocol_for("probe", "probes", store, protocol, overrides)
        check_probes(other, experiment.plan)
    if protocol is not None:
        return dict(other.probes)
    return {**{name: probe_in(store, name) for name in nodes.probes_in(store)}, **other.probes}


def _remove(store: Store, probes: Sequence[str], console: Console) -> None:
    known = nodes.probes_in(store)
    for name in probes:
        if name not in known:
            raise UserError(f"{store.path}: no probe {name!r}. {suggest(name, known)}")
    for name in dict.fromkeys(probes):
        removed = [nodes.feature_node(name), nodes.noise_node(name), nodes.recordings_of(name)]
        count = len(store.committed_subjects(nodes.stage(name)))
        store.remove(nodes.stage(name), removed)
        say(console, f"Probe {name} removed, with {count_noun(count, 'recording')}.")
    store.finish()


def _decoded_from(tree: xr.DataTree, probes: Sequence[str]) -> list[str]:
    """Return analyses whose stored results were decoded from one of the probes."""
    if "decoding" not in tree:
        return []
    read = {
        name: node[PROBE].to_numpy().ravel() for name, node in tree["decoding"].children.items()
    }
    return [name for name, probe in read.items() if {*map(str, probe)} & {*probes}]
