"""Controls of the strict scheme, and novelty detection, in the subjects of the factorial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

from studies.factorial.predictions import CLASSIFIER, FOLDS, INNER_FOLDS, SEED, stored_each
from studies.factorial.subjects import Recorded
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.controls import evaluate_controls, strict_controls
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.novelty import open_set_auroc
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import SUBJECT

CONTROLLED: Final = ("activity", "weights", "all")  # observables
NAMES: Final = strict_controls()


def controls(
    recorded: Recorded, folder: Path, workers: int
) -> dict[str, Mapping[str, ControlResult]]:
    """Result of each control, by observable and name; from files as far as there are any.

    One draw of the folds and one permutation of the labels each, not corrected for their number.
    """

    def job(asked: tuple[str, str]) -> Callable[[], dict[str, Any]]:
        return partial(_control, recorded, *asked)

    files = {
        (observable, name): folder / f"control.{observable}.{name}.json"
        for observable, name in product(CONTROLLED, NAMES)
    }
    found: dict[str, dict[str, ControlResult]] = {}
    # A task has the features of all subjects, so workers are threads of this process.
    for (observable, name), values in stored_each(files, job, workers, prefer="threads").items():
        if values["difference"] is not None:
            values["difference"] = tuple(values["difference"])
        found.setdefault(observable, {})[name] = ControlResult(**values)
    return dict(found)


def _control(recorded: Recorded, observable: str, name: str) -> dict[str, Any]:
    [result] = evaluate_controls(_task(recorded, observable), [name])
    return asdict(result)


def _task(recorded: Recorded, observable: str) -> DecodingTask:
    """One strict decoding with all that its controls read."""
    mine = recorded.features[SUBJECT].values
    return DecodingTask(
        analysis=Analysis(folds=FOLDS, inner_folds=INNER_FOLDS, repeats=1, permutations=1),
        classifier=CLASSIFIERS[CLASSIFIER](),
        features=recorded.features,
        samples=recorded.samples(observable),
        observable=observable,
        seed=SEED,
        performance=recorded.performance,
        subjects=recorded.table.sel({SUBJECT: mine}),
    )


def left_out(recorded: Recorded, folder: Path, workers: int) -> dict[tuple[str, str], float]:
    """Area under the ROC curve of separating each rule from the others without training on it.

    By observable and rule. 1 is perfect separation, 0.5 is chance.
    """

    def job(asked: tuple[str, str]) -> Callable[[], float]:
        observable, rule = asked
        samples = recorded.samples(observable)
        return partial(open_set_auroc, samples, rule, None, folds=FOLDS, seed=SEED)

    files = {
        (observable, rule): folder / f"left_out.{observable}.{rule}.json"
        for observable, rule in product(CONTROLLED, recorded.classes)
    }
    return stored_each(files, job, workers)
