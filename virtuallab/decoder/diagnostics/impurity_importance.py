"""Impurity importance of statistics in a random forest, as published.

Correlated statistics share it at random, and it ignores the accuracy on other subjects. The
accuracy lost without a statistic is its permutation importance
(:mod:`~virtuallab.decoder.diagnostics.permutation_importance`).

References
----------
Breiman 2001, "Random Forests", section 10.
Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", section 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import jaxtyping as jt
import numpy as np
import xarray as xr
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from virtuallab.decoder.features.columns import DEPTHS, Columns
from virtuallab.decoder.features.preprocessing import imputation
from virtuallab.decoder.features.samples import PUBLISHED, Samples
from virtuallab.vocabulary import CHANGE_NAME, STATISTIC, VISIT, describe

_TREES: Final = 200


def impurity_importance(samples: Samples, columns: Columns, *, seed: int) -> xr.Dataset:
    """Impurity importance of each column in a forest fitted to all subjects.

    Parameters
    ----------
    samples : Samples
        One a subject.
    columns : Columns
        Description of the samples' columns.
    seed : int

    Returns
    -------
    xr.Dataset
        ``gini`` (change_name, stage, depth): mean decrease of impurity, which sums to 1 over all
        columns, and ``gini_error``, its standard error over trees: of the forest, not of the
        subjects. ``first_visit`` and ``last_visit`` say what a stage is the mean of.
    """
    importance, error = _importance(samples, seed)
    names = list(dict.fromkeys(columns.statistic.tolist()))
    depths = [depth for depth in DEPTHS if depth in columns.depth]
    _, first = np.unique(columns.stage, return_index=True)
    shape = (len(depths), len(names), len(first))
    dims = (CHANGE_NAME, "stage", "depth")
    return _described(
        xr.Dataset(
            {
                name: (dims, values.reshape(shape).transpose(1, 2, 0))
                for name, values in (("gini", importance), ("gini_error", error))
            },
            coords={
                CHANGE_NAME: _words(names),
                "stage": np.arange(len(first)),
                "first_visit": ("stage", columns.first_visit[first]),
                "last_visit": ("stage", columns.last_visit[first]),
                "depth": _words(depths),
            },
        )
    )


def impurity_importance_of_layers(
    samples: Samples, features: xr.Dataset, observable: str, *, seed: int
) -> xr.Dataset:
    """Impurity importance of each statistic and visit, with layers as samples, as published.

    Parameters
    ----------
    samples : Samples
        As :func:`~virtuallab.decoder.features.samples.by_layer` makes them.
    features : xr.Dataset
        Features that they were made from.
    observable : str
    seed : int

    Returns
    -------
    xr.Dataset
        ``gini`` and ``gini_error`` (statistic, visit), and of the indicators of a layer's third of
        the depth, which no rule changes, ``gini_depth`` and ``gini_depth_error`` (depth).
    """
    importance, error = _importance(samples, seed)
    of = zip(
        features[STATISTIC].to_numpy(), features["statistic_observable"].to_numpy(), strict=True
    )
    names = [
        str(name)
        for name, owner in of
        if str(name) in PUBLISHED and observable in ("all", str(owner))
    ]
    thirds, shape = samples.context, (len(names), samples.visits)
    return _described(
        xr.Dataset(
            {
                "gini": ((STATISTIC, VISIT), importance[thirds:].reshape(shape)),
                "gini_error": ((STATISTIC, VISIT), error[thirds:].reshape(shape)),
                "gini_depth": ("depth", importance[:thirds]),
                "gini_depth_error": ("depth", error[:thirds]),
            },
            coords={
                STATISTIC: _words(names),
                VISIT: features[VISIT].to_numpy(),
                "depth": _words(DEPTHS[:thirds]),
            },
        )
    )


def _importance(
    samples: Samples, seed: int
) -> tuple[jt.Float[np.ndarray, " column"], jt.Float[np.ndarray, " column"]]:
    """Mean decrease of impurity by each column, and its standard error over trees."""
    filled = Pipeline(imputation())
    forest = RandomForestClassifier(_TREES, random_state=seed % 2**32)
    forest.fit(filled.fit_transform(samples.values), samples.labels)
    each = np.stack([tree.feature_importances_ for tree in forest.estimators_])
    return each.mean(0), each.std(0, ddof=1) / np.sqrt(len(each))


def _words(words: Iterable[str]) -> np.ndarray:
    return np.array(list(words), dtype=object)


def _described(found: xr.Dataset) -> xr.Dataset:
    for name, variable in found.variables.items():
        variable.attrs = describe(str(name))
    return found
