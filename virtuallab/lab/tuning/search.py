"""Search the settings that a protocol leaves open for those that learn best.

Each generation of trials is proposed at once, from all that is known by then, and trained together
as one cohort: the trials of a study differ in little but numbers, and numbers are what the subjects
of a population may differ in.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from virtuallab import seeds
from virtuallab.console import say
from virtuallab.errors import ProtocolError, UserError
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.services.console import Progress, Verbose, console_of
from virtuallab.lab.services.output_files import check_file, write_each, write_file
from virtuallab.lab.services.progress import Advance, counting
from virtuallab.lab.services.scheduler import check_workers, open_pool
from virtuallab.lab.services.workers import (
    Piece,
    Stop,
    WorkerPool,
    run_all,
    stoppable,
    torch_threads,
)
from virtuallab.lab.tuning import study_results as trials
from virtuallab.lab.tuning.generation import GenerationTraining
from virtuallab.lab.tuning.optuna_space import distribution, values_of
from virtuallab.lab.tuning.optuna_storage import open_storage
from virtuallab.paths import expanded
from virtuallab.protocol import Protocol, Search, SearchStudy, as_protocol, search_studies
from virtuallab.protocol.reading.tuned_text import tuned_text
from virtuallab.store.files.atomic_write import writing
from virtuallab.subject.network.grouping import population_problem
from virtuallab.subject.subject import Subject, kind

if TYPE_CHECKING:
    import optuna
    from optuna.storages import JournalStorage


@stoppable()
def search(
    protocol: Protocol | Mapping[str, Any] | str | Path,
    overrides: Sequence[str] = (),
    *,
    storage: str | Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
    scheduler: str | Path | None = None,
    verbose: Verbose = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Find the best values of the settings that a protocol leaves open.

    Interrupted, it goes on where it stopped when called again. Beside this file it writes
    ``NAME.tuned.yaml``, the protocol with the best values, and ``NAME.search.csv``, every trial.

    Parameters
    ----------
    protocol : Protocol, mapping, str or Path
        A protocol with a ``search`` section, its settings as plain data, or its YAML file.
    overrides : str or sequence of str
        Settings to override, ``"search.trials=128"``.
    storage : str or Path, optional
        Where trials are kept; ``runs/NAME.search.journal`` if not given.
    workers : int, optional
        Studies at once; as many as there are cores if not given. Workers that are left over are
        torch threads of each.
    device : str
        Where to train: ``"cpu"``, ``"cuda"``, or ``"auto"``, which is ``"cuda"`` if torch finds it.
    scheduler : str or Path, optional
        Cluster that trains, as for :func:`virtuallab.run`, each generation on one torch thread.
        Threads of this process if not given.
    verbose : bool or rich.console.Console
        Print progress and the best settings, on the terminal or on this console.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.

    Returns
    -------
    xr.Dataset
        Over ``row``, one for each trial of each study: ``study``, ``rule``, ``architecture``,
        ``task``, the number of the ``trial``, its settings, its ``value``, how many of its subjects
        ``diverged``, and its ``state``.

    Raises
    ------
    UserError
        If there is no such device or scheduler, another search uses the storage, or something else
        lies in the place of a file that is to be written.
    ProtocolError
        If the protocol cannot be carried out, has no ``search`` section or leaves nothing open.
    MachineError
        If the machine fails; finished trials are kept.
    """
    console = console_of(verbose, progress)
    device = check_workers(scheduler, workers, device)
    read = make_plan(as_protocol(protocol, overrides)).protocol
    how, sought = _asked_for(read)
    root = expanded(storage or Path("runs") / f"{read.name}.search.journal", "storage")
    csv = root.with_name(f"{read.name}.search.csv")
    tuned = root.with_name(f"{read.name}.tuned.yaml")
    for file in (root, csv, tuned):
        check_file(file)
    _refuse_another(tuned)
    with open_pool(scheduler, workers, console, device) as pool, open_storage(root) as kept:
        searches = [_Searched(study, how, kept, root, device, pool) for study in sought]
        done = sum(min(each.finished, how.trials) for each in searches)
        # Workers of a cluster compute on one thread each, and a thread here waits for each study.
        here = scheduler is None
        threads = max(1, pool.workers // len(searches)) if here else 1
        with (
            counting(console, "trials finished", how.trials * len(searches), done) as advance,
            torch_threads(threads) if here else nullcontext(),
        ):
            work = [partial(each.go_on, advance) for each in searches]
            run_all(work, pool.workers if here else len(searches))
        made = {each.name: (each.study, each.trials()) for each in searches}
    found = trials.table(made)
    best = [trials.summarise(study, how, each) for study, each in made.values()]
    console.print(trials.describe(read.name, how, best))
    text = _tuned(read, best, tuned.parent)
    write_each(
        lambda: write_file(csv, lambda: found.to_csv(index=False)),
        lambda: write_file(tuned, lambda: text),
    )
    say(console, f"Tuned protocol: {tuned}")
    return xr.Dataset.from_dataframe(found.rename_axis("row"))


def _refuse_another(tuned: Path) -> None:
    """A protocol that the user wrote is not replaced by one that was found."""
    if not tuned.is_file():
        return
    with tuned.open(encoding="utf-8", errors="replace") as file:
        if _HEADING not in file.read(2000):
            raise UserError(
                f"{tuned} is there already, and was not written by virtuallab search. It was left "
                "alone: move it away, or rename it."
            )


_HEADING = "Made by: virtuallab search"


def _asked_for(protocol: Protocol) -> tuple[Search, tuple[SearchStudy, ...]]:
    """Return how to search, and what.

    Raises
    ------
    ProtocolError
        If the protocol does not say so.
    """
    if protocol.search is None:
        words = "missing key. `search: {}` asks for a search with all its defaults."
        raise ProtocolError([protocol.fault("search", words)])
    sought = search_studies(protocol)
    if not sought:
        words = (
            "nothing is open here: every setting of the rules and their optimizers has a value. "
            "Leave one open, as in learning_rate: {log_uniform: [0.001, 0.1]}."
        )
        raise ProtocolError([protocol.fault("subjects.rules", words)])
    return protocol.search, sought


class _Searched:
    """A study under way."""

    def __init__(
        self,
        study: SearchStudy,
        how: Search,
        storage: JournalStorage,
        file: Path,
        device: str,
        pool: WorkerPool,
    ) -> None:
        import optuna

        self.study, self.how = study, how
        self.file, self.device, self.pool = file, device, pool
        self.name = study.name(how)
        self.space = {path: distribution(each) for path, each in study.space.items()}
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with writing(file):
            self.kept = optuna.create_study(
                study_name=self.name,
                storage=storage,
                direction="maximize" if how.maximised else "minimize",
                load_if_exists=True,
            )
            self._abandon()

    def _abandon(self) -> None:
        """Give up the trials that a killed search has left running; they are proposed again."""
        from optuna.trial import TrialState

        for trial in self.kept.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.kept.tell(trial.number, state=TrialState.FAIL)

    @property
    def finished(self) -> int:
        """How many trials have a value."""
        from optuna.trial import TrialState

        return len(self.kept.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))

    def trials(self) -> list[trials.Trial]:
        """List every trial, also those that were given up."""
        from optuna.trial import TrialState

        return [
            trials.Trial(
                number=trial.number,
                settings=values_of(self.study, trial.params),
                value=float("nan") if trial.value is None else trial.value,
                diverged=trial.user_attrs.get("diverged", 0),
                state="complete" if trial.state == TrialState.COMPLETE else "failed",
            )
            for trial in self.kept.get_trials(deepcopy=False)
        ]

    def go_on(self, advance: Advance, stop: Stop) -> None:
        """Train generation after generation, until there are as many trials as were asked for."""
        while (missing := self.how.trials - self.finished) > 0:
            stop.check()
            asked = self._ask(min(self.how.generation, missing))
            values, diverged = self._train([trial.params for trial in asked], stop)
            with writing(self.file):
                for trial, value, lost in zip(asked, values, diverged, strict=True):
                    trial.set_user_attr("diverged", lost)
                    self.kept.tell(trial, value)
            advance(len(asked))

    def _ask(self, count: int) -> list[optuna.Trial]:
        """Propose a generation.

        The sampler is seeded by what is known: a generation that was interrupted is proposed again
        as it was, and a search ends alike however often it was interrupted.
        """
        from optuna.samplers import TPESampler

        seed = seeds.integer(
            self.study.protocol.seed, seeds.SEARCH, self.name, f"after {self.finished} trials"
        )
        # Trials that still run count as bad ones, which keeps a generation from crowding together.
        self.kept.sampler = TPESampler(constant_liar=True, multivariate=True, seed=seed % 2**32)
        with writing(self.file):
            return [self.kept.ask(self.space) for _ in range(count)]

    def _train(
        self, proposed: Sequence[Mapping[str, Any]], stop: Stop
    ) -> tuple[list[float], list[int]]:
        """Train a generation; return each trial's value and how many of its subjects diverged."""
        subjects = [
            subject
            for params in proposed
            for subject in self.study.trial(values_of(self.study, params), self.how.seeds)
        ]
        together: dict[tuple[Any, ...], list[int]] = {}
        for index, subject in enumerate(subjects):
            together.setdefault(kind(subject), []).append(index)
        values = np.empty(len(subjects))
        for members in together.values():
            values[members] = self._values_of([subjects[index] for index in members], stop)
        lost = np.isnan(values)
        values[lost] = [self._worst(subjects[index]) for index in np.flatnonzero(lost)]
        shape = (len(proposed), self.how.seeds)
        return values.reshape(shape).mean(1).tolist(), lost.reshape(shape).sum(1).tolist()

    def _values_of(self, subjects: Sequence[Subject], stop: Stop) -> np.ndarray:
        """Train subjects of one kind; return what each is worth, NaN if it diverged."""
        first = subjects[0]
        if len(subjects) > 1 and population_problem(first.architecture, first.task):
            return np.concatenate([self._values_of([subject], stop) for subject in subjects])
        found: list[np.ndarray] = []
        visits = tuple(_looks(self.study.protocol))
        training = GenerationTraining(tuple(subjects), visits, self.how.objective, self.device)
        self.pool.compute(Piece(training, found.append, device=self.device), stop)
        return found[0]

    def _worst(self, subject: Subject) -> float:
        """What a subject is worth that diverged: it must lose against all that learn anything.

        It is told as a value like any other, since a trial told as failed would teach nothing.
        """
        return subject.task.chance if self.how.maximised else float("inf")


def _looks(protocol: Protocol) -> list[int]:
    """Return some of a run's visits: the last two, which decide, and a few at which to stop."""
    visits = protocol.subjects.visit_steps
    return sorted({*visits[:: max(1, len(visits) // 5)], *visits[-2:]})


def _tuned(protocol: Protocol, found: Sequence[trials.StudyResult], folder: Path) -> str:
    """Return the text of the tuned protocol in a folder, from the first study of each rule."""
    first: dict[int, trials.StudyResult] = {}
    for result in found:
        first.setdefault(result.study.rule, result)
    best = {index: result.settings for index, result in first.items() if not result.is_hopeless}
    words = ["virtuallab", "search", str(protocol.path or protocol.name)]
    words += [word for each in protocol.overrides for word in ("-s", each)]
    heading = [
        f"Made by: {shlex.join(words)}",
        "Settings that were open hold the best values found, of each rule for the architecture and",
        "task listed first:",
        *(f"  {result.sentence}" for result in first.values()),
        "",
    ]
    return tuned_text(protocol, best, heading, folder=folder)
