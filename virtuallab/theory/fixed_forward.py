r"""The backward weight of a dense layer while the forward weight is held: a linear system.

With ``W`` and the input's second moment ``C`` held, ``B`` descends a quadratic, and the operator
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

_ROUNDING = 1e-10  # relative to the largest: below it an eigenvalue of a second moment is zero


def second_moment(x: jt.Float[np.ndarray, "batch pre"]) -> SecondMoment:
    """Uncentred second moment of a layer's input, averaged over the batch."""
    return np.asarray(x.T @ x / len(x))


def eigenvalues(coefficients: Coefficients, w: Weights, c: SecondMoment) -> Weights:
    """Rates of the flow ``dB/dt = -gradient``: negative where ``B`` is pulled back, otherwise 0.

    Parameters
    ----------
    coefficients : Coefficients
    w : array, (post, pre)
        The forward weight.
    c : array, (pre, pre)
        Uncentred second moment of the input.

    Returns
    -------
    array, (post, pre)
        One for each pair of an eigenvector of ``W C W'`` and one of ``C``, both ascending in
        eigenvalue.
    """
    return -_diagonal(coefficients, np.linalg.eigvalsh(w @ c @ w.T), np.linalg.eigvalsh(c))


def fixed_point(coefficients: Coefficients, w: Weights, c: SecondMoment) -> Weights:
    r"""Backward weight at rest: solves the Sylvester equation of the vanishing gradient.

    Weight mirror :math:`(\alpha/2\gamma) W C`, information alignment the ridge decoder of the
    input from the response, symmetric alignment :math:`(\psi/2\gamma) W`, activation alignment
    :math:`(\alpha/2\chi) W` on the span of the inputs.

    Parameters
    ----------
    coefficients : Coefficients
    w : array, (post, pre)
    c : array, (pre, pre)

    Returns
    -------
    array, (post, pre)
        0 in directions in which nothing acts on ``B``; there it keeps its initial value.

    Raises
    ------
    ValueError
        If ``B`` grows without end in some direction.
    """
    response, left = np.linalg.eigh(w @ c @ w.T)
    moment, right = np.linalg.eigh(c)
    pull = left.T @ (coefficients.amp * w @ c + coefficients.self * w) @ right
    hold = _diagonal(coefficients, response, moment)
    free = hold <= _ROUNDING * hold.max(initial=0.0)
    if (np.abs(pull[free]) > 1e-6 * np.abs(pull).max(initial=0.0)).any():
        raise ValueError(
            "no fixed point: amp or self drives the backward weight along a direction in which "
            f"neither decay, null nor sparse holds it, so it grows without end ({coefficients}). "
            "Give decay a strength above 0."
        )
    rest = np.divide(pull, hold, out=np.zeros_like(pull), where=~free)
    return np.asarray(left @ rest @ right.T)


def step_limit(
    coefficients: Coefficients,
    w: Weights,
    c: SecondMoment,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> float:
    """Learning rate above which gradient descent of ``B`` diverges; infinite if none does.

    Parameters
    ----------
    coefficients : Coefficients
    w : array, (post, pre)
    c : array, (pre, pre)
    momentum : float
        Share of the last step that carries on.
    nesterov : bool
        Whether it looks ahead along the momentum.
    """
    stiffest = -float(eigenvalues(coefficients, w, c).min())
    return largest_step(momentum, nesterov=nesterov) / stiffest if stiffest > 0 else float("inf")


def largest_step(momentum: float, *, nesterov: bool) -> float:
    r"""Largest stable product of learning rate and curvature.

    The slowest root of the recursion leaves the unit circle at -1: for heavy-ball momentum
    :math:`\mu` at :math:`2(1 + \mu)`, for Nesterov's at :math:`2(1 + \mu)/(1 + 2\mu)`, which
    reads the gradient further out and so is stable for smaller steps only.

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
    r"""Singular values of ``B`` at rest over those of ``W``, for white input.

    .. math:: \frac{b}{s} = \frac{\alpha c + \psi}{2(\gamma + \beta c s^2 + \chi c)}

    Weight mirror's is :math:`\alpha c / 2\gamma` whatever the mode, so it multiplies through depth
    with the variance :math:`c` of each layer's input; with null, :math:`b` itself never passes
    :math:`(\alpha / 4)\sqrt{c / \beta\gamma}`.

    Parameters
    ----------
    coefficients : Coefficients
    singular_values : array, (mode,)
        Those of ``W``.
    variance : float
        :math:`c`, with :math:`C = cI`; for a convolution that sums over S positions, S times it.
    """
    k, c = coefficients, variance
    hold = 2 * (k.decay + k.null * c * singular_values**2 + k.sparse * c)
    return np.asarray((k.amp * c + k.self) / hold)


def _diagonal(
    k: Coefficients, response: jt.Float[np.ndarray, " post"], moment: jt.Float[np.ndarray, " pre"]
) -> Weights:
    # A second moment has no negative eigenvalue; rounding makes some.
    of_response, of_input = response.clip(min=0), moment.clip(min=0)
    return 2 * (k.decay + k.null * of_response[:, None] + k.sparse * of_input[None, :])
