"""Predictions of a fitted classifier after groups of columns are permuted among subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import jaxtyping as jt
import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

Values = jt.Float[np.ndarray, "row column"]
Trained = jt.Float[np.ndarray, "sample column"]
Members = Sequence[jt.Bool[np.ndarray, " column"]]
Orders = jt.Int[np.ndarray, "repeat row"]

_ENTRIES: Final = 500_000  # numbers in the copies that are predicted at once: 4 MB


def predict_permuted(
    fitted: Any, trained: Trained, values: Values, groups: Members, orders: Orders
) -> np.ndarray:
    """Predicted rule of each row after the columns of a group are replaced by another row's.

    Parameters
    ----------
    fitted : estimator
    trained : array, (sample, column)
        Values that it was fitted to.
    values : array, (row, column)
    groups : sequence of array of bool, (column,)
        Columns that are permuted together.
    orders : array of int, (repeat, row)
        For each row, the index of the row whose columns replace its own.

    Returns
    -------
    array of str, (group, repeat, row)
    """
    if isinstance(fitted, Pipeline) and _is_by_column(fitted[:-1], values, orders[0]):
        preparation, fitted = fitted[:-1], fitted[-1]
        values = preparation.transform(values)
        if (machines := radial_machines(fitted)) is not None:
            return _by_distance(machines, preparation.transform(trained), values, groups, orders)
    return _by_copies(fitted, values, groups, orders)


def _is_by_column(preparation: Any, values: Values, order: jt.Int[np.ndarray, " row"]) -> bool:
    """Return whether preprocessing treats each column alone, so that it can run once."""
    some = np.arange(values.shape[1]) % 2 == 0
    ready = preparation.transform(values)
    if ready.shape != values.shape:
        return False
    after = preparation.transform(_permuted(values, some, order))
    return bool(np.array_equal(after, _permuted(ready, some, order), equal_nan=True))


def _permuted(
    values: Values, member: jt.Bool[np.ndarray, " column"], order: jt.Int[np.ndarray, " row"]
) -> Values:
    return np.where(member, values[order], values)


def _by_copies(fitted: Any, values: Values, groups: Members, orders: Orders) -> np.ndarray:
    """Predictions for permuted copies, of as many groups at once as memory allows."""
    together = max(1, _ENTRIES // (orders.size * values.shape[1]))
    parts = []
    for first in range(0, len(groups), together):
        some = groups[first : first + together]
        copies = [_permuted(values, member, order) for member in some for order in orders]
        parts.append(fitted.predict(np.concatenate(copies)))
    return np.concatenate(parts).reshape(len(groups), *orders.shape)


def radial_machines(fitted: Any) -> OneVsRestClassifier | None:
    """Return an estimator's radial one-against-rest machines; None for other estimators."""
    machines = getattr(fitted, "machines_", fitted)
    if isinstance(machines, OneVsRestClassifier) and all(
        isinstance(machine, SVC) and machine.kernel == "rbf" for machine in machines.estimators_
    ):
        return machines
    return None


def _by_distance(
    machines: OneVsRestClassifier, trained: Trained, values: Values, groups: Members, orders: Orders
) -> np.ndarray:
    """Predictions for permuted copies from kernel distances, without making the copies.

    A squared distance is a sum over columns. That of a copy differs from that of its row in the
    columns of the group only, which are the other row's.
    """
    each = machines.estimators_
    weights, bias = np.zeros((len(trained), len(each))), np.zeros(len(each))
    for place, machine in enumerate(each):
        weights[machine.support_, place] = machine.dual_coef_[0]
        bias[place] = machine.intercept_[0]
    gamma = _gamma(each[0], trained)
    whole = _squared_distance(values, trained)
    found = []
    for member in groups:
        part = _squared_distance(values[:, member], trained[:, member])
        rest = whole - part
        for order in orders:
            # Differences of large distances may be rounded below 0.
            distance = np.maximum(rest + part[order], 0)
            scores = np.exp(-gamma * distance) @ weights + bias
            best = scores[..., 0] > 0 if len(each) == 1 else scores.argmax(-1)
            found.append(machines.classes_[best.astype(np.int64)])
    return np.stack(found).reshape(len(groups), *orders.shape)


def _gamma(machine: SVC, trained: Trained) -> float:
    """Inverse width of the kernel, as scikit-learn documents it."""
    if machine.gamma == "scale":
        spread = float(trained.var())
        return 1 / (trained.shape[1] * spread) if spread else 1.0
    return 1 / trained.shape[1] if machine.gamma == "auto" else float(machine.gamma)


def _squared_distance(one: Values, other: Trained) -> jt.Float[np.ndarray, "row sample"]:
    found: np.ndarray = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return found
