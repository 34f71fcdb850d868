r"""Dynamics of forward and backward weight that both descend the alignment objective.

With amp alone the origin is a saddle, from which the weights collapse or diverge (weight mirror);
null bounds them (information alignment), and decay makes the two weights equal.

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

    Returns
    -------
    forward, backward : array, (post, pre)
    """
    k = coefficients
    forward = k.amp * b @ c + k.self * b - 2 * (k.decay * w + k.sparse * w @ c)
    backward = k.amp * w @ c + k.self * w - 2 * (k.decay * b + k.sparse * b @ c)
    return forward - 2 * k.null * b @ b.T @ w @ c, backward - 2 * k.null * w @ c @ w.T @ b


def origin_eigenvalues(
    coefficients: Coefficients, c: SecondMoment
) -> tuple[jt.Float[np.ndarray, " pre"], jt.Float[np.ndarray, " pre"]]:
    r"""Rates of the joint flow where both weights are zero, for each eigenvalue of ``C``.

    The rates are :math:`-2\gamma - 2\chi c \pm (\alpha c + \psi)`; in the paper's coefficients and
    for unit variance :math:`-\beta_d \pm \alpha_a`. The flow of weight mirror is linear, with
    the same rates everywhere.

    Parameters
    ----------
    coefficients : Coefficients
    c : array, (pre, pre)
        Uncentred second moment of the input.

    Returns
    -------
    symmetric, antisymmetric : array, (pre,)
        In the directions :math:`W = B` and :math:`W = -B`.
    """
    k, moment = coefficients, np.linalg.eigvalsh(c)
    decay, drive = -2 * (k.decay + k.sparse * moment), k.amp * moment + k.self
    return decay + drive, decay - drive


def symmetric_point(coefficients: Coefficients, *, variance: float = 1.0) -> float:
    r"""Size of both weights of one mode at the fixed point of information alignment.

    .. math:: w = b = \pm\sqrt{\frac{\alpha c - 2\gamma}{2\beta c}}

    Parameters
    ----------
    coefficients : Coefficients
        With amp, null and decay.
    variance : float
        :math:`c`, of the input along the mode.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there is no fixed point except zero.
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

    The rates are :math:`-2(\alpha c - 2\gamma)` and :math:`-4\gamma`; without decay the two weights
    would not become equal. In the paper's coefficients and for unit variance they are
    :math:`-2(\alpha_a - \beta_d)` and :math:`-2\beta_d`.

    Parameters
    ----------
    coefficients : Coefficients
    variance : float
        As for :func:`symmetric_point`.

    Returns
    -------
    symmetric, antisymmetric : float
        In the directions :math:`W = B` and :math:`W = -B`.

    Raises
    ------
    ValueError
        If there is no symmetric point.
    """
    symmetric_point(coefficients, variance=variance)
    return -2 * (coefficients.amp * variance - 2 * coefficients.decay), -4 * coefficients.decay
