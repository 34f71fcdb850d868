"""The published scheme in these subjects: one sample a layer, random forests.

Each layer is tested once, in four folds: by forests trained on other layers of the same subjects
too, as published, or on other subjects only. With subjects kept apart, the importance of
statistics is measured as well: the impurity importance of each statistic at each visit, and the
accuracy that is lost when columns are permuted among the tested layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import jaxtyping as jt
import numpy as np
import xarray as xr

from studies.factorial.accuracies import Accuracy, over_bootstrap
from studies.factorial.predictions import SEED, stored_each
from studies.factorial.subjects import OBSERVABLES, Recorded
from virtuallab.decoder.diagnostics.grouped_permutation import predict_permuted
from virtuallab.decoder.features.samples import (
    Rows,
    Samples,
    by_layer,
    published_statistics,
)
from virtuallab.decoder.model_selection import fit, splits_of, stratified
from virtuallab.decoder.uncertainty import comparison
from virtuallab.labels import label_text
from virtuallab.registry import CLASSIFIERS

BY_LAYER: Final = "layers"
BY_SUBJECT: Final = "subjects"
WITHOUT_DEPTH: Final = "subjects, without depth"
VARIANTS: Final = (BY_LAYER, BY_SUBJECT, WITHOUT_DEPTH)
CENTRES: Final = "weights: medians and norms"
REST: Final = "weights: other statistics"
_DRAWS: Final = 2_000
_FOLDS: Final = 4  # a quarter of the layers is tested, as published
# The setting of the published grid that was best in the published data.
_FOREST: Final = {"classify__n_estimators": 50, "classify__max_features": "sqrt"}
_OF_NAMES: Final = {"weight": "weights", "act": "activity", "gradavg": "activity change"}


@dataclass(frozen=True)
class LayerResult:
    """Result of forests that were trained on other layers.

    Parameters
    ----------
    correct : array, (subject,)
        Share of the layers of each subject of which the rule was identified.
    permuted : mapping from group of columns to array, (subject,)
        The same after the columns of the group were permuted among the tested layers.
    importance : array, (fold, column)
        Impurity importance.
    """

    correct: jt.Float[np.ndarray, " subject"]
    permuted: Mapping[str, jt.Float[np.ndarray, " subject"]]
    importance: jt.Float[np.ndarray, "fold column"]


def evaluate_layers(
    recorded: Recorded, folder: Path, workers: int
) -> dict[tuple[str, str], LayerResult]:
    """Result of each observable and variant, from files as far as there are any."""

    def job(asked: tuple[str, str]) -> Callable[[], dict[str, Any]]:
        observable, variant = asked
        layers = by_layer(recorded.features, observable)
        return partial(classify_layers, layers, names_of(recorded, observable), variant)

    files = {
        (observable, variant): folder / f"layers.{observable}.{VARIANTS.index(variant)}.json"
        for observable, variant in product(OBSERVABLES, VARIANTS)
    }
    return {asked: _read(found) for asked, found in stored_each(files, job, workers).items()}


def names_of(recorded: Recorded, observable: str) -> list[str]:
    """Names of the published statistics of an observable."""
    places = published_statistics(recorded.features, observable)
    return [str(name) for name in label_text(recorded.features["statistic"])[places]]


def importance_map(recorded: Recorded, observable: str, found: LayerResult) -> xr.DataArray:
    """Impurity importance of each statistic at each visit, (fold, statistic, visit)."""
    names, visits = names_of(recorded, observable), recorded.features["visit"].to_numpy()
    values = found.importance[:, -len(names) * len(visits) :]
    shape = (len(values), len(names), len(visits))
    coords = {"statistic": np.array(names, dtype=object), "visit": visits}
    return xr.DataArray(values.reshape(shape), coords, ("fold", "statistic", "visit"))


def accuracy(recorded: Recorded, correct: jt.Float[np.ndarray, " subject"]) -> Accuracy:
    """Mean over rules of the share of layers identified, each subject with the same weight."""
    return less(recorded, correct, np.zeros(len(correct)))


def less(
    recorded: Recorded,
    one: jt.Float[np.ndarray, " subject"],
    other: jt.Float[np.ndarray, " subject"],
) -> Accuracy:
    """Difference of two of these accuracies, in the same subjects.

    The interval is a bootstrap over pairs: shares of layers are not outcomes of single subjects.
    """
    labels, apart = recorded.labels, one - other
    drawn = comparison.bootstrap_means(apart[None], labels, _DRAWS, SEED, recorded.pairs)[0]
    return over_bootstrap(float(comparison.balanced(apart, labels)), drawn)


def column_groups(names: list[str], samples: Samples) -> dict[str, np.ndarray]:
    """Groups of columns that are permuted together, as masks (column,)."""
    each = np.repeat(np.array(names), samples.visits)
    words = [name.split("_") for name in each.tolist()]
    prefix = np.array([_observable(first) for first, _ in words])
    last = np.array([last for _, last in words])
    found = {
        f"{observable}: {statistic}": (prefix == observable) & (last == statistic)
        for observable, statistic in dict.fromkeys(zip(prefix.tolist(), last.tolist(), strict=True))
    }
    weights, centres = prefix == "weights", np.isin(last, ("median", "norm"))
    if weights.any():
        found |= {CENTRES: weights & centres, REST: weights & ~centres}
    context = np.zeros(samples.context, dtype=bool)
    masks = {name: np.concatenate([context, mask]) for name, mask in found.items()}
    if samples.context:
        masks["depth"] = np.arange(samples.values.shape[1]) < samples.context
    return masks


def _observable(prefix: str) -> str:
    return next(name for start, name in _OF_NAMES.items() if prefix.startswith(start))


def classify_layers(samples: Samples, names: list[str], variant: str) -> dict[str, Any]:
    """Train and test forests in each fold; see :class:`LayerResult` for the result."""
    if variant == WITHOUT_DEPTH:
        samples = replace(samples, values=samples.values[:, samples.context :], context=0)
    groups = column_groups(names, samples) if variant == BY_SUBJECT else {}
    correct = np.zeros((1 + len(groups), len(samples.labels)))
    stream, importance = np.random.default_rng(SEED), []
    for train, test in _folds(samples, variant):
        estimator = CLASSIFIERS["random_forest"]().estimator(samples, SEED).set_params(**_FOREST)
        fitted = fit(estimator, samples.take(train))
        nothing = np.zeros(samples.values.shape[1], dtype=bool)
        predicted = predict_permuted(
            fitted,
            samples.values[train],
            samples.values[test],
            [nothing, *groups.values()],
            stream.permutation(len(test))[None],
        )
        correct[:, test] = predicted[:, 0] == samples.labels[test]
        importance.append(fitted[-1].feature_importances_.tolist())
    shares = _shares(correct, samples.owners)
    return {
        "correct": shares[0].tolist(),
        "permuted": dict(zip(groups, shares[1:].tolist(), strict=True)),
        "importance": importance,
    }


def _folds(samples: Samples, variant: str) -> list[tuple[Rows, Rows]]:
    if variant == BY_LAYER:
        return list(stratified(_FOLDS, SEED).split(samples.values, samples.labels))
    subjects, first = np.unique(samples.owners, return_index=True)
    return [
        (_layers_of(samples, subjects[train]), _layers_of(samples, subjects[test]))
        for train, test in splits_of(samples.take(first), _FOLDS, SEED)
    ]


def _layers_of(samples: Samples, subjects: np.ndarray) -> Rows:
    return np.flatnonzero(np.isin(samples.owners, subjects))


def _shares(
    correct: jt.Float[np.ndarray, "group layer"], owners: jt.Int[np.ndarray, " layer"]
) -> jt.Float[np.ndarray, "group subject"]:
    """Mean over the layers of each subject."""
    sums = np.stack([np.bincount(owners, row) for row in correct])
    found: np.ndarray = sums / np.bincount(owners)
    return found


def _read(found: Mapping[str, Any]) -> LayerResult:
    permuted = {name: np.array(values) for name, values in found["permuted"].items()}
    return LayerResult(np.array(found["correct"]), permuted, np.array(found["importance"]))
