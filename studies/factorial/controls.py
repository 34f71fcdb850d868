"""Controls of the strict scheme, and novelty detection, in the subjects of the factorial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, Final

from joblib import Parallel, delayed

from studies.factorial.predictions import CLASSIFIER, FOLDS, INNER_FOLDS, SEED, stored
from studies.factorial.subjects import Recorded
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.controls import evaluate_controls, strict_controls
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.features.samples import Samples
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
    asked = list(product(CONTROLLED, NAMES))
    # A task takes its features into the worker, so workers are threads of this process.
    each = Parallel(n_jobs=workers, prefer="threads")(
        delayed(_stored_control)(recorded, folder, *one) for one in asked
    )
    found: dict[str, dict[str, ControlResult]] = {}
    for (observable, name), result in zip(asked, each, strict=True):
        found.setdefault(observable, {})[name] = result
    return dict(found)


def _stored_control(recorded: Recorded, folder: Path, observable: str, name: str) -> ControlResult:
    def compute() -> dict[str, Any]:
        [result] = evaluate_controls(_task(recorded, observable), [name])
        return asdict(result)

    values = stored(folder / f"control.{observable}.{name}.json", compute)
    if values["difference"] is not None:
        values["difference"] = tuple(values["difference"])
    return ControlResult(**values)


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
    asked = list(product(CONTROLLED, recorded.classes))
    each = Parallel(n_jobs=workers)(
        delayed(_stored_area)(recorded.samples(observable), rule, observable, folder)
        for observable, rule in asked
    )
    return dict(zip(asked, each, strict=True))


def _stored_area(samples: Samples, rule: str, observable: str, folder: Path) -> float:
    file = folder / f"left_out.{observable}.{rule}.json"
    return float(stored(file, lambda: open_set_auroc(samples, rule, None, folds=FOLDS, seed=SEED)))
