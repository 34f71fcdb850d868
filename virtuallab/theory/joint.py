r"""Forward and backward weight descending the alignment objective together.

The flow that tells weight mirror from information alignment: amp alone is a saddle that either
collapses or diverges, null bounds it, decay makes the two weights the same.

References
----------
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", section 4.
Kunin et al. 2019, "Loss Landscapes of Regularized Linear Autoencoders".
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.theory.coefficients import Coefficients
from virtuallab.theory.fixed_forward import SecondMoment, Weights


def joint_flow(
    coefficients: Coefficients, w: Weights, b: Weights, c: SecondMoment
) -> tuple[Weights, Weights]:
    r"""Velocities of both weights, minus the gradients of the objective.

    .. math:: \dot W = \alpha BC + \psi B - 2\gamma W - 2\beta\, B B^\top W C - 2\chi\, W C
    .. math:: \dot B = \alpha WC + \psi W - 2\gamma B - 2\beta\, W C W^\top B - 2\chi\, B C

    Parameters
    ----------
    coefficients : Coefficients
    w, b : array, (post, pre)
    c : array, (pre, pre)
        Uncentred second moment of the input.
    """
    k = coefficients
    forward = k.amp * b @ c + k.self * b - 2 * (k.decay * w + k.sparse * w @ c)
    backward = k.amp * w @ c + k.self * w - 2 * (k.decay * b + k.sparse * b @ c)
    return forward - 2 * k.null * b @ b.T @ w @ c, backward - 2 * k.null * w @ c @ w.T @ b


def origin_eigenvalues(
    coefficients: Coefficients, c: SecondMoment
) -> tuple[jt.Float[np.ndarray, " pre"], jt.Float[np.ndarray, " pre"]]:
    r"""Rates of the joint flow where both weights are zero, for each eigenvalue of ``C``.

    Symmetric (:math:`W = B`) and antisymmetric (:math:`W = -B`) directions,
    :math:`-2\gamma - 2\chi c \pm (\alpha c + \psi)`; in the paper's coefficients and for unit
    variance :math:`-\beta_d \pm \alpha_a`. Weight mirror's flow is linear, so these are all its
    rates everywhere.
    """
    k, moment = coefficients, np.linalg.eigvalsh(c)
    held, driven = -2 * (k.decay + k.sparse * moment), k.amp * moment + k.self
    return held + driven, held - driven


def symmetric_point(coefficients: Coefficients, *, variance: float = 1.0) -> float:
    r"""Size of both weights of one mode where information alignment rests.

    .. math:: w = b = \pm\sqrt{\frac{\alpha c - 2\gamma}{2\beta c}}

    Parameters
    ----------
    coefficients : Coefficients
        With amp, null and decay.
    variance : float
        :math:`c`, of the input along the mode.

    Raises
    ------
    ValueError
        If the only point of rest is zero, or there is none.
    """
    k, excess = coefficients, coefficients.amp * variance - 2 * coefficients.decay
    if k.null <= 0:
        raise ValueError(f"no symmetric point without null: the flow is linear ({k}).")
    if excess <= 0:
        raise ValueError(
            f"both weights decay to zero: amp times variance, {k.amp * variance:g}, does not "
            f"exceed twice decay, {2 * k.decay:g}."
        )
    return float(np.sqrt(excess / (2 * k.null * variance)))


def symmetric_eigenvalues(
    coefficients: Coefficients, *, variance: float = 1.0
) -> tuple[float, float]:
    r"""Rates of information alignment at its symmetric point, of one mode.

    Symmetric :math:`-2(\alpha c - 2\gamma)` and antisymmetric :math:`-4\gamma`: without decay
    nothing would make the two weights the same. In the paper's coefficients and for unit variance
    :math:`-2(\alpha_a - \beta_d)` and :math:`-2\beta_d`.

    Raises
    ------
    ValueError
        If there is no such point.
    """
    symmetric_point(coefficients, variance=variance)
    return -2 * (coefficients.amp * variance - 2 * coefficients.decay), -4 * coefficients.decay
