"""Scores of groups that are left out of a least-squares machine, without fitting it anew.

The machine is fitted once to all groups. Leaving a group out changes its coefficients by a formula,
so that a choice among treatments can be made inside the training kinds of every held-out kind.
"""

from __future__ import annotations

from typing import Final

import jaxtyping as jt
import numpy as np
from scipy.linalg import inv
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.pipeline import Pipeline

from virtuallab.decoder.features.preprocessing import standardization

PENALTY: Final = 0.05  # about the inverse of the cost of the kernel machines of the decoder

Values = jt.Float[np.ndarray, "subject column"]
Scores = jt.Float[np.ndarray, "subject rule"]


def left_out_scores(
    values: Values, labels: np.ndarray, groups: np.ndarray, tested: Values | None = None
) -> Scores:
    r"""Score of each rule for each subject, by a machine fitted to the other groups.

    The coefficients of a kernel ridge regression on one column for each rule are
    :math:`A = Q (Y - \bar Y)`, :math:`Q = (K + \lambda I)^{-1}`; without the group :math:`g`,
    :math:`A - Q_{\cdot g} Q_{gg}^{-1} A_g`. The standardisation, the width of the kernel and
    :math:`\bar Y` are those of all groups.

    Parameters
    ----------
    values : array, (subject, column)
        Read in training; not finite where something was not measured.
    labels : array of str, (subject,)
    groups : array of str, (subject,)
    tested : array, (subject, column), optional
        Values of the same subjects as they are read in the test; by default those of training.

    Returns
    -------
    array, (subject, rule)
        Rules are sorted.

    References
    ----------
    Rifkin and Lippert 2007, "Notes on Regularized Least Squares".
    """
    scaling = Pipeline(standardization())
    known = scaling.fit_transform(values)
    width = 1 / (known.shape[1] * known.var())
    kernel = rbf_kernel(known, gamma=width)
    across = kernel if tested is None else rbf_kernel(scaling.transform(tested), known, gamma=width)
    member = (labels[:, None] == np.unique(labels)).astype(np.float64)
    mean = member.mean(0)
    inverse = inv(kernel + PENALTY * np.eye(len(kernel)))
    every = inverse @ (member - mean)
    found: np.ndarray = np.empty_like(member)
    for name in np.unique(groups):
        rows = np.flatnonzero(groups == name)
        without = every - inverse[:, rows] @ np.linalg.solve(
            inverse[np.ix_(rows, rows)], every[rows]
        )
        without[rows] = 0.0
        found[rows] = across[rows] @ without + mean
    return found
