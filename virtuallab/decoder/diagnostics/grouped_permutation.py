"""Predictions of a fitted classifier after groups of columns are permuted among subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

_ENTRIES: Final = 4_000_000  # numbers in the copies that are read at once


def predict_permuted(
    fitted: Any, trained: Trained, values: Values, groups: Members, orders: Orders
) -> np.ndarray:
    """Predicted rule of each row when a group of its columns is replaced by another row's.

    Parameters
    ----------
    fitted : estimator
    trained : array, (sample, column)
        Values that it was fitted to.
    values : array, (row, column)
    groups : sequence of array of bool, (column,)
        Columns that are permuted together.
    orders : array of int, (repeat, row)
        For each row, the row whose columns replace its own.

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
    """Whether preprocessing acts on each column alone, so that it commutes with permutations.

    It then has to run once, and not for each copy.
    """
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
    """Predict all permuted copies, as many at once as memory allows."""
    together = max(1, _ENTRIES // (orders.size * values.shape[1]))
    parts = [
        fitted.predict(
            np.concatenate(list(_copies(values, groups[first : first + together], orders)))
        )
        for first in range(0, len(groups), together)
    ]
    return np.concatenate(parts).reshape(len(groups), *orders.shape)


def _copies(values: Values, groups: Members, orders: Orders) -> Iterator[Values]:
    for member in groups:
        for order in orders:
            yield _permuted(values, member, order)


def radial_machines(fitted: Any) -> OneVsRestClassifier | None:
    """The radial one-against-rest machines that an estimator consists of; None if it does not."""
    machines = getattr(fitted, "machines_", fitted)
    if isinstance(machines, OneVsRestClassifier) and all(
        isinstance(machine, SVC) and machine.kernel == "rbf" for machine in machines.estimators_
    ):
        return machines
    return None


def _by_distance(
    of: OneVsRestClassifier, trained: Trained, values: Values, groups: Members, orders: Orders
) -> np.ndarray:
    """Predict copies from kernel distances alone, without making them.

    A squared distance is a sum over columns: that of a copy differs from that of its row only in
    the part of the group, which is the other row's.
    """
    machines = of.estimators_
    weights, bias = np.zeros((len(trained), len(machines))), np.zeros(len(machines))
    for place, machine in enumerate(machines):
        weights[machine.support_, place] = machine.dual_coef_[0]
        bias[place] = machine.intercept_[0]
    gamma = _gamma(machines[0], trained)
    whole = _squared_distance(values, trained)
    found = []
    for member in groups:
        part = _squared_distance(values[:, member], trained[:, member])
        # No distance is negative, but differences of huge ones are rounded below 0.
        distance = np.maximum(whole - part + part[orders], 0)
        scores = np.exp(-gamma * distance) @ weights + bias
        best = scores[..., 0] > 0 if len(machines) == 1 else scores.argmax(-1)
        found.append(of.classes_[best.astype(np.int64)])
    return np.stack(found)


def _gamma(machine: SVC, trained: Trained) -> float:
    """Inverse width of the kernel, as scikit-learn documents it."""
    if machine.gamma == "scale":
        spread = float(trained.var())
        return 1 / (trained.shape[1] * spread) if spread else 1.0
    return 1 / trained.shape[1] if machine.gamma == "auto" else float(machine.gamma)


def _squared_distance(one: Values, other: Trained) -> jt.Float[np.ndarray, "row sample"]:
    found: np.ndarray = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return found
