"""Find the least that has to be recorded to identify the rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from virtuallab.console import say
from virtuallab.decoder.power_result import PowerResult, Values
from virtuallab.errors import ProtocolError, UserError
from virtuallab.lab.designs.cheapest_design import DesignSearch
from virtuallab.lab.designs.decode_designs import DecodingSettings, check_counts, evaluate_designs
from virtuallab.lab.designs.design_evaluation import DesignRun, PreservedSubjects, measured
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
from virtuallab.lab.services.progress import Count, counting
from virtuallab.lab.services.resources import peak_memory, spent
from virtuallab.lab.services.scheduler import check_workers, open_pool
from virtuallab.lab.services.workers import WorkerPool, stoppable
from virtuallab.lab.stages.experiment import Experiment, home, preserved
from virtuallab.probes import Probe
from virtuallab.protocol import Power, Prices, Protocol, as_protocol
from virtuallab.reporting import power_page, power_summary
from virtuallab.reporting.results.power import PowerQuestion


@stoppable()
def power(
    protocol: Protocol | Mapping[str, Any] | str | Path,
    overrides: Sequence[str] = (),
    *,
    target: float | None = None,
    subjects: str | Path | None = None,
    store: str | Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
    scheduler: str | Path | None = None,
    verbose: Verbose = False,
    progress: Progress | None = None,
) -> PowerResult:
    """Search the open settings of a recording design for the least that reaches a target.

    Subjects are trained only if they are not preserved yet. What came of each design is kept, so an
    interrupted search goes on, and one with another target tries little anew.

    Parameters
    ----------
    protocol : Protocol, mapping, str or Path
        A protocol with a ``power`` section, its settings as plain data, or its YAML file.
    overrides : str or sequence of str
        Settings to override, ``"power.trials=80"``.
    target : float, optional
        Balanced accuracy to be reached, in the place of the protocol's.
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
        Print progress and the answer, on the terminal or on this console.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.

    Returns
    -------
    PowerResult
        The cheapest design predicted to reach the target, what it reached in new recordings, how
        much of each open setting is needed, and every design tried. ``NAME.power.csv`` lists the
        designs, ``NAME.power.html`` shows the answer.

    Raises
    ------
    UserError
        If there is no such device, scheduler or target, or no subject is left to record.
    ProtocolError
        If the protocol has no ``power`` section, or a design cannot be had of the subjects.
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
    how = _asked_for(read, target)
    base = home(read, subjects, store).with_name(read.name)
    csv, page = outputs(base)
    check_file(csv)
    check_page(page)
    with open_pool(scheduler, workers, console, device) as pool:
        experiment = preserved(
            plan, subjects, store, workers=workers, pool=pool, device=device, console=console
        )
        found, asked = _sought(experiment, read, how, pool, console)
        memory = peak_memory()  # while worker processes are there
    console.print(power_summary(found, asked))
    write_each(
        lambda: write_file(csv, lambda: found.to_frame().to_csv(index=False)),
        lambda: write_page(page, lambda: power_page(found, asked)),
    )
    say(console, f"Page: {page}\nTook {spent(began, experiment.store.path, memory)}")
    return found


def _sought(
    experiment: Experiment, read: Protocol, how: Power, pool: WorkerPool, console: Console
) -> tuple[PowerResult, PowerQuestion]:
    """Search a design in the subjects of an experiment."""
    bench = PreservedSubjects.of(experiment, pool)
    labels = bench.labels
    if how.target <= 1 / len(set(labels.tolist())):
        raise UserError(f"a target of {how.target:g} is reached by guessing. Raise it.")
    observable = how.observable or measured(how.design.build(_example(how)))[0]
    decoding = DecodingSettings((how.classifier,), how.folds, how.inner_folds)
    check_counts(bench, decoding, "power")
    kept = ResultCache.of(experiment)

    def tried(
        advance: Count, designs: Sequence[Values], implantations: Sequence[int]
    ) -> np.ndarray:
        trials = [
            DesignRun(how.design.build(values), number, (observable,))
            for values in designs
            for number in implantations
        ]
        came = evaluate_designs(bench, kept, trials, decoding, advance)
        right = np.stack([each.right[observable, how.classifier] for each in came])
        shares: np.ndarray = right.reshape(len(designs), len(implantations), -1).mean(1)
        return shares

    def confirm(designs: Sequence[Values], implantations: Sequence[int]) -> np.ndarray:
        total = len(designs) * len(implantations)
        with counting(console, "implantations of the chosen design tried", total) as advance:
            return tried(advance, designs, implantations)

    frontier = DesignSearch(how, pricing(how, experiment), labels, read.seed, bench.pairs)
    with counting(console, "implantations tried", how.trials * how.seeds) as advance:
        frontier.explore(partial(tried, advance))
    found = frontier.seek(confirm)
    asked = PowerQuestion(
        read.name, read.question, observable, how.classifier, len(labels), how.seeds
    )
    return found, asked


def outputs(base: Path) -> tuple[Path, Path]:
    """Return where the answer is written: the table of designs, and the page."""
    return base.with_name(f"{base.name}.power.csv"), base.with_name(f"{base.name}.power.html")


def _asked_for(protocol: Protocol, target: float | None) -> Power:
    if protocol.power is None:
        words = (
            "missing key. It says which settings of a design are open, and what is to be reached."
        )
        raise ProtocolError([protocol.fault("power", words)])
    if target is None:
        return protocol.power
    if not 0 < target < 1:
        raise UserError(f"a target is a balanced accuracy between 0 and 1, found {target:g}.")
    return protocol.power.model_copy(update={"target": target})


def _example(how: Power) -> Values:
    return {path: at.low for path, at in how.design.settings.space.items()}


def pricing(how: Power, experiment: Experiment) -> Callable[[Values], float]:
    """Return what a design costs, in the network in which it costs most."""
    sizes = experiment.plan.sizes

    def cost(values: Values) -> float:
        probe = how.design.build(values)
        return max(_cost(probe, how.prices, probe.resolved.amounts(*each)) for each in sizes)

    return cost


def _cost(probe: Probe, prices: Prices, amounts: dict[str, int]) -> float:
    design = probe.resolved
    return (
        prices.unit * amounts["units"]
        + prices.synapse * amounts["synapses"]
        + prices.visit * amounts["visits"]
        + prices.stimulus * amounts["stimuli"]
        + prices.insertion * (design.insertions if design.device else 0)
        + prices.trial * (design.spikes.trials if design.spikes else 0)
        + prices.snr * (design.noise.ratio or 0.0)
    )
