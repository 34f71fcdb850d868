r"""Linear dynamics of the backward weight of a dense layer for a fixed forward weight.

For fixed ``W`` and second moment ``C`` of the input, ``B`` descends a quadratic, and the operator
:math:`B \mapsto 2\gamma B + 2\beta\, W C W^\top B + 2\chi\, B C` is diagonal in the eigenvectors
of :math:`W C W^\top` and of :math:`C`.

References
----------
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", section 4;
the discrete and single-layer forms are derived here.
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.theory.coefficients import Coefficients

Weights = jt.Float[np.ndarray, "post pre"]
SecondMoment = jt.Float[np.ndarray, "pre pre"]

_ROUNDING = 1e-10  # relative to the largest eigenvalue; smaller eigenvalues count as zero


def second_moment(x: jt.Float[np.ndarray, "batch pre"]) -> SecondMoment:
    """Uncentred second moment of a layer's input, averaged over the batch.

    Parameters
    ----------
    x : array, (batch, pre)

    Returns
    -------
    array, (pre, pre)
    """
    return np.asarray(x.T @ x / len(x))


def eigenvalues(coefficients: Coefficients, w: Weights, c: SecondMoment) -> Weights:
    """Rates of the flow ``dB/dt = -gradient``: negative where ``B`` decays, otherwise 0.

    Parameters
    ----------
    coefficients : Coefficients
    w : array, (post, pre)
        Forward weight.
    c : array, (pre, pre)
        Uncentred second moment of the input.

    Returns
    -------
    array, (post, pre)
        For each pair of eigenvectors of ``W C W'`` and of ``C``, in ascending order of their
        eigenvalues.
    """
    return -_decay_rates(coefficients, np.linalg.eigvalsh(w @ c @ w.T), np.linalg.eigvalsh(c))


def fixed_point(coefficients: Coefficients, w: Weights, c: SecondMoment) -> Weights:
    r"""Backward weight at which the gradient is zero, the solution of a Sylvester equation.

    Weight mirror: :math:`(\alpha/2\gamma) W C`. Information alignment: the ridge decoder of the
    input from the response. Symmetric alignment: :math:`(\psi/2\gamma) W`. Activation alignment:
    :math:`(\alpha/2\chi) W` on the span of the inputs.

    Parameters
    ----------
    coefficients : Coefficients
    w : array, (post, pre)
    c : array, (pre, pre)

    Returns
    -------
    array, (post, pre)
        0 in directions in which the gradient is zero everywhere; there ``B`` keeps its initial
        value.

    Raises
    ------
    ValueError
        If ``B`` grows without bound in some direction.
    """
    response, left = np.linalg.eigh(w @ c @ w.T)
    moment, right = np.linalg.eigh(c)
    drive = left.T @ (coefficients.amp * w @ c + coefficients.self * w) @ right
    decay = _decay_rates(coefficients, response, moment)
    free = decay <= _ROUNDING * decay.max(initial=0.0)
    if (np.abs(drive[free]) > 1e-6 * np.abs(drive).max(initial=0.0)).any():
        raise ValueError(
            "no fixed point: amp or self drives the backward weight in a direction in which decay, "
            f"null and sparse do not bound it, so it grows without bound ({coefficients}). Set "
            "decay above 0."
        )
    point = np.divide(drive, decay, out=np.zeros_like(drive), where=~free)
    return np.asarray(left @ point @ right.T)


def step_limit(
    coefficients: Coefficients,
    w: Weights,
    c: SecondMoment,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> float:
    """Learning rate above which gradient descent of ``B`` diverges.

    Parameters
    ----------
    coefficients : Coefficients
    w : array, (post, pre)
    c : array, (pre, pre)
    momentum : float
    nesterov : bool
        Of the optimizer of the backward weights.

    Returns
    -------
    float
        Infinite if it never diverges.
    """
    curvature = -float(eigenvalues(coefficients, w, c).min())
    return largest_step(momentum, nesterov=nesterov) / curvature if curvature > 0 else float("inf")


def largest_step(momentum: float, *, nesterov: bool) -> float:
    r"""Largest stable product of learning rate and curvature.

    At the limit a root of the recursion leaves the unit circle at -1: :math:`2(1 + \mu)` for
    heavy-ball momentum :math:`\mu`, :math:`2(1 + \mu)/(1 + 2\mu)` for Nesterov's momentum.

    Parameters
    ----------
    momentum : float
    nesterov : bool

    Returns
    -------
    float

    References
    ----------
    Polyak 1964, "Some methods of speeding up the convergence of iteration methods".
    """
    return 2 * (1 + momentum) / (1 + 2 * momentum if nesterov else 1)


def gain(
    coefficients: Coefficients,
    singular_values: jt.Float[np.ndarray, " mode"],
    *,
    variance: float = 1.0,
) -> jt.Float[np.ndarray, " mode"]:
    r"""Singular values of ``B`` at the fixed point over those of ``W``, for white input.

    .. math:: \frac{b}{s} = \frac{\alpha c + \psi}{2(\gamma + \beta c s^2 + \chi c)}

    The gain of weight mirror is :math:`\alpha c / 2\gamma` for all modes; over layers it multiplies
    with the variance :math:`c` of their inputs. With null, :math:`b` is at most
    :math:`(\alpha / 4)\sqrt{c / \beta\gamma}`.

    Parameters
    ----------
    coefficients : Coefficients
    singular_values : array, (mode,)
        Of ``W``.
    variance : float
        :math:`c`, with :math:`C = cI`; times S for a convolution that sums over S positions.

    Returns
    -------
    array, (mode,)
    """
    k, c = coefficients, variance
    decay = 2 * (k.decay + k.null * c * singular_values**2 + k.sparse * c)
    return np.asarray((k.amp * c + k.self) / decay)


def _decay_rates(
    k: Coefficients, response: jt.Float[np.ndarray, " post"], moment: jt.Float[np.ndarray, " pre"]
) -> Weights:
    # Negative eigenvalues of a second moment are rounding errors.
    response, moment = response.clip(min=0), moment.clip(min=0)
    return 2 * (k.decay + k.null * response[:, None] + k.sparse * moment[None, :])
