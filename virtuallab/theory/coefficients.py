"""Coefficients of the alignment primitives of one subject."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Coefficients:
    r"""Coefficients of the backward weight's gradient, without factors of one half.

    .. math:: \nabla_B R = 2\gamma B + 2\beta\, W C W^\top B + 2\chi\, B C
              - \alpha\, W C - \psi\, W

    with ``W`` and ``B`` both ``(post, pre)`` and :math:`C` the uncentred second moment of the
    input, ``(pre, pre)``.

    Parameters
    ----------
    decay, amp, null, sparse, self : float
        :math:`\gamma, \alpha, \beta, \chi, \psi`. Dimensionless.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    section 3.
    """

    decay: float = 0.0
    amp: float = 0.0
    null: float = 0.0
    sparse: float = 0.0
    self: float = 0.0


def from_paper(
    *, decay: float = 0.0, amp: float = 0.0, null: float = 0.0, sparse: float = 0.0
) -> Coefficients:
    """Coefficients from those of the paper, which has factors of one half before squared norms.

    Parameters
    ----------
    decay, amp, null, sparse : float
        As in Kunin et al. 2020; decay, null and sparse are halved.

    Returns
    -------
    Coefficients
    """
    return Coefficients(decay=decay / 2, amp=amp, null=null / 2, sparse=sparse / 2)


def coefficients_of(rule: object) -> Coefficients:
    """Coefficients of a rule.

    Parameters
    ----------
    rule : Rule
        Of one subject. Coefficients that it does not have are 0.

    Returns
    -------
    Coefficients
    """
    names = [field.name for field in fields(Coefficients)]
    return Coefficients(**{name: float(getattr(rule, name, 0.0)) for name in names})


def kolen_pollack(*, forward_decay: float, backward_decay: float) -> Coefficients:
    r"""Coefficients of Kolen and Pollack's rule for a stationary forward weight.

    There the shared pseudogradient and the forward decay cancel, :math:`g = -2\gamma_W W`, so that
    :math:`\nabla_B R = g + 2\gamma_B B` is the gradient of symmetric alignment.

    Parameters
    ----------
    forward_decay, backward_decay : float
        :math:`\gamma_W, \gamma_B`; half of an optimizer's ``weight_decay``.

    Returns
    -------
    Coefficients
    """
    return Coefficients(decay=backward_decay, self=2 * forward_decay)
