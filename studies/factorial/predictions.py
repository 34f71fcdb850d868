"""Predictions of subjects by decoders that were trained on others, one file for each task.

Interrupted, the study continues with the tasks that have no file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed

from studies.factorial.subjects import OBSERVABLES, SPLITS, Recorded
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import held_out, nested, stratified
from virtuallab.decoder.schemes.splits import outside_and_inside
from virtuallab.registry import CLASSIFIERS

CLASSIFIER: Final = "kernel_svm"
OTHERS: Final = ("linear_svm", "logistic_regression", "random_forest")
STRICT: Final = "strict"
FOLDS: Final = 5
INNER_FOLDS: Final = 3
REPEATS: Final = 5  # draws of the folds, by which the classifier of the other figures is tested
SEED: Final = 2020


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
    """Yield all tasks, the default classifier first."""
    for classifier, observable in product((CLASSIFIER, *OTHERS), OBSERVABLES):
        draws = REPEATS if classifier == CLASSIFIER else 1
        for draw in range(draws):
            yield Task(observable, classifier, STRICT, draw)
        for split in SPLITS:
            yield Task(observable, classifier, split)


def predict_all(recorded: Recorded, folder: Path, workers: int, chosen: Iterable[Task]) -> None:
    """Predict the subjects of tasks that have no file yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [task for task in chosen if not (folder / task.file_name).exists()]
    # Not a generator: an interruption would leave its workers.
    # Workers get one sample a subject, and not all features, which take a hundred times the memory.
    Parallel(n_jobs=workers)(
        delayed(_predict_stored)(
            recorded.samples(task.observable),
            None if task.split == STRICT else recorded.groups(task.split),
            task,
            folder,
        )
        for task in missing
    )


def read_predictions(task: Task, folder: Path) -> np.ndarray:
    """Predicted rule of each recorded subject, (subject,)."""
    return np.array(json.loads((folder / task.file_name).read_text(encoding="utf-8")))


def read_draws(observable: str, classifier: str, folder: Path) -> list[np.ndarray]:
    """Predicted rules in strict folds, (subject,), of each draw of the folds."""
    draws = range(REPEATS if classifier == CLASSIFIER else 1)
    return [read_predictions(Task(observable, classifier, STRICT, draw), folder) for draw in draws]


def stored(file: Path, compute: Callable[[], Any]) -> Any:
    """Result of a computation, read from its file if there is one."""
    if not file.exists():
        part = file.with_name(f"{file.name}.part")
        part.write_text(json.dumps(compute()), encoding="utf-8")
        part.replace(file)
    return json.loads(file.read_text(encoding="utf-8"))


def _predict_stored(samples: Samples, groups: np.ndarray | None, task: Task, folder: Path) -> None:
    stored(folder / task.file_name, lambda: predict(samples, groups, task).tolist())


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
