"""``decode``: run the analyses of an experiment on what its probes recorded."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.lab.open import open_undamaged
from virtuallab.lab.planning.rule_levels import levels_of
from virtuallab.lab.planning.validation import check_analyses
from virtuallab.lab.report import remake_page
from virtuallab.lab.services.console import Progress, Verbose, console_of
from virtuallab.lab.services.scheduler import check_workers, open_pool
from virtuallab.lab.services.workers import WorkerPool, stoppable
from virtuallab.lab.stages.coverage import decodable_probes
from virtuallab.lab.stages.decode import decode_probes
from virtuallab.lab.stages.experiment import Experiment, open_partial, resume
from virtuallab.lab.stages.nodes import check_living, probes_in
from virtuallab.lab.stages.overrides import protocol_for
from virtuallab.lab.stages.record import command, probe_in
from virtuallab.paths import expanded
from virtuallab.protocol import Protocol
from virtuallab.reporting import verdict_table
from virtuallab.store import Store, writer


@stoppable(goes_on=False)
def decode(
    store: str | Path,
    protocol: Protocol | Mapping[str, Any] | str | Path | None = None,
    overrides: Sequence[str] = (),
    *,
    partial: bool = False,
    workers: int | None = None,
    scheduler: str | Path | None = None,
    verbose: Verbose = False,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Run the experiment's analyses again, or another protocol's.

    Earlier results of an analysis of the same name are replaced, and so is the report page, if
    there is one.

    Parameters
    ----------
    store : str or Path
        The experiment, ``runs/NAME.zarr``.
    protocol : Protocol, mapping, str or Path, optional
        Protocol whose analyses are run; the experiment's own if not given.
    overrides : str or sequence of str
        Settings of its analyses to override, ``"analyses.main.folds=3"``.
    partial : bool
        Decode probes that have not recorded every subject from those that they have; the verdict
        says how many these are.
    workers : int, optional
        Processes at once; as many as there are cores if not given.
    scheduler : str or Path, optional
        Cluster that decodes, as for :func:`virtuallab.run`. Processes of this machine if not given.
    verbose : bool or rich.console.Console
        Print progress and the verdict.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.

    Returns
    -------
    xr.DataTree
        The experiment, opened; each analysis is a node of ``decoding``.

    Raises
    ------
    UserError
        If a probe that an analysis needs has not recorded every subject, and ``partial`` is False;
        if every subject diverged; if there is no such scheduler.
    ProtocolError
        If an analysis is not possible in the experiment's subjects, or an override is of another
        section.
    StoreError
        If another process writes into the store.
    """
    console, root = console_of(verbose, progress), expanded(store, "store")
    check_workers(scheduler, workers)
    with open_pool(scheduler, workers, console) as pool, writer(root):
        experiment = resume(Store.open(root))
        check_living(experiment.store)
        source = experiment.plan.protocol
        if protocol is not None or overrides:
            source = _asked(experiment, protocol, overrides)
        nodes = experiment.store.nodes()
        replaced = [name for name in source.analyses if f"decoding/{name}" in nodes]
        decode_analyses(experiment, source, pool, console, partial=partial)
        experiment.store.finish()
    tree = open_undamaged(root, open_partial)
    console.print(verdict_table(tree))
    for name in replaced:
        say(console, _replacement(name, experiment, source))
    remake_page(root, tree, console)
    return tree


def _replacement(name: str, experiment: Experiment, source: Protocol) -> str:
    """Return what became of the earlier results of an analysis."""
    own = experiment.plan.protocol.analyses
    words = f"The earlier results of analysis {name} are replaced"
    if name not in own or own[name] == source.analyses[name]:
        return f"{words}."
    again = shlex.join(["virtuallab", "decode", str(experiment.store.path)])
    return f"{words} by those of other settings; `{again}` makes them anew."


def _asked(
    experiment: Experiment,
    protocol: Protocol | Mapping[str, Any] | str | Path | None,
    overrides: Sequence[str],
) -> Protocol:
    """Return the protocol whose analyses are run, checked against the experiment."""
    store = experiment.store
    asked = protocol_for("decode", "analyses", store, protocol, overrides)
    planned = {**asked.probes, **experiment.plan.protocol.probes}
    added = [name for name in probes_in(store) if name not in experiment.plan.protocol.probes]
    probes = {**planned, **{name: probe_in(store, name) for name in added}}
    check_analyses(asked, experiment.plan, probes)
    return asked


def decode_analyses(
    experiment: Experiment,
    source: Protocol,
    pool: WorkerPool,
    console: Console,
    *,
    partial: bool = False,
) -> None:
    """Run the analyses of a protocol on what the probes of an experiment have recorded.

    Raises
    ------
    UserError
        As :func:`decode`.
    """
    protocol, store = experiment.plan.protocol, experiment.store
    there = probes_in(store)
    own = {*protocol.probes, *(name for name in source.probes if name in there)}
    found = decodable_probes(store, source.analyses, own, partial=partial)
    for each in found.left_out:
        say(
            console,
            f"{each} and is left out: {each.how_to_finish(store)}, or remove it with "
            f"`{command(store, '--remove', each.probe)}`.",
        )
    with pool.joblib():
        decode_probes(
            store,
            source.analyses,
            found,
            seed=protocol.seed,
            workers=pool.workers,
            console=console,
            levels=levels_of(experiment.plan),
        )
