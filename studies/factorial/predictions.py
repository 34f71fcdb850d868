"""Predictions of subjects by decoders that were trained on others, one file for each task.

Interrupted, the study continues with the tasks that have no file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import numpy as np
from joblib import Parallel, delayed

from studies.factorial.subjects import OBSERVABLES, SPLITS, Recorded
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import held_out, nested, stratified
from virtuallab.decoder.schemes.splits import outside_and_inside
from virtuallab.registry import CLASSIFIERS

CLASSIFIER: Final = "kernel_svm"
OTHERS: Final = ("logistic_regression", "random_forest")
NETWORK: Final = "conv1d_mlp"  # takes ten times as long: tested on new subjects only
STRICT: Final = "strict"
FOLDS: Final = 5
INNER_FOLDS: Final = 3
REPEATS: Final = 5  # draws of the folds, by which the classifier of the other figures is tested
SEED: Final = 2020
CLAIMED_SPLITS: Final = ("architecture", "task", "batch_size", "data_seed")

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Task:
    """What a decoder reads, how it classifies, and what is held out of its training.

    Parameters
    ----------
    observable, classifier : str
    split : str
        A split of :data:`studies.factorial.subjects.SPLITS`, or "strict", folds by pairs.
    draw : int
        Draw of the folds.
    """

    observable: str
    classifier: str
    split: str
    draw: int = 0

    @property
    def file_name(self) -> str:
        """Name of the file with the predictions."""
        return ".".join([self.observable, self.classifier, self.split, str(self.draw)]) + ".json"


def tasks() -> Iterator[Task]:
    """Yield all tasks, those of the default classifier first."""
    for classifier, observable in product((CLASSIFIER, *OTHERS), OBSERVABLES):
        yield from _strict(observable, classifier)
        for split in SPLITS:
            yield Task(observable, classifier, split)
    for observable in OBSERVABLES:
        yield from _strict(observable, NETWORK)


def complete_tasks() -> Iterator[Task]:
    """Yield the tasks of complete recordings, for claims on the published observables."""
    for classifier, observable in product((CLASSIFIER, *OTHERS, NETWORK), OBSERVABLES):
        yield from _strict(observable, classifier)
    for observable, split in product(OBSERVABLES, CLAIMED_SPLITS):
        yield Task(observable, CLASSIFIER, split)


def _strict(observable: str, classifier: str) -> Iterator[Task]:
    for draw in range(REPEATS if classifier == CLASSIFIER else 1):
        yield Task(observable, classifier, STRICT, draw)


def predict_all(recorded: Recorded, folder: Path, workers: int, chosen: Iterable[Task]) -> None:
    """Predict the subjects of tasks that have no file yet."""

    def job(task: Task) -> Callable[[], list[str]]:
        groups = None if task.split == STRICT else recorded.groups(task.split)
        return partial(_predicted, recorded.samples(task.observable), groups, task)

    stored_each({task: folder / task.file_name for task in chosen}, job, workers)


def read_predictions(task: Task, folder: Path) -> np.ndarray:
    """Predicted rule of each recorded subject, (subject,)."""
    return np.array(json.loads((folder / task.file_name).read_text(encoding="utf-8")))


def read_draws(observable: str, classifier: str, folder: Path) -> list[np.ndarray]:
    """Predicted rules of the strict scheme, one array (subject,) for each draw of the folds."""
    return [read_predictions(task, folder) for task in _strict(observable, classifier)]


def stored(file: Path, compute: Callable[[], Any]) -> Any:
    """Result of a computation, read from its file if there is one."""
    if not file.exists():
        part = file.with_name(f"{file.name}.part")
        part.write_text(json.dumps(compute()), encoding="utf-8")
        part.replace(file)
    return json.loads(file.read_text(encoding="utf-8"))


def stored_each(
    files: Mapping[Key, Path],
    job: Callable[[Key], Callable[[], Any]],
    workers: int,
    *,
    prefer: Literal["processes", "threads"] = "processes",
) -> dict[Key, Any]:
    """Result of each of several computations; those that have no file are computed in parallel.

    Parameters
    ----------
    files : mapping from key to Path
    job : callable
        Returns the computation of a key, whose result can be written as JSON. It is called for
        missing results only. For processes it should hold one sample a subject, and not all
        features, which take a hundred times the memory.
    workers : int
    prefer : {"processes", "threads"}
    """
    for folder in {file.parent for file in files.values()}:
        folder.mkdir(parents=True, exist_ok=True)
    missing = [key for key, file in files.items() if not file.exists()]
    # Not a generator: an interruption would leave its workers.
    Parallel(n_jobs=workers, prefer=prefer)(
        delayed(stored)(files[key], job(key)) for key in missing
    )
    return {key: json.loads(file.read_text(encoding="utf-8")) for key, file in files.items()}


def _predicted(samples: Samples, groups: np.ndarray | None, task: Task) -> list[str]:
    return [str(rule) for rule in predict(samples, groups, task)]


def predict(samples: Samples, groups: np.ndarray | None, task: Task) -> np.ndarray:
    """Predicted rule of each subject, (subject,), by a decoder that was not trained on it.

    Parameters
    ----------
    samples : Samples
        One a subject.
    groups : array of str, (subject,), or None
        Groups that are held out; None for folds by pairs.
    task : Task
    """
    seed = SEED + task.draw
    estimator = nested(CLASSIFIERS[task.classifier](), samples, INNER_FOLDS, seed)
    if groups is None:
        folds = stratified(FOLDS, seed, paired=samples.pairs is not None)
        return held_out(estimator, samples, folds, "predict")
    parts = outside_and_inside(groups, samples.labels, samples.pairs, seed)
    return held_out(estimator, samples, list(parts), "predict")
