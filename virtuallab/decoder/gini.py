"""How much each statistic purifies the leaves of a forest: importance as it was published.

Statistics that say the same share it in any proportion, by chance, and how well the forest does on
other subjects has no part in it. What a decoder loses without them is measured in
:mod:`~virtuallab.decoder.relevance`.

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
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from virtuallab.decoder.columns import DEPTHS, Columns
from virtuallab.decoder.preparing import Finite
from virtuallab.decoder.samples import PUBLISHED, Samples
from virtuallab.vocabulary import CHANGE_NAME, STATISTIC, VISIT, describe

_TREES: Final = 200


def gini_relevance(samples: Samples, columns: Columns, *, seed: int) -> xr.Dataset:
    """Measure how much each column purifies the leaves of a forest that sees all subjects.

    Parameters
    ----------
    samples : Samples
        One a subject.
    columns : Columns
        What the samples' columns are.
    seed : int

    Returns
    -------
    xr.Dataset
        ``gini`` (change_name, stage, depth): mean decrease of impurity, which sums to 1 over all
        columns, and ``gini_error``, its standard error over trees: of the forest, not of the
        subjects. ``first_visit`` and ``last_visit`` say what a stage is the mean of.
    """
    importance, error = _purified(samples, seed)
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


def gini_of_layers(
    samples: Samples, features: xr.Dataset, observable: str, *, seed: int
) -> xr.Dataset:
    """Measure the same of samples that are layers, as published.

    Parameters
    ----------
    samples : Samples
        As :func:`~virtuallab.decoder.samples.by_layer` makes them.
    features : xr.Dataset
        What they were made from.
    observable : str
    seed : int

    Returns
    -------
    xr.Dataset
        ``gini`` and ``gini_error`` (statistic, visit), and of the indicators of a layer's third of
        the depth, which no rule changes, ``gini_depth`` and ``gini_depth_error`` (depth).
    """
    importance, error = _purified(samples, seed)
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


def _purified(
    samples: Samples, seed: int
) -> tuple[jt.Float[np.ndarray, " column"], jt.Float[np.ndarray, " column"]]:
    """Mean decrease of impurity by each column, and its standard error over trees."""
    filled = make_pipeline(Finite(), SimpleImputer(strategy="median", keep_empty_features=True))
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
