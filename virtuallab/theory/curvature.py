"""The step limit of any layer, measured on what it sees, with the rules' own functions.

A convolution has no small second moment to take eigenvalues of: neighbouring positions overlap and
the field has borders. But its backward weight descends a quadratic all the same, so the curvature
is a symmetric map that can be applied, and power iteration finds its largest eigenvalue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import torch
from torch import Tensor

from virtuallab.subject.learning.layer_view import Local
from virtuallab.subject.learning.primitives import descend
from virtuallab.subject.network.signals import spread
from virtuallab.subject.network.synapse import PerSubject, Weight
from virtuallab.theory.coefficients import Coefficients
from virtuallab.theory.fixed_forward import largest_step

_MOST = 200  # applications of the map, however slowly it converges


@torch.no_grad()
def stiffness(
    step: Callable[[Local], Weight | None], at: Local, *, tolerance: float = 1e-4
) -> PerSubject:
    """Largest curvature along the backward weight, of each subject.

    Parameters
    ----------
    step : callable
        Gradient of the backward weight, affine in it: a rule's ``backward_step``.
    at : Local
        The layer on one batch. The value of its backward weight does not matter.
    tolerance : float
        Relative change at which the iteration ends. The estimate rises to the eigenvalue from
        below, by Rayleigh's quotient.

    Raises
    ------
    ValueError
        If the step does not change a backward weight.
    """

    def of(backward: Weight) -> Weight:
        found = step(replace(at, backward=backward))
        if found is None:
            raise ValueError("this rule has no step for the backward weight.")
        return found

    origin = torch.zeros_like(at.backward)
    constant = of(origin)
    # Not the weight itself, which may lie in what the map leaves alone; the same for each subject.
    stream = torch.Generator().manual_seed(0)
    direction = torch.randn(origin.shape[1:], generator=stream, dtype=torch.float64)
    direction = direction.to(origin).expand_as(origin).clone()
    before = torch.full((len(origin),), torch.inf, dtype=origin.dtype, device=origin.device)
    for _ in range(_MOST):
        direction = direction / spread(_norm(direction).clamp(min=1e-30), direction)
        image = of(direction) - constant
        found = (image * direction).flatten(1).sum(1)
        if bool(((found - before).abs() <= tolerance * found.abs()).all()):
            break
        before, direction = found, image
    return found


def measured_limit(
    coefficients: Coefficients,
    at: Local,
    *,
    mean: bool,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> PerSubject:
    """Learning rate above which gradient descent of the backward weight diverges.

    For a dense layer this is :func:`virtuallab.theory.step_limit`.

    Parameters
    ----------
    coefficients : Coefficients
    at : Local
        The layer on one batch; dense or convolution.
    mean : bool
        Whether a convolution's positions are averaged; as published they are summed.
    momentum, nesterov
        As of the optimizer that changes the backward weights.

    Returns
    -------
    Tensor, (subject,)
        Infinite where nothing pulls the backward weight back.
    """
    found = stiffness(lambda seen: descend(seen, asdict(coefficients), mean=mean), at)
    return largest_step(momentum, nesterov=nesterov) / found


def _norm(direction: Tensor) -> PerSubject:
    return direction.flatten(1).square().sum(1).sqrt()
