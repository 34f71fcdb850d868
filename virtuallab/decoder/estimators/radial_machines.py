"""Radial support vector machines of each class against the rest, with kernel values in common.

Machines of one fit read the same samples, and most of their time goes into kernel values, which
:class:`~sklearn.multiclass.OneVsRestClassifier` computes for each class anew. Here they are
computed once, by the operations of libsvm in their order, so that machines and decision values are
the same to the last bit.
"""

from __future__ import annotations

import math
from typing import Final

import jaxtyping as jt
import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.svm import SVC

Values = jt.Float[np.ndarray, "sample column"]

_MOST_SAMPLES: Final = 3_000  # of a kernel matrix, which then takes 72 MB


def fit_radial_machines(
    values: Values, labels: np.ndarray, *, cost: float, random_state: int
) -> OneVsRestClassifier:
    """Return what ``OneVsRestClassifier(SVC(C=cost)).fit(values, labels)`` returns.

    Parameters
    ----------
    values : array, (sample, column)
        Double precision, finite, in C order.
    labels : array, (sample,)
        Two classes or more.
    cost : float
        Of a misclassified sample.
    random_state : int
        Of the machines; predictions do not depend on it.

    Returns
    -------
    sklearn.multiclass.OneVsRestClassifier
        Fitted.
    """
    every = OneVsRestClassifier(SVC(C=cost, random_state=random_state))
    if len(values) > _MOST_SAMPLES:
        return every.fit(values, labels)
    width = _gamma(values)
    kernel = radial_kernel(values, width)
    every.label_binarizer_ = LabelBinarizer(sparse_output=True)
    members = every.label_binarizer_.fit_transform(labels).toarray()
    every.classes_ = every.label_binarizer_.classes_
    every.estimators_ = [
        _fit_machine(every.estimator, values, kernel, member, width) for member in members.T
    ]
    every.n_features_in_ = values.shape[1]
    return every


def decision_values(
    machines: OneVsRestClassifier, values: Values
) -> jt.Float[np.ndarray, "sample machine"]:
    """Return the decision value of each machine, as ``machines.decision_function(values)``.

    Kernel values of a sample that supports several machines are computed once.

    Parameters
    ----------
    machines : sklearn.multiclass.OneVsRestClassifier
        Fitted by :func:`fit_radial_machines`.
    values : array, (sample, column)
        Double precision, finite.
    """
    every = machines.estimators_
    rows = np.concatenate([machine.support_ for machine in every])
    support, first, place = np.unique(rows, return_index=True, return_inverse=True)
    vectors = np.concatenate([machine.support_vectors_ for machine in every])[first]
    kernel, away = np.empty((len(values), len(support))), np.empty_like(vectors)
    for row, value in enumerate(values):
        np.subtract(vectors, value, out=away)
        exponent = -every[0]._gamma * np.vecdot(away, away)
        kernel[row] = [math.exp(each) for each in exponent.tolist()]
    parts = np.split(place, np.cumsum([len(machine.support_) for machine in every])[:-1])
    found = np.empty((len(values), len(every)))
    for column, (machine, own) in enumerate(zip(every, parts, strict=True)):
        # Summed one after another, as by libsvm.
        summed = np.add.accumulate(machine.dual_coef_[0] * kernel[:, own], axis=1)
        found[:, column] = summed[:, -1] + machine.intercept_[0]
    return found


def radial_kernel(values: Values, gamma: float) -> jt.Float[np.ndarray, "sample sample"]:
    r"""Kernel :math:`e^{-\gamma \lVert x - x' \rVert^2}` of all pairs of samples, as by libsvm.

    Parameters
    ----------
    values : array, (sample, column)
        Double precision, in C order.
    gamma : float
    """
    found = np.ones((len(values), len(values)))
    square = np.vecdot(values, values)
    for row in range(1, len(values)):
        product = np.vecdot(values[:row], values[row])
        exponent = -gamma * (square[row] + square[:row] - 2 * product)
        # numpy's own exponential may differ from that of the C library in the last bit.
        found[row, :row] = [math.exp(each) for each in exponent.tolist()]
        found[:row, row] = found[row, :row]
    return found


def _gamma(values: Values) -> float:
    """Inverse width of the kernel, as scikit-learn computes it for ``gamma="scale"``."""
    spread = values.var()
    return 1.0 / (values.shape[1] * spread) if spread != 0 else 1.0


def _fit_machine(
    machine: SVC, values: Values, kernel: np.ndarray, member: np.ndarray, gamma: float
) -> SVC:
    """Machine of one class, which predicts from samples although it is fitted to kernel values."""
    fitted = SVC(**{**machine.get_params(), "kernel": "precomputed"}).fit(kernel, member)
    fitted.set_params(kernel=machine.kernel)
    fitted.support_vectors_ = values[fitted.support_]
    fitted.shape_fit_, fitted.n_features_in_ = values.shape, values.shape[1]
    fitted._gamma = gamma
    return fitted
