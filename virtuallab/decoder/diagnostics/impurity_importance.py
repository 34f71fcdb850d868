"""Impurity importance of statistics in a random forest.

Correlated statistics share it at random, and it does not depend on the accuracy on other subjects.
The accuracy lost without a statistic is its permutation importance
(:mod:`~virtuallab.decoder.diagnostics.permutation_importance`).

References
----------
Breiman 2001, "Random Forests", section 10.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from virtuallab.decoder.features.columns import DEPTHS, Columns
from virtuallab.decoder.features.preprocessing import imputation
from virtuallab.decoder.features.samples import Samples
from virtuallab.vocabulary import CHANGE_NAME, describe

_TREES: Final = 200


def impurity_importance(samples: Samples, columns: Columns, *, seed: int) -> xr.Dataset:
    """Impurity importance of each column in a forest fitted to all subjects.

    Returns
    -------
    xr.Dataset
        ``gini`` (change_name, stage, depth): mean decrease of impurity, which sums to 1 over all
        columns, and ``gini_error``, its standard error over trees: of the forest, not of the
        subjects. ``first_visit`` and ``last_visit`` are the visits of a stage.
    """
    filled = Pipeline(imputation()).fit_transform(samples.values)
    forest = RandomForestClassifier(_TREES, random_state=seed % 2**32).fit(filled, samples.labels)
    each = np.stack([tree.feature_importances_ for tree in forest.estimators_])
    found = {"gini": each.mean(0), "gini_error": each.std(0, ddof=1) / np.sqrt(len(each))}
    names = list(dict.fromkeys(columns.statistic.tolist()))
    depths = [depth for depth in DEPTHS if depth in columns.depth]
    _, first = np.unique(columns.stage, return_index=True)
    shape = (len(depths), len(names), len(first))
    dims = ("depth", CHANGE_NAME, "stage")
    table = xr.Dataset(
        {name: (dims, values.reshape(shape)) for name, values in found.items()},
        coords={
            CHANGE_NAME: np.array(names, dtype=object),
            "stage": np.arange(len(first)),
            "first_visit": ("stage", columns.first_visit[first]),
            "last_visit": ("stage", columns.last_visit[first]),
            "depth": np.array(depths, dtype=object),
        },
    ).transpose(CHANGE_NAME, "stage", "depth")
    for name, variable in table.variables.items():
        variable.attrs = describe(str(name))
    return table
